"""What the audit trail's address asks: views, filters, dates and the search box, as one EventFilter."""

import ipaddress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from console.shell.lists import Filter, ListState, Option
from identity.accounts.queries import find_users
from identity.applications.queries import find_applications
from identity.audit.queries import EventFilter
from identity.kernel import clock
from identity.kernel.actor import Actor, ActorKind
from identity.kernel.errors import PermissionDenied
from identity.kernel.events import Outcome, Severity, registry
from identity.kernel.ids import PREFIXES, parse_public_id
from identity.realms.models import Realm

MOST_NAMED = 20

SEVERITIES = {
    Severity.CRITICAL: _("Critical"),
    Severity.HIGH: _("High"),
    Severity.MEDIUM: _("Medium"),
    Severity.LOW: _("Low"),
}
OUTCOMES = {Outcome.SUCCESS: _("Done"), Outcome.FAILURE: _("Failed"), Outcome.DENIED: _("Refused")}
SPANS = {
    "hour": (timedelta(hours=1), _("last hour")),
    "day": (timedelta(days=1), _("last 24 hours")),
    "week": (timedelta(days=7), _("last 7 days")),
    "month": (timedelta(days=30), _("last 30 days")),
}
NOUNS: dict[str, str | Promise] = {
    "access": _("refusals"),
    "alert": _("alerts"),
    "application": _("applications"),
    "audit": _("exports"),
    "consent": _("consents"),
    "data": _("deletions of what expired"),
    "email": _("email addresses"),
    "invitation": _("invitations"),
    "job": _("background work"),
    "key": _("signing keys"),
    "organization": _("organizations"),
    "password": _("passwords"),
    "realm": _("realm settings"),
    "role": _("roles"),
    "secret": _("client secrets"),
    "session": _("sessions"),
    "signin": _("sign-ins"),
    "token": _("tokens"),
    "user": _("accounts"),
    "visit": _("operator visits"),
}

FILTERS = (
    Filter("when", _("When"), tuple(Option(name, label) for name, (_span, label) in SPANS.items())),
    Filter("about", _("About"), tuple(Option(noun, label) for noun, label in NOUNS.items())),
    Filter("severity", _("Severity"), tuple(Option(str(name), label) for name, label in SEVERITIES.items())),
    Filter("outcome", _("Result"), tuple(Option(str(name), label) for name, label in OUTCOMES.items())),
    Filter("type", _("Act")),
    Filter("actor", _("By")),
    Filter("target", _("On")),
    Filter("session", _("Session")),
    Filter("address", _("From")),
    Filter("since", _("From day")),
    Filter("until", _("To day")),
)


@dataclass(frozen=True, slots=True)
class View:
    """One of the ready-made views above the list."""

    name: str
    label: str | Promise
    base: EventFilter


def _types(*nouns: str, without: bool = False) -> tuple[str, ...]:
    return tuple(sorted(name for name in registry if (name.partition(".")[0] in nouns) is not without))


def views() -> list[View]:
    """The ready-made views, the default first. Built when asked: all rooms have named their events by then."""
    people = (str(ActorKind.USER), str(ActorKind.OPERATOR), str(ActorKind.SYSTEM))
    return [
        View("", _("Changes and sign-ins"), EventFilter(quiet=False)),
        View("changes", _("Admin changes"), EventFilter(quiet=False, actor_types=people, types=_changes())),
        View("signins", _("Sign-ins"), EventFilter(types=_types("signin", "signup", "session"))),
        View("refused", _("Refused and failed"), EventFilter(outcomes=(Outcome.FAILURE, Outcome.DENIED))),
        View("machines", _("Applications"), EventFilter(actor_types=(str(ActorKind.APPLICATION),))),
        View("all", _("Everything"), EventFilter()),
    ]


def _changes() -> tuple[str, ...]:
    return _types("signin", "signup", "session", "code", "token", "access", without=True)


def view_named(name: str) -> View:
    """The view of that name, or the default."""
    found = views()
    return next((view for view in found if view.name == name), found[0])


def state_of(request: HttpRequest) -> ListState:
    """The list's state, with words for filters that hold ids."""
    labels = {name: request.GET[f"{name}_name"][:80] for name in ("actor", "target") if request.GET.get(f"{name}_name")}
    state = ListState(request, FILTERS, keep=("view", "actor_name", "target_name"), labels=labels)
    if "session" in state.values:
        state.labels["session"] = state.values["session"][:12] + "…"
    return state


def filter_of(state: ListState, view: View, actor: Actor, realm: Realm) -> EventFilter:
    """The view, narrowed by the filters and the search box. What can't be read asks for nothing that exists."""
    wanted = view.base
    zone = ZoneInfo(str(realm.setting("time_zone")))
    if noun := state.get("about"):
        of_noun = set(_types(noun))
        wanted = replace(wanted, quiet=True, types=_narrowed(wanted.types, of_noun))
    if kind := state.get("type"):
        wanted = replace(wanted, quiet=True, types=_narrowed(wanted.types, {kind}))
    if severity := state.get("severity"):
        wanted = replace(wanted, severity=Severity(severity))
    if outcome := state.get("outcome"):
        wanted = replace(wanted, outcomes=(Outcome(outcome),))
    if by := state.get("actor"):
        wanted = replace(wanted, quiet=True, actor_id=id_of(by) or _NOBODY)
    if on := state.get("target"):
        wanted = replace(wanted, quiet=True, target_id=id_of(on) or _NOBODY)
    if session := state.get("session"):
        wanted = replace(wanted, quiet=True, session_id=parse_public_id("session", session) or _NOBODY)
    if address := state.get("address"):
        wanted = replace(wanted, address=address)
    wanted = replace(wanted, since=_start(state, zone), until=_end(state, zone))
    return _searched(wanted, state.search, actor) if state.search else wanted


_NOBODY = UUID(int=1)
"""An id that nothing has: an unreadable filter finds nothing, instead of everything."""


def _narrowed(types: tuple[str, ...], to: set[str]) -> tuple[str, ...]:
    kept = tuple(sorted(to & set(types))) if types else tuple(sorted(to))
    return kept or ("none",)


def id_of(text: str) -> UUID | None:
    """The id in any public id."""
    for kind in PREFIXES:
        if found := parse_public_id(kind, text.strip().lower()):
            return found
    return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _start(state: ListState, zone: ZoneInfo) -> datetime | None:
    starts = []
    if span := state.get("when"):
        starts.append(clock.now() - SPANS[span][0])
    if day := _day(state.get("since")):
        starts.append(datetime.combine(day, time.min, zone).astimezone(UTC))
    return max(starts, default=None)


def _end(state: ListState, zone: ZoneInfo) -> datetime | None:
    day = _day(state.get("until"))
    if day is None or day == date.max:
        return None
    return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)


def _searched(wanted: EventFilter, text: str, actor: Actor) -> EventFilter:
    """The search box: an address, a public id, or a person or application by identifier or name."""
    try:
        return replace(wanted, quiet=True, address=str(ipaddress.ip_address(text)))
    except ValueError:
        pass
    if pk := id_of(text):
        return replace(wanted, quiet=True, about=(pk,))
    named: list[UUID] = []
    try:
        named += find_users(actor, search=text).values_list("pk", flat=True)[:MOST_NAMED]
    except PermissionDenied:
        pass
    try:
        named += find_applications(actor, search=text).values_list("pk", flat=True)[:MOST_NAMED]
    except PermissionDenied:
        pass
    return replace(wanted, quiet=True, about=tuple(named), person=text)
