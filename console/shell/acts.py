"""What the palette can do: acts on people and applications, and acts of the whole realm.

Each opens what its page's own button opens, the same dialog with fresh counts: the palette itself changes nothing. An
act is offered only to one whose command would let him.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.applications.rows import application_url, may
from console.shell.palette import Hit
from console.users.people import Rights, State, rights_on, state_of, user_url
from identity.access.queries import outranking
from identity.accounts.models import User
from identity.accounts.queries import find_users
from identity.applications.models import ApplicationStatus
from identity.applications.queries import find_applications
from identity.kernel.actor import Actor
from identity.kernel.permissions import Permission

FEW = 2
"""People or applications whose acts are offered while no verb was typed."""


@dataclass(frozen=True, slots=True)
class PersonAct:
    """An act on one person. `title` has the place %(name)s; `is_open` asks what the row's menu asks."""

    title: str | Promise
    url_name: str
    icon: str
    permission: Permission
    is_open: Callable[[Rights, State], bool]


@dataclass(frozen=True, slots=True)
class RealmAct:
    """An act that needs no object. Its permission must be held on the whole realm."""

    title: str | Promise
    url_name: str
    icon: str
    permission: Permission
    opens_dialog: bool = False


PERSON_ACTS = (
    PersonAct(
        gettext_lazy("Lock %(name)s…"),
        "user_lock",
        "lock",
        Permission.USERS_DISABLE,
        lambda rights, state: rights.disable and not rights.is_self and state.key not in ("locked", "disabled"),
    ),
    PersonAct(
        gettext_lazy("End all sessions of %(name)s…"),
        "user_end_sessions",
        "logout",
        Permission.SESSIONS_END,
        lambda rights, _state: rights.end_sessions,
    ),
)
DISABLE_APPLICATION = gettext_lazy("Disable %(name)s…")
REALM_ACTS = (
    RealmAct(gettext_lazy("Invite a person…"), "user_invite", "mail", Permission.USERS_INVITE),
    RealmAct(
        gettext_lazy("Create an organization…"),
        "organization_create",
        "apartment",
        Permission.ORGANIZATIONS_WRITE,
        opens_dialog=True,
    ),
    RealmAct(gettext_lazy("Register an application…"), "application_create", "apps", Permission.APPLICATIONS_WRITE),
    RealmAct(gettext_lazy("Rotate signing key…"), "key_rotate", "vpn_key", Permission.KEYS_ROTATE, opens_dialog=True),
)


def acts(actor: Actor, term: str, limit: int) -> Iterator[Hit]:
    """What the actor may do that is called, or whose object is called, `term`; without one, the acts of the realm."""
    if term:
        yield from _on_people(actor, term, limit)
        yield from _on_applications(actor, term, limit)
    for act in REALM_ACTS:
        title = str(act.title)
        if actor.can(act.permission) and term.lower() in title.lower():
            url = reverse(f"console:{act.url_name}")
            yield Hit(title, url, act.icon, _note() if act.opens_dialog else "", opens_dialog=act.opens_dialog)


def object_of(title: str, term: str) -> str:
    """What is left of `term` once the act's own words are out of it: `lock mia` → `mia`; all of it if none is in."""
    own = re.findall(r"\w+", title.replace("%(name)s", " ").lower())
    words = term.split()
    rest = [word for word in words if not any(each.startswith(word.lower()) for each in own)]
    return " ".join(rest or words)


def _note() -> str:
    return _("shows what it hits before it acts")


def _on_people(actor: Actor, term: str, limit: int) -> Iterator[Hit]:
    for act in PERSON_ACTS:
        if not (actor.can_somewhere(act.permission) and actor.can_somewhere(Permission.USERS_READ)):
            continue
        name = object_of(str(act.title), term)
        found = list(find_users(actor, search=name)[: limit if name != term else FEW])
        for user, rights in _with_rights(actor, found):
            if act.is_open(rights, state_of(user)):
                title = str(act.title) % {"name": user.display_name}
                yield Hit(title, user_url(user.pk, act.url_name), act.icon, _note(), opens_dialog=True)


def _with_rights(actor: Actor, people: list[User]) -> Iterator[tuple[User, Rights]]:
    above = outranking(actor, [user.pk for user in people])
    for user in people:
        yield user, rights_on(actor, user.pk, outranked=user.pk in above)


def _on_applications(actor: Actor, term: str, limit: int) -> Iterator[Hit]:
    if not (actor.can_somewhere(Permission.APPLICATIONS_WRITE) and actor.can_somewhere(Permission.APPLICATIONS_READ)):
        return
    name = object_of(str(DISABLE_APPLICATION), term)
    found = find_applications(actor, search=name, status=ApplicationStatus.ACTIVE)
    for application in found[: limit if name != term else FEW]:
        if may(actor, Permission.APPLICATIONS_WRITE, application):
            title = str(DISABLE_APPLICATION) % {"name": application.name}
            url = application_url(application, "application_disable")
            yield Hit(title, url, "pause_circle", _note(), opens_dialog=True)
