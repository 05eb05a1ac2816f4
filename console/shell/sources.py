"""What the palette finds and what the sidebar counts, from the rooms' queries."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.shell.acts import acts
from console.shell.counts import Count
from console.shell.palette import Hit, Source
from identity.access.queries import organizations as find_organizations
from identity.accounts.queries import count_users, find_users
from identity.applications.queries import find_applications
from identity.kernel.actor import Actor
from identity.kernel.events import Severity
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission
from identity.security.queries import count_open

LEVELS = {
    Severity.CRITICAL: ("crit", "dangerous"),
    Severity.HIGH: ("high", "warning"),
    Severity.MEDIUM: ("med", "error"),
}


def people(actor: Actor, term: str, limit: int) -> Iterator[Hit]:
    """People by name or by the beginning of an identifier."""
    for user in find_users(actor, search=term)[:limit]:
        shown = user.name or user.email or user.username or user.phone or ""
        meta = user.email if user.name else ""
        yield Hit(shown, reverse("console:user", args=[public_id("user", user.pk)]), "person", meta or "")


def applications(actor: Actor, term: str, limit: int) -> Iterator[Hit]:
    """Applications by name or client ID."""
    for row in find_applications(actor, search=term)[:limit]:
        yield Hit(
            row.name, reverse("console:application", args=[public_id("application", row.pk)]), "apps", row.client_id
        )


def organizations(actor: Actor, term: str, limit: int) -> Iterator[Hit]:
    """Organizations by name or slug."""
    for row in find_organizations(actor, search=term)[:limit]:
        url = reverse("console:organization", args=[public_id("organization", row.pk)])
        yield Hit(
            row.name, url, "apartment", ngettext("%(n)s person", "%(n)s people", row.members) % {"n": row.members}
        )  # type: ignore[attr-defined]  # annotated by the query


def open_alerts(actor: Actor) -> Count | None:
    """Alerts that wait for a decision, in the color of the gravest."""
    if not actor.can(Permission.ALERTS_READ):
        return None
    counted = count_open(actor)
    number = sum(counted.values())
    level, icon = next((shown for severity, shown in LEVELS.items() if counted.get(severity)), ("", "info"))
    words = ngettext("open alert", "open alerts", number)
    critical = counted.get(Severity.CRITICAL, 0)
    if critical:
        words = _("%(words)s, %(critical)s critical") % {"words": words, "critical": critical}
    return Count(number, level, icon, words)


def waiting_people(actor: Actor) -> Count | None:
    """People who wait to be let in, for those who may decide."""
    if not actor.can(Permission.USERS_INVITE) or not actor.can(Permission.USERS_READ):
        return None
    number = count_users(actor, status="pending")
    return Count(
        number, "med", "hourglass_top", ngettext("person waits for approval", "people wait for approval", number)
    )


PALETTE = (
    Source(gettext_lazy("People"), Permission.USERS_READ, people),
    Source(gettext_lazy("Organizations"), Permission.ORGANIZATIONS_READ, organizations),
    Source(gettext_lazy("Applications"), Permission.APPLICATIONS_READ, applications),
    Source(gettext_lazy("Do"), Permission.CONSOLE_OPEN, acts, always=True),
)
COUNTS = {"alerts": open_alerts, "users": waiting_people}
