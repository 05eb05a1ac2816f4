"""The parts of the Security page: rows of the queue, one alert's evidence and what acting on it would hit."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import plotly.graph_objects as go
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from console.alerts import wording
from console.audit.wording import views_of
from console.charts import AXIS, CRITICAL, GRID, MUTED, Chart, step_of
from console.devices import device_of
from console.shell import dates
from console.templatetags.rk import duration
from console.users.people import rights_on, user_url
from identity.access.queries import outranking
from identity.accounts.models import UserStatus
from identity.accounts.queries import users_by_id
from identity.kernel.actor import Actor
from identity.kernel.events import Severity
from identity.kernel.permissions import Permission
from identity.kernel.places import country_name
from identity.realms.models import Realm
from identity.security.models import Alert, AlertStatus
from identity.security.queries import Evidence, Exposure, active_sessions, address_of, evidence_of, exposure_of
from identity.security.rules import Detector

SHOWN = 4
EVENTS = 20


def queue_rows(alerts: Iterable[Alert], current: Alert | None, actor: Actor) -> list[dict[str, Any]]:
    """Rows of the queue with what can be done right there."""
    return [
        {
            "id": str(alert.pk),
            "severity": alert.severity,
            "title": wording.title_of(alert),
            "meta": wording.queue_meta(alert),
            "raised_at": alert.raised_at,
            "url": wording.alert_url(alert),
            "current": current is not None and alert.pk == current.pk,
            "done": ""
            if alert.status == AlertStatus.OPEN
            else _("Contained")
            if alert.status == AlertStatus.CONTAINED
            else _("Dismissed"),
            "actions": row_actions(alert, actor),
        }
        for alert in alerts
    ]


def row_actions(alert: Alert, actor: Actor) -> list[dict[str, str]]:
    """Lock, end the sessions, dismiss: what the actor may do about an open alert."""
    if alert.status != AlertStatus.OPEN or not actor.can(Permission.ALERTS_ACT):
        return []
    contain = wording.alert_url(alert, "alert_contain")
    acts = []
    if alert.detector != Detector.SMS_BUDGET and actor.can(Permission.SESSIONS_END):
        acts.append({"label": _("End sessions"), "url": f"{contain}?only=sessions" if alert.user_id else contain})
        if alert.user_id and actor.can(Permission.USERS_DISABLE):
            acts.append({"label": _("Lock"), "url": contain})
    return [*acts, {"label": _("Dismiss"), "url": wording.alert_url(alert, "alert_dismiss")}]


def names_for(alerts: Iterable[Alert]) -> dict[UUID, str]:
    """Who took or closed these alerts."""
    ids = {pk for alert in alerts for pk in (alert.taken_by, alert.closed_by) if pk}
    return {pk: user.display_name for pk, user in users_by_id(ids).items()}


def detail(actor: Actor, alert: Alert, realm: Realm) -> dict[str, Any]:
    """Context of rk/security/alert_detail.html."""
    names = names_for([alert])
    is_open = alert.status == AlertStatus.OPEN
    evidence = evidence_of(actor, alert)
    is_traffic = alert.detector not in (Detector.SMS_BUDGET, Detector.DENIED_SIGN_IN)
    taken = names.get(alert.taken_by, _("an operator")) if alert.taken_by else ""
    context: dict[str, Any] = {
        "current": alert,
        "alert": {
            "severity": alert.severity,
            "reference": str(alert),
            "title": wording.full_title(alert, actor.can),
            "raised_at": alert.raised_at,
            "meta": (_("%(who)s is on it") % {"who": taken} if taken else _("nobody on it")) if is_open else "",
            "sentence": wording.sentence_of(alert),
        },
        "evidence": evidence_parts(evidence) if is_traffic else [],
        "chart": timeline(evidence) if is_traffic else None,
        "more": denied_evidence(actor, alert, evidence) if alert.detector == Detector.DENIED_SIGN_IN else "",
        "result": wording.result_of(alert, names),
        "is_open": is_open,
        "may_act": actor.can(Permission.ALERTS_ACT),
        "is_mine": alert.taken_by == actor.id,
        "take_url": wording.alert_url(alert, "alert_take"),
        "containment": "console/alerts/_closed.html",
        "unlock_url": _unlock_url(actor, alert),
    }
    if is_open:
        context |= containment_of(actor, alert, realm)
    return context


def denied_evidence(actor: Actor, alert: Alert, evidence: Evidence) -> str:
    """Where the denied sign-in came from, and everything that its session did."""
    began = next((event for event in evidence.events if event.row.type == "signin.succeeded"), None)
    facts = [
        (_("Address"), address_of(alert)),
        (_("Country"), country_name(str(alert.evidence.get("country") or ""))),
        (_("Device"), str(device_of(began.user_agent)) if began is not None else ""),
    ]
    context = {
        "facts": [(name, value) for name, value in facts if value],
        "events": views_of(evidence.events[:EVENTS], actor.can),
    }
    return render_to_string("console/alerts/_denied.html", context)


def _unlock_url(actor: Actor, alert: Alert) -> str:
    """What takes a lock back, for one who may, while it holds. Sessions that were ended stay ended."""
    user = alert.user
    if alert.status != AlertStatus.CONTAINED or user is None or user.status != UserStatus.LOCKED:
        return ""
    rights = rights_on(actor, user.pk, outranked=user.pk in outranking(actor, [user.pk]))
    return user_url(user.pk, "user_unlock") if rights.may_unlock(user) else ""


def containment_of(actor: Actor, alert: Alert, realm: Realm) -> dict[str, Any]:
    """What is recommended, with what it hits at this moment."""
    if alert.detector == Detector.SMS_BUDGET:
        # Nobody's session has to do with it, and no address means every session of the realm.
        return {
            "containment": "console/alerts/_budget.html",
            "messages_url": reverse("console:signin_messages") if actor.can(Permission.SETTINGS_READ) else "",
            "dismiss_url": wording.alert_url(alert, "alert_dismiss") if actor.can(Permission.ALERTS_ACT) else "",
        }
    missing = [p for p in (Permission.ALERTS_ACT, Permission.SESSIONS_END) if not actor.can(p)]
    if missing:
        return {"containment": "console/alerts/_refused.html", "missing": missing[0]}
    contain, dismiss = wording.alert_url(alert, "alert_contain"), wording.alert_url(alert, "alert_dismiss")
    limit = _("Access tokens that were issued already last up to %(time)s.") % {
        "time": duration(realm.setting("access_token_lifetime"))
    }
    if alert.user_id is None:
        count = active_sessions(alert.realm_id, ip=address_of(alert)).count()
        if not count:
            return {"containment": "console/alerts/_nothing.html", "dismiss_url": dismiss}
        label = ngettext("End %(n)s session", "End %(n)s sessions", count) % {"n": count}
        return {
            "containment": "rk/security/containment.html",
            "contain_title": _("Recommended: sign this address out"),
            "effects": [{"icon": "logout", "text": address_effect(count)}],
            "url": contain,
            "label": label,
            "others": [{"label": _("It was expected"), "url": dismiss}],
            "note": limit,
        }
    exposure = exposure_of(actor, alert)
    person = wording.person_of(alert)
    others = [{"label": _("Only end sessions"), "url": f"{contain}?only=sessions"}] if exposure.sessions else []
    may_lock = actor.can(Permission.USERS_DISABLE)
    return {
        "containment": "rk/security/containment.html",
        "contain_title": _("Recommended: contain the account"),
        "effects": effects_of(exposure, person, lock=may_lock),
        "url": contain if may_lock else f"{contain}?only=sessions",
        "label": _("Contain %(person)s") % {"person": person} if may_lock else _("End the sessions"),
        "others": [*(others if may_lock else []), {"label": _("It was expected"), "url": dismiss}],
        "note": limit,
    }


def address_effect(count: int) -> SafeString:
    """What ending an address's sessions does."""
    shown = format_html("<b>{}</b>", ngettext("%(n)s session", "%(n)s sessions", count) % {"n": count})
    return format_html(_("Ends {sessions} that were started from there"), sessions=shown)


