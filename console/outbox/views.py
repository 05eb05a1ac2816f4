"""The development outbox: mail and SMS that were written to files instead of sent."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.shell.fragments import render_page
from console.shell.http import ConsoleRequest
from console.shell.views import ConsoleView
from identity.courier.queries import count_waiting, outbox_messages
from identity.kernel.permissions import Permission

SHOWN = 50


class Outbox(ConsoleView):
    """The latest messages, newest first, with their links to click."""

    permission = Permission.SETTINGS_WRITE  # the query asks for users:write, too

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The page."""
        waiting = count_waiting(request.actor)
        lead = _("Mail and SMS of this realm, written to files instead of sent. Only in development.")
        if waiting:
            lead += " " + ngettext(
                "%(n)s message waits for the worker.", "%(n)s messages wait for the worker.", waiting
            ) % {"n": waiting}
        context = {
            "title": _("Outbox"),
            "lead": lead,
            "sent": outbox_messages(request.actor, limit=SHOWN),
        }
        return render_page(request, "console/outbox/page.html", context)
