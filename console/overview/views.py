"""The overview: decisions, figures, sign-ins, top applications, the live feed. Each part as far as one may see it."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.alerts import wording
from console.live.rows import feed_context
from console.overview import figures
from console.shell.fragments import render_page
from console.shell.http import ConsoleRequest
from console.shell.views import ConsoleView
from console.templatetags.rk import ago
from identity.accounts.queries import find_users
from identity.kernel.permissions import Permission
from identity.security.models import Alert
from identity.security.queries import count_open, open_alerts

ALERTS_SHOWN = 3


class Overview(ConsoleView):
    """The first page. `?range=` chooses the span of the figures; htmx gets those alone."""

    permission = Permission.CONSOLE_OPEN

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The page, or the figures of another span."""
        actor = request.actor
        span = figures.span_named(request.GET.get("range", ""))
        context: dict[str, Any] = {
            "title": _("Overview"),
            "ranges": [
                {"label": each.label, "url": f"?range={each.name}", "current": each.name == span.name}
                for each in figures.SPANS
            ],
            "span": span,
            # Asked for by the feed: figures and decisions follow, charts stand still until they are asked for.
            "is_live": "live" in request.GET,
        }
        if actor.can(Permission.SESSIONS_READ):
            context["kpis"] = figures.key_figures(actor, span)
            context["chart"] = figures.signins(actor, request.realm, span)
        if actor.can(Permission.APPLICATIONS_READ):
            context["applications"] = figures.top_applications(actor, span)
        if actor.can(Permission.ALERTS_READ):
            counted = sum(count_open(actor).values())
            shown = open_alerts(actor, limit=ALERTS_SHOWN)
            waiting = find_users(actor, status="pending").count() if actor.can(Permission.USERS_INVITE) else 0
            attention = [self._row(request, alert, position) for position, alert in enumerate(shown)]
            if waiting:
                attention.append(_waiting_row(waiting, primary=not attention))
            context |= {
                "attention": attention,
                "total": counted,
                "queue_url": reverse("console:alerts"),
                "lead": _lead(counted, waiting),
            }
        context["sees_nothing"] = not {"kpis", "applications", "attention"} & context.keys()
        context |= feed_context(request)
        return render_page(request, "console/overview/page.html", context, fragment="figures")

    @staticmethod
    def _row(request: ConsoleRequest, alert: Alert, position: int) -> dict[str, Any]:
        return {
            "severity": alert.severity,
            "title": wording.full_title(alert, request.actor.can),
            "meta": f"{wording.meta_of(alert)} · {ago(alert.raised_at)}",
            "url": wording.alert_url(alert),
            "action": _("Review"),
            # One primary button on the page: the gravest alert's.
            "primary": position == 0,
        }


def _waiting_row(people: int, *, primary: bool) -> dict[str, Any]:
    return {
        "severity": "medium",
        "title": _waiting(people),
        "meta": _("Until then nobody gets in with these accounts."),
        "url": f"{reverse('console:users')}?status=pending",
        "action": _("Review"),
        "primary": primary,
    }


def _waiting(people: int) -> str:
    return ngettext("%(n)s account waits for approval", "%(n)s accounts wait for approval", people) % {"n": people}


def _lead(alerts: int, waiting: int) -> str:
    if waiting and not alerts:
        return f"{_waiting(waiting)}."
    if not alerts:
        return _("Nothing needs a decision.")
    return ngettext("%(n)s alert needs a decision.", "%(n)s alerts need a decision.", alerts) % {"n": alerts}
