"""Ending a visit from the banner."""

from django.http import HttpResponse

from console.realms.rows import console_of
from console.shell.fragments import redirect_after
from console.shell.http import ConsoleRequest
from console.shell.views import ConsoleView
from identity.access.commands import end_visit
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.realms.queries import platform_realm


class End(ConsoleView):
    """Leave the realm, back to the platform's list of realms."""

    permission = Permission.CONSOLE_OPEN
    http_method_names = ["post"]

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Ends the visit that this console is open by. Whoever is no visitor has nothing to end."""
        platform, visit_id = platform_realm(), request.actor.visit_id
        if platform is None or visit_id is None:
            raise NotFound
        end_visit(request.actor, realm_id=request.realm.pk, visit_id=visit_id)
        return redirect_after(request, f"{console_of(platform)}realms")
