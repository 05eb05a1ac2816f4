"""The list of applications."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.applications.forms import TYPES
from console.applications.rows import row_of
from console.savedviews.tabs import open_list
from console.shell.fragments import render_page
from console.shell.http import ConsoleRequest
from console.shell.lists import Filter, ListState, Option, paginate
from console.shell.views import ConsoleView
from identity.applications.models import ApplicationStatus
from identity.applications.queries import find_applications
from identity.kernel.permissions import Permission

FILTERS = (
    Filter(
        "status",
        gettext_lazy("Status"),
        (
            Option(ApplicationStatus.ACTIVE, gettext_lazy("Active")),
            Option(ApplicationStatus.DISABLED, gettext_lazy("Disabled")),
        ),
    ),
    Filter("type", gettext_lazy("Type"), tuple(Option(value, label) for value, label in TYPES)),
)


class Applications(ConsoleView):
    """Search, filters and a selection to disable."""

    permission = Permission.APPLICATIONS_READ

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The list."""
        state = ListState(request, FILTERS)
        leave = open_list(request, state, "applications")
        if leave is not None:
            return leave
        rows = find_applications(
            request.actor, search=state.search, status=state.get("status"), type_=state.get("type")
        )
        page = paginate(state, rows, order=("-id",))
        page.rows[:] = [row_of(application, request.actor) for application in page.rows]
        may_write = request.actor.can(Permission.APPLICATIONS_WRITE)
        disable = {
            "label": _("Disable"),
            "url": reverse("console:applications_disable"),
            "icon": "pause_circle",
            "ellipsis": True,
        }
        return render_page(
            request,
            "console/applications/list.html",
            {
                "title": _("Applications"),
                "lead": _("What people of this realm sign in to, and what calls its APIs."),
                "state": state,
                "page": page,
                "may_write": may_write,
                "create_url": reverse("console:application_create"),
                "bulk_actions": [disable] if may_write else [],
            },
            fragment="results",
        )
