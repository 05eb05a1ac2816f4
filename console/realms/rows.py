"""Realms as the platform's console shows them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils.translation import gettext as _

from identity.access.models import OperatorVisit
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.ids import public_id
from identity.kernel.naming import issuer_of
from identity.kernel.permissions import Permission
from identity.realms.models import Realm, RealmStatus


def realm_page(realm: Realm, name: str = "realm") -> str:
    """The address of a page about it, in the platform's console."""
    return reverse(f"console:{name}", args=[public_id("realm", realm.pk)])


def console_of(realm: Realm) -> str:
    """The console that operators enter: always on the main host, also of a realm with a host of its own."""
    return f"/realms/{realm.slug}/console/"


def status_of(realm: Realm) -> tuple[str, str, str]:
    """Words, level and icon."""
    return {
        RealmStatus.ACTIVE: (_("Active"), "ok", "check_circle"),
        RealmStatus.SUSPENDED: (_("Suspended"), "high", "pause_circle"),
        RealmStatus.DELETING: (_("Deleted"), "crit", "delete"),
    }[RealmStatus(realm.status)]


@dataclass(frozen=True)
class RealmRow:
    """A row of the list, and the head of the page."""

    realm: Realm
    public_id: str
    url: str
    address: str
    status: tuple[str, str, str]
    menu: list[dict[str, Any]]
    may_visit: bool
    may_write: bool
    may_delete: bool


def row_of(realm: Realm, actor: Actor) -> RealmRow:
    """With the acts that the realm's state and the actor's permissions leave."""
    others = not realm.is_platform
    may_write = others and actor.can(Permission.REALMS_WRITE)
    may_delete = others and actor.can(Permission.REALMS_DELETE)
    may_visit = others and actor.can(Permission.REALMS_VISIT)
    active, deleting = realm.status == RealmStatus.ACTIVE, realm.status == RealmStatus.DELETING
    menu: list[dict[str, Any]] = [{"label": _("Open"), "url": realm_page(realm), "icon": "domain"}]

    def add(needed: bool, label: str, name: str, icon: str, **extra: Any) -> None:
        if needed:
            menu.append({"label": label, "url": realm_page(realm, name), "icon": icon, "dialog": True, **extra})

    add(may_visit, _("Enter its console…"), "realm_enter", "login")
    if may_write or may_delete:
        menu.append({"divider": True})
    add(may_write and active, _("Suspend…"), "realm_suspend", "pause_circle")
    add(may_write and not active and (not deleting or may_delete), _("Bring back…"), "realm_resume", "play_arrow")
    add(may_delete and not deleting, _("Delete…"), "realm_delete", "delete", danger=True)
    return RealmRow(
        realm=realm,
        public_id=public_id("realm", realm.pk),
        url=realm_page(realm),
        address=issuer_of(realm).removeprefix(f"{urlsplit(issuer_of(realm)).scheme}://"),
        status=status_of(realm),
        menu=menu if len(menu) > 1 else menu[:1],
        may_visit=may_visit,
        may_write=may_write,
        may_delete=may_delete,
    )


@dataclass(frozen=True)
class VisitRow:
    """A visit on the realm's page."""

    operator: str
    reason: str
    opened_at: datetime
    until: datetime
    is_open: bool
    end_url: str


def visit_of(visit: OperatorVisit, realm: Realm, actor: Actor) -> VisitRow:
    """What the page shows of a visit; its end is read from the time."""
    is_open = visit.ended_at is None and visit.ends_at > clock.now()
    may_end = visit.operator_id == actor.id or actor.can(Permission.REALMS_WRITE)
    args = [public_id("realm", realm.pk), public_id("visit", visit.pk)]
    return VisitRow(
        operator=visit.operator_name,
        reason=visit.reason,
        opened_at=visit.opened_at,
        until=visit.ended_at or visit.ends_at,
        is_open=is_open,
        end_url=reverse("console:realm_visit_end", args=args) if is_open and may_end else "",
    )
