"""One event in full: who and what, the difference, the request, what happened around it."""

import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.audit.wording import icon_of, outcome_of, page_of, sentence_of
from console.devices import device_of
from console.shell.lists import ListState
from console.templatetags.rk import duration
from identity.audit.models import AuditEvent
from identity.audit.queries import EventFilter, neighbours, related_events
from identity.audit.reading import ReadableEvent, readable
from identity.kernel.actor import Actor
from identity.kernel.ids import PREFIXES, public_id

MOST_SHOWN = 20


def label_of(setting: str) -> str:
    """A setting's name as people read it."""
    known = {
        "redirect_uris": _("Redirect URIs"),
        "post_logout_redirect_uris": _("Redirect URIs after sign-out"),
        "sign_up_open": _("Sign-up open to everybody"),
        "email_verification_required": _("Email must be confirmed"),
        "accent": _("Color"),
        "logo_text": _("Letters of the mark"),
    }
    return known.get(setting) or capfirst(setting.replace("_", " "))


def _words(setting: str, value: Any) -> list[str]:
    if value is None or value in ("", []):
        return []
    if isinstance(value, bool):
        return [_("yes") if value else _("no")]
    if isinstance(value, int) and setting.endswith("_lifetime"):
        return [duration(value)]
    if isinstance(value, list):
        return [str(item) for item in value]
    if isinstance(value, dict):
        return [json.dumps(value, ensure_ascii=False, sort_keys=True)]
    return [str(value)]


def changes_of_event(event: ReadableEvent) -> list[dict[str, Any]]:
    """Settings that changed; of lists only what was taken away and what was added."""
    out = []
    for setting, (before, after) in event.changes.items():
        old, new = _words(setting, before), _words(setting, after)
        kept = 0
        if isinstance(before, list) and isinstance(after, list):
            kept = len(set(old) & set(new))
            old, new = [item for item in old if item not in new], [item for item in new if item not in old]
        out.append({"label": label_of(setting), "before": old[:MOST_SHOWN], "after": new[:MOST_SHOWN], "kept": kept})
    return out


def facts_of(event: ReadableEvent) -> list[dict[str, Any]]:
    """The request that did it."""
    row = event.row
    visit = row.payload.get("visit_id")
    facts: list[dict[str, Any]] = [
        {"label": _("From"), "value": event.ip, "mono": True},
        {"label": _("Device"), "value": str(device_of(event.user_agent)) if event.user_agent else ""},
        {
            "label": _("Session"),
            "value": _short(public_id("session", row.session_id)) if row.session_id else "",
            "to_copy": public_id("session", row.session_id) if row.session_id else "",
        },
        {"label": _("Request ID"), "value": row.request_id, "to_copy": row.request_id},
        {"label": _("Operator visit"), "value": _short(public_id("visit", UUID(visit))) if visit else "", "mono": True},
        {
            "label": _("Event ID"),
            "value": _short(public_id("event", row.pk)),
            "to_copy": public_id("event", row.pk),
        },
    ]
    return [fact for fact in facts if fact["value"]]


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:12]}…{text[-4:]}"


def event_url(state: ListState, event_id: UUID) -> str:
    """The list with this event's drawer open."""
    return state.url(event=public_id("event", event_id))


def details(
    actor: Actor, row: AuditEvent, *, state: ListState | None = None, wanted: EventFilter | None = None
) -> dict[str, Any]:
    """What the drawer and the event's own page show."""
    event = readable([row])[0]
    by, on = event.actor_part(), event.target_part()
    has_target = bool(row.target_type and row.target_id)
    changes = changes_of_event(event)
    outcome_text, outcome_level = outcome_of(row.outcome)
    context: dict[str, Any] = {
        "event": {
            "type": row.type,
            "severity": str(event.severity),
            "icon": icon_of(row.type),
            "outcome_text": outcome_text,
            "outcome_level": outcome_level,
            "occurred_at": row.occurred_at,
            "title": sentence_of(event, actor.can),
            "text": event.sentence(),
            "actor": by.text,
            "actor_url": page_of(by.kind, by.id, actor.can),
            "actor_meta": event.personal.get("actor_email", "") or _kind(row.actor_type),
            "target": on.text if has_target else "",
            "target_url": page_of(on.kind, on.id, actor.can),
            "target_meta": event.personal.get("email", "") or _kind(row.target_type),
            "square": row.target_type == "application",
            "reason": event.personal.get("reason") or event.personal.get("note") or "",
        },
        "changes": changes,
        "summary": ngettext("%(n)s setting", "%(n)s settings", len(changes)) % {"n": len(changes)},
        "facts": facts_of(event),
        "page_url": reverse("console:event", args=[public_id("event", row.pk)]),
        "payload": json.dumps(row.payload, indent=2, ensure_ascii=False, sort_keys=True),
        "links": _links(event, by.text, on.text),
        "related": [
            {
                "occurred_at": other.row.occurred_at,
                "text": other.sentence(),
                "type": other.row.type,
                "url": event_url(state, other.row.pk)
                if state
                else reverse("console:event", args=[public_id("event", other.row.pk)]),
            }
            for other in readable(related_events(actor, row))
        ],
    }
    context["more"] = render_to_string("console/audit/_payload.html", context)
    if state is not None and wanted is not None:
        newer, older = neighbours(actor, row, wanted)
        context["newer_url"] = event_url(state, newer) if newer else ""
        context["older_url"] = event_url(state, older) if older else ""
    return context


def _kind(kind: str) -> str:
    return {
        "user": _("Person"),
        "operator": _("Platform operator"),
        "application": _("Application"),
        "system": _("By itself"),
        "anonymous": _("Not signed in"),
        "session": _("Session"),
        "role": _("Role"),
        "realm": _("Realm"),
        "alert": _("Alert"),
        "key": _("Signing key"),
    }.get(kind, capfirst(kind))


def _links(event: ReadableEvent, by: str, on: str) -> list[dict[str, str]]:
    """Narrower lists: all by the actor, all on the target, all of the session."""
    row, base = event.row, reverse("console:audit")
    links = []
    if row.actor_id:
        links.append(("actor", row.actor_type if row.actor_type in PREFIXES else "user", row.actor_id, by, True))
    if row.target_id and row.target_type in PREFIXES:
        links.append(("target", row.target_type, row.target_id, on, False))
    out = []
    for name, kind, pk, text, is_actor in links:
        label = _("All by %(name)s") if is_actor else _("All on %(name)s")
        query = {"view": "all", name: public_id(kind, pk), f"{name}_name": text[:80]}
        out.append({"label": label % {"name": text}, "url": f"{base}?{urlencode(query)}", "icon": "filter_alt"})
    return out
