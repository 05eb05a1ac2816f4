"""The Security page: the queue and one alert beside it, and what can be done about it."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_htmx.http import trigger_client_event

from console.alerts import cards, wording
from console.live.rows import feed_context
from console.shell.forms import ConsoleForm
from console.shell.fragments import close_dialog, redirect_after, render_dialog, render_page, with_toast
from console.shell.http import ConsoleRequest, number_in, wants_fragment
from console.shell.views import ConsoleView
from identity.kernel.errors import Conflict, NotFound
from identity.kernel.events import Severity
from identity.kernel.ids import parse_public_id, public_id
from identity.kernel.permissions import Permission
from identity.security.commands import contain_address, contain_person, dismiss_alert, take_alert
from identity.security.models import Alert, AlertStatus
from identity.security.queries import (
    active_sessions,
    address_of,
    count_open,
    exposure_of,
    find_alerts,
    get_alert,
    open_alerts,
)

CLOSED_BESIDE = 5
CLOSED_SHOWN = 50


def _alert(request: ConsoleRequest, public_id: str) -> Alert:
    pk = parse_public_id("alert", public_id)
    if pk is None:
        raise NotFound
    return get_alert(request.actor, alert_id=pk)


class Alerts(ConsoleView):
    """The queue with its first alert open."""

    permission = Permission.ALERTS_READ

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The page."""
        return _page(request, None)


class AlertDetail(ConsoleView):
    """The same page with this alert open; htmx gets the alert alone."""

    permission = Permission.ALERTS_READ

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The page, or the alert's card."""
        return _page(request, _alert(request, public_id))


def _page(request: ConsoleRequest, opened: Alert | None) -> HttpResponse:
    status = "closed" if request.GET.get("status") == "closed" else ""
    severity = request.GET.get("severity", "")
    severity = severity if severity in set(Severity) else ""
    queue = list(find_alerts(request.actor, status="closed")[:CLOSED_SHOWN]) if status else open_alerts(request.actor)
    if severity:
        queue = [alert for alert in queue if alert.severity == severity]
    current = opened or (queue[0] if queue else None)
    context: dict[str, Any] = {"title": _("Security"), "refresh_url": _refresh_url(current, status, severity)}
    if current is not None:
        context |= cards.detail(request.actor, current, request.realm)
    is_live = "live" in request.GET
    if wants_fragment(request) and opened is not None and not is_live:
        context["title"] = str(opened)
        return render_page(request, "console/alerts/page.html", context, fragment="alert")
    counted = count_open(request.actor)
    beside = [] if status else list(find_alerts(request.actor, status="closed")[:CLOSED_BESIDE])
    number = sum(counted.values())
    context |= {
        "crumb": str(opened) if opened else "",
        "lead": ngettext("%(n)s alert needs a decision.", "%(n)s alerts need a decision.", number) % {"n": number}
        if number
        else _("Nothing needs a decision."),
        "summary": ngettext("%(n)s open", "%(n)s open", number) % {"n": number},
        "alerts": cards.queue_rows(queue, current, request.actor),
        "closed": cards.queue_rows(beside, current, request.actor),
        "filters": cards.filters(counted, status, severity, [reverse("console:alerts")]),
    }
    if wants_fragment(request) and is_live:
        return render_page(request, "console/alerts/page.html", context, fragment="board")
    return render_page(request, "console/alerts/page.html", {**context, **feed_context(request)}, fragment="alert")


def _refresh_url(current: Alert | None, status: str, severity: str) -> str:
    """Where the same view is asked for anew after an act: the alert that is open stays open, whatever became of it."""
    kept = {"live": "1", "status": status, "severity": severity}
    asked = urlencode({name: value for name, value in kept.items() if value})
    return f"{wording.alert_url(current) if current is not None else reverse('console:alerts')}?{asked}"


def _stay(request: ConsoleRequest, alert: Alert, text: str, became: str) -> HttpResponse:
    """After an act on an alert: everybody stays where he is. The dialog closes, rows of the alert tell what became of
    it, and pages that show decisions ask for theirs anew. Without scripts, the alert's own page."""
    url = wording.alert_url(alert)
    if not wants_fragment(request):
        return redirect_after(request, url, text)
    values = {"became": became, "alert": public_id("alert", alert.pk), "alert_url": url, "oob": True}
    response = HttpResponse(render_to_string("rk/feed/became.html", values, request))
    response = with_toast(close_dialog(response), text, link=(url, _("See alert")))
    return trigger_client_event(response, "rk:alerts", {})