def effects_of(exposure: Exposure, person: str, *, lock: bool) -> list[dict[str, Any]]:
    """What containing a person does, in sentences with exact counts."""
    sessions = ngettext("%(n)s session", "%(n)s sessions", exposure.sessions) % {"n": exposure.sessions}
    tokens = ngettext("%(n)s refresh token", "%(n)s refresh tokens", exposure.refresh_families) % {
        "n": exposure.refresh_families
    }
    effects: list[dict[str, Any]] = []
    if lock:
        if exposure.is_locked:
            text = format_html(_("Leaves {person} locked"), person=format_html("<b>{}</b>", person))
        else:
            text = format_html(_("Locks {person} until somebody unlocks"), person=format_html("<b>{}</b>", person))
        effects.append({"icon": "lock", "text": text})
    if exposure.sessions:
        text = format_html(_("Ends {sessions}"), sessions=format_html("<b>{}</b>", sessions))
    else:
        text = format_html("{}", _("No session is open"))
    effects.append({"icon": "logout", "text": text})
    if exposure.refresh_families:
        text = format_html(_("Revokes {tokens}"), tokens=format_html("<b>{}</b>", tokens))
        effects.append({"icon": "token", "text": text})
    if exposure.applications:
        listed = ", ".join(exposure.applications[:SHOWN]) + ("…" if len(exposure.applications) > SHOWN else "")
        text = format_html(_("Signs out of {applications}"), applications=format_html("<b>{}</b>", listed))
        effects.append({"icon": "apps", "text": text})
    return effects


