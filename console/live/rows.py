"""Rows of the feed as a viewer sees them: in his language, with the links and acts that his permissions open."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.template.loader import render_to_string
from django.urls import NoReverseMatch, get_script_prefix, reverse, set_script_prefix
from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from console.audit.wording import LINKS_ASK, view_of
from identity.audit.queries import EventFilter, find_events
from identity.audit.reading import ReadableEvent, readable
from identity.kernel.actor import Actor
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission
from identity.realms.models import Realm
from identity.security.queries import closed_among

RAISES, CLOSES = ("alert.raised", "alert.escalated"), ("alert.contained", "alert.dismissed")
ACTS_ON_PERSON = ("password_guessing", "refresh_reuse", "code_replay")


@dataclass(frozen=True, slots=True)
class Viewer:
    """All that makes one viewer's rows differ from another's; viewers who are equal share rendered rows."""

    language: str
    prefix: str
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        """Whether links and acts that need it are shown."""
        return permission in self.permissions


def viewer_of(actor: Actor, language: str, prefix: str) -> Viewer:
    """The viewer that an actor is."""
    return Viewer(language, prefix, frozenset(permission for permission in LINKS_ASK if actor.can(permission)))


def render_row(event: ReadableEvent, viewer: Viewer, realm: Realm, *, became: str = "") -> SafeString:
    """One `<li>`. Outside requests there is neither a mount nor a language: both are the viewer's.

    became: what became of the row's alert, if it is closed. Rows that are pushed don't know; the row of the closing
    comes after them, and the page's script takes the acts away.
    """
    before = get_script_prefix()
    set_script_prefix(f"{viewer.prefix}/")
    try:
        with translation.override(viewer.language):
            return render_to_string(
                "rk/feed/event_row.html",
                {
                    "event": view_of(event, viewer.may),
                    "alert": alert_of(event),
                    "closes": event.row.type in CLOSES,
                    "became": became,
                    "alert_url": alert_url_of(event, viewer),
                    "actions": [] if became else actions_of(event, viewer),
                    # The time is shown in the realm's zone.
                    "request": SimpleNamespace(realm=realm),
                },
            )
    finally:
        set_script_prefix(before)


def alert_of(event: ReadableEvent) -> str:
    """The public id of the alert that a row is about."""
    row = event.row
    return public_id("alert", row.target_id) if row.type in (*RAISES, *CLOSES) and row.target_id else ""


def alert_url_of(event: ReadableEvent, viewer: Viewer) -> str:
    """The page of the row's alert, for one who may see it."""
    alert = alert_of(event)
    if not alert or not viewer.may(Permission.ALERTS_READ):
        return ""
    try:
        return reverse("console:alert", args=[alert])
    except NoReverseMatch:
        return ""


def actions_of(event: ReadableEvent, viewer: Viewer) -> list[dict[str, Any]]:
    """What can be done from the row of an alert. The dialogs ask again, and say if somebody was faster."""
    row = event.row
    if row.type not in RAISES or not viewer.may(Permission.ALERTS_ACT):
        return []
    acts: list[tuple[str, str, str]] = []
    if row.payload.get("detector") in ACTS_ON_PERSON:
        acts += [(_("End sessions"), "alert_contain", "?only=sessions"), (_("Lock"), "alert_contain", "")]
    else:
        acts += [(_("End sessions"), "alert_contain", "")]
    acts.append((_("Dismiss"), "alert_dismiss", ""))
    try:
        return [
            {"label": label, "url": reverse(f"console:{name}", args=[public_id("alert", row.target_id)]) + query}
            for label, name, query in acts
        ]
    except NoReverseMatch:
        return []


def wording_of(status: str) -> str:
    """What became of an alert, in one word; nothing while it is open."""
    return {"contained": _("Contained"), "dismissed": _("Dismissed")}.get(status, "")


def feed_context(request: Any, *, count: int = 20) -> dict[str, Any]:
    """What rk/feed/live.html needs on a page: the newest rows, and where the socket is. Empty without audit:read."""
    actor: Actor = request.actor
    if not actor.can(Permission.AUDIT_READ):
        return {"has_feed": False}
    viewer = viewer_of(actor, get_language() or "en", request.mount.prefix)
    newest = list(readable(find_events(actor, EventFilter(feed=True))[:count]))
    became = closed_among({event.row.target_id for event in newest if event.row.type in RAISES})
    return {
        "has_feed": True,
        "feed_rows": [
            render_row(event, viewer, request.realm, became=str(wording_of(became.get(event.row.target_id, ""))))
            for event in newest
        ],
        "ws_url": f"{request.mount.prefix}/console/live",
        "full_url": reverse("console:audit"),
    }
