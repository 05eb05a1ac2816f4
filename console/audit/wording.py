"""Events as pages show them: a sentence with links, an icon, a result in words; the same in feed, lists and drawer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from identity.audit.reading import Part, ReadableEvent
from identity.kernel.events import Outcome
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission

May = Callable[[Permission], bool]

_PAGES: dict[str, tuple[str, Permission]] = {
    "user": ("console:user", Permission.USERS_READ),
    "application": ("console:application", Permission.APPLICATIONS_READ),
    "role": ("console:role", Permission.ROLES_READ),
    "organization": ("console:organization", Permission.ORGANIZATIONS_READ),
    "session": ("console:session", Permission.SESSIONS_READ),
    "alert": ("console:alert", Permission.ALERTS_READ),
}
"""Kind of object → its page, and what one needs to open it."""

LINKS_ASK = frozenset(permission for _page, permission in _PAGES.values()) | {Permission.ALERTS_ACT}
"""The permissions that decide how a row looks: viewers who agree on these see the same row."""

_ICONS = {
    "signin.succeeded": "login",
    "signin.failed": "password",
    "session.ended": "logout",
    "signup.completed": "person_add",
    "user.created": "person_add",
    "user.invited": "mail",
    "user.locked": "lock",
    "user.unlocked": "lock_open",
    "user.disabled": "person_off",
    "user.enabled": "person_check",
    "user.approved": "how_to_reg",
    "user.refused": "person_cancel",
    "terms.accepted": "article",
    "phone.verified": "call",
    "user.deleted": "person_remove",
    "audit.exported": "download",
    "access.denied": "block",
}
_ICONS_OF_NOUN = {
    "access": "block",
    "alert": "shield",
    "application": "apps",
    "attribute": "id_card",
    "audit": "receipt_long",
    "code": "token",
    "consent": "handshake",
    "email": "alternate_email",
    "family": "token",
    "grant": "badge",
    "invitation": "mail",
    "data": "delete",
    "job": "hourglass_top",
    "key": "key",
    "membership": "group",
    "organization": "apartment",
    "password": "lock_reset",
    "realm": "settings",
    "refresh": "sync",
    "role": "admin_panel_settings",
    "secret": "key_vertical",
    "session": "devices",
    "signin": "login",
    "token": "token",
    "user": "person",
    "visit": "badge",
}


@dataclass(frozen=True, slots=True)
class EventView:
    """What templates need of one event."""

    id: str
    type: str
    severity: str
    icon: str
    sentence: SafeString
    text: str
    address: str
    country: str
    occurred_at: datetime
    outcome_text: str
    outcome_level: str


def icon_of(event_type: str) -> str:
    """The symbol of a type; an unknown one gets that of the trail."""
    return _ICONS.get(event_type) or _ICONS_OF_NOUN.get(event_type.partition(".")[0], "receipt_long")


def outcome_of(outcome: str) -> tuple[str, str]:
    """The result in words, and its level."""
    return {
        str(Outcome.SUCCESS): (_("Done"), "ok"),
        str(Outcome.FAILURE): (_("Failed"), "high"),
        str(Outcome.DENIED): (_("Refused"), "crit"),
    }.get(outcome, (outcome, "low"))


def page_of(kind: str, pk: UUID | None, may: May) -> str:
    """The address of an object's page, or nothing when there is none or the viewer may not open it."""
    if pk is None or kind not in _PAGES:
        return ""
    name, permission = _PAGES[kind]
    if not may(permission):
        return ""
    try:
        return reverse(name, args=[public_id(kind, pk)])
    except NoReverseMatch:
        return ""


def linked(part: Part, may: May) -> SafeString:
    """A piece of a sentence: a link where it names something that has a page."""
    url = page_of(part.kind, part.id, may)
    if url:
        return format_html('<a class="link" href="{}">{}</a>', url, part.text)
    if part.kind:
        return format_html('<span class="strong">{}</span>', part.text)
    return format_html("{}", part.text)


def sentence_of(event: ReadableEvent, may: May) -> SafeString:
    """Who did what, escaped, with links."""
    return format_html_join("", "{}", ((linked(part, may),) for part in event.parts()))


def view_of(event: ReadableEvent, may: May) -> EventView:
    """One event for a template."""
    row = event.row
    outcome_text, outcome_level = outcome_of(row.outcome)
    return EventView(
        id=str(row.pk),
        type=row.type,
        severity=str(event.severity),
        icon=icon_of(row.type),
        sentence=sentence_of(event, may),
        text=event.sentence(),
        address=event.ip,
        country="",
        occurred_at=row.occurred_at,
        outcome_text=outcome_text,
        outcome_level=outcome_level,
    )


def views_of(events: Iterable[ReadableEvent], may: May) -> list[EventView]:
    """Several, in their order."""
    return [view_of(event, may) for event in events]