class DismissForm(ConsoleForm):
    """Why it was no trouble."""

    note = forms.CharField(
        label=gettext_lazy("Why it was expected"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("The others read this beside the alert."),
    )


class Contain(ConsoleView):
    """Lock the person and end what is signed in; `?only=sessions` leaves the account open."""

    permission = Permission.ALERTS_ACT

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The dialog, with counts of this moment."""
        return self._dialog(request, _alert(request, public_id))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Do it, unless it would by now hit more than was shown."""
        alert = _alert(request, public_id)
        seen = request.POST.get("seen_sessions", "")
        expected = number_in(seen)
        try:
            if alert.user_id is None:
                done = contain_address(request.actor, alert_id=alert.pk, expected_sessions=expected)
            else:
                lock = request.GET.get("only") != "sessions"
                done = contain_person(request.actor, alert_id=alert.pk, lock=lock, expected_sessions=expected)
        except Conflict as error:
            return self._dialog(request, alert, notice=str(error.message), status=409)
        ended = ngettext("%(n)s session ended.", "%(n)s sessions ended.", done.sessions_ended) % {
            "n": done.sessions_ended
        }
        person = _("%(person)s is locked.") % {"person": wording.person_of(alert)} if done.locked else ""
        told = f"{ended} {person}".strip()
        return _stay(request, alert, told, _("Contained: %(what)s") % {"what": told})

    def _dialog(self, request: ConsoleRequest, alert: Alert, *, notice: str = "", status: int = 200) -> HttpResponse:
        if alert.user_id is None and not address_of(alert):
            raise NotFound
        only_sessions = request.GET.get("only") == "sessions" or alert.user_id is None
        effects: list[dict[str, Any]] = []
        if alert.user_id is None:
            count = active_sessions(alert.realm_id, ip=address_of(alert)).count()
            effects.append(_effect("logout", _("Sessions from this address"), count, _("end at once"), "sessions"))
        else:
            exposure = exposure_of(request.actor, alert)
            count = exposure.sessions
            if not only_sessions and not exposure.is_locked:
                effects.append(_effect("lock", _("Account"), 1, _("locked until somebody unlocks it")))
            effects += [
                _effect("logout", _("Sessions"), exposure.sessions, _("end at once"), "sessions"),
                _effect("token", _("Refresh tokens"), exposure.refresh_families, _("revoked")),
                _effect("apps", _("Applications"), len(exposure.applications), ", ".join(exposure.applications[:3])),
            ]
        context = {
            "current": alert,
            "person": wording.person_of(alert) or address_of(alert),
            "only_sessions": only_sessions,
            "sessions": count,
            "effects": effects,
            "notice": notice,
            "is_closed": alert.status != AlertStatus.OPEN,
            "action": request.get_full_path(),
            "cancel_url": wording.alert_url(alert),
            "danger": True,
            "token_lifetime": request.realm.setting("access_token_lifetime"),
        }
        return render_dialog(request, "console/alerts/contain.html", context, status=status)


def _effect(icon: str, label: str, count: int, note: str, key: str = "") -> dict[str, Any]:
    return {"icon": icon, "label": label, "count": count, "note": note if count else "", "key": key}


class Dismiss(ConsoleView):
    """Close the alert as expected."""

    permission = Permission.ALERTS_ACT

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The dialog."""
        return self._dialog(request, _alert(request, public_id), DismissForm())

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Close it."""
        alert = _alert(request, public_id)
        form = DismissForm(request.POST)
        if not form.is_valid():
            return self._dialog(request, alert, form, status=422)
        try:
            dismiss_alert(request.actor, alert_id=alert.pk, note=form.cleaned_data["note"])
        except Conflict as error:
            form.add_refusal(error)
            return self._dialog(request, alert, form, status=409)
        return _stay(request, alert, _("%(alert)s is dismissed.") % {"alert": alert}, _("Dismissed"))

    def _dialog(self, request: ConsoleRequest, alert: Alert, form: DismissForm, *, status: int = 200) -> HttpResponse:
        context = {
            "current": alert,
            "alert_title": wording.title_of(alert),
            "form": form,
            "action": request.get_full_path(),
            "cancel_url": wording.alert_url(alert),
        }
        return render_dialog(request, "console/alerts/dismiss.html", context, status=status)


class Take(ConsoleView):
    """Say that one looks after it."""

    permission = Permission.ALERTS_ACT

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Take it; the others see who is on it."""
        alert = take_alert(request.actor, alert_id=_alert(request, public_id).pk)
        return redirect_after(request, wording.alert_url(alert), _("%(alert)s is yours.") % {"alert": alert})