def evidence_parts(evidence: Evidence) -> list[dict[str, Any]]:
    """Bars by network, person and device; what stands alone says nothing by its length."""
    known = users_by_id(_ids(evidence.people))
    people = Counter({str(known[pk].display_name) if (pk := _id(key)) in known else key: number
                      for key, number in evidence.people.items()})  # fmt: skip
    devices: Counter[str] = Counter()
    for agent, number in evidence.devices.items():
        devices[str(device_of(agent)) if agent else _("Not told")] += number
    return [
        part
        for part in (
            _bars(_("Network"), evidence.addresses, mono=True),
            _bars(_("Person"), people),
            _bars(_("Device"), devices),
        )
        if part["rows"]
    ]


def _id(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None


def _ids(keys: Iterable[str]) -> list[UUID]:
    return [pk for key in keys if (pk := _id(key))]


def _bars(title: str, counted: Counter[str], *, mono: bool = False) -> dict[str, Any]:
    top = max(counted.values(), default=1)
    shown = counted.most_common(SHOWN)
    rows = [
        {
            "label": label or _("Unknown"),
            "mono": mono,
            "count": number,
            "share": 100 * number / top,
            "level": "crit" if number * 2 > top else "",
        }
        for label, number in shown
    ]
    rest = len(counted) - len(shown)
    if rest > 0:
        more = sum(counted.values()) - sum(number for _label, number in shown)
        label = ngettext("%(n)s more", "%(n)s more", rest) % {"n": rest}
        rows.append({"label": label, "mono": False, "count": more, "share": 100 * more / max(top, more), "level": ""})
    return {"title": title, "unit": _("tries"), "rows": rows}


def timeline(evidence: Evidence) -> Chart | None:
    """Tries over time, as bars: a burst looks like one. Nothing when all came at once."""
    if len(evidence.buckets) < 3:
        return None
    moments = [timezone.localtime(at) for at, _count in evidence.buckets]
    counts = [count for _at, count in evidence.buckets]
    by_seconds = evidence.step.total_seconds() < 60
    clock = dates.clock_seconds if by_seconds else dates.clock_time
    step = step_of(max(counts), 2)
    figure = go.Figure(
        go.Bar(
            x=[moment.replace(tzinfo=None).isoformat() for moment in moments],
            y=counts,
            marker={"color": CRITICAL},
            hovertemplate=_("%{y} tries") + "<extra></extra>",
        )
    )
    font = {"family": "Inter, sans-serif", "size": 11, "color": MUTED}
    figure.update_layout(
        showlegend=False, template="none", margin={"l": 28, "r": 8, "t": 6, "b": 22}, font=font, bargap=0.25,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", dragmode=False,
    )  # fmt: skip
    ticks = "%H:%M:%S" if by_seconds else "%H:%M"
    figure.update_xaxes(
        showgrid=False, linecolor=AXIS, showline=True, nticks=5, fixedrange=True, tickformat=ticks, hoverformat=ticks
    )
    figure.update_yaxes(
        gridcolor=GRID, zeroline=False, fixedrange=True, dtick=step, range=[0, step * 2.2], tickformat=",d"
    )
    rows = [(clock(moment), count) for moment, count in zip(moments, counts, strict=True)]
    most = max(range(len(counts)), key=lambda index: counts[index])
    summary = _("%(total)s tries, most of them at %(when)s: %(most)s.") % {
        "total": sum(counts),
        "when": clock(moments[most]),
        "most": counts[most],
    }
    note = _("tries per %(time)s") % {"time": duration(int(evidence.step.total_seconds()))}
    return Chart("tries", _("What happened"), note, figure.to_plotly_json(), summary, (_("Time"), _("Tries")), rows)


def filters(counted: dict[Severity, int], status: str, severity: str, urls: Sequence[str]) -> list[dict[str, Any]]:
    """The chips above the queue: open, each severity that is open, closed."""
    base = urls[0]
    out = [
        {
            "label": pgettext("alerts", "Open"),
            "url": base,
            "count": sum(counted.values()),
            "current": status != "closed" and not severity,
            "severity": "",
        }
    ]
    for each, label in (
        (Severity.CRITICAL, _("Critical")),
        (Severity.HIGH, _("High")),
        (Severity.MEDIUM, _("Medium")),
    ):
        if counted.get(each):
            out.append(
                {
                    "label": label,
                    "url": f"{base}?severity={each}",
                    "count": counted[each],
                    "current": severity == each,
                    "severity": str(each),
                }
            )
    closed = {"label": _("Closed"), "url": f"{base}?status=closed", "count": None, "current": status == "closed"}
    return [*out, {**closed, "severity": ""}]
