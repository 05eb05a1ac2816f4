"""Which applications act for an API: they may ask whether the tokens for it are still good."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from console.applications.forms import ApiClientForm
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from identity.applications.commands import let_act_for
from identity.applications.models import Application, ResourceServer
from identity.applications.queries import get_application, get_resource_server, may_act_for
from identity.kernel.errors import Invalid, NotFound
from identity.kernel.permissions import Permission


class AddApiClient(ConsoleView):
    """Let an application act for an API."""

    permission = Permission.APPLICATIONS_WRITE

    def _ask(
        self, request: ConsoleRequest, server: ResourceServer, form: ApiClientForm, status: int = 200
    ) -> HttpResponse:
        context = {
            "title": _("Let an application act for %(name)s") % {"name": server.name},
            "crumb": server.name,
            "form": form,
            "submit": _("Let it act"),
            "action": request.path,
            "cancel_url": reverse("console:apis"),
        }
        return render_dialog(request, "console/applications/api_form.html", context, status=status)

    def get(self, request: ConsoleRequest, api_id: UUID) -> HttpResponse:
        """Asks which one."""
        server = get_resource_server(request.actor, resource_server_id=api_id)
        return self._ask(
            request, server, ApiClientForm(candidates=may_act_for(request.actor, resource_server_id=api_id))
        )

    def post(self, request: ConsoleRequest, api_id: UUID) -> HttpResponse:
        """Binds it."""
        server = get_resource_server(request.actor, resource_server_id=api_id)
        form = ApiClientForm(request.POST, candidates=may_act_for(request.actor, resource_server_id=api_id))
        if form.is_valid():
            try:
                application = let_act_for(
                    request.actor, application_id=UUID(form.cleaned_data["application"]), resource_server_id=server.pk
                )
            except Invalid as error:
                form.add_refusal(error)
            else:
                words = {"name": application.name, "api": server.name}
                text = with_trail(request, _("%(name)s acts for %(api)s.") % words, application.pk)
                return redirect_after(request, reverse("console:apis"), text)
        return self._ask(request, server, form, 422)


class RemoveApiClient(ConsoleView):
    """Let an application no longer act for an API."""

    permission = Permission.APPLICATIONS_WRITE

    @staticmethod
    def _bound(request: ConsoleRequest, api_id: UUID, application_id: UUID) -> Application:
        """Raises NotFound if it does not act for this API."""
        application = get_application(request.actor, application_id=application_id)
        if application.acts_for_id != api_id:
            raise NotFound
        return application

    def get(self, request: ConsoleRequest, api_id: UUID, application_id: UUID) -> HttpResponse:
        """Asks."""
        application = self._bound(request, api_id, application_id)
        context = {
            "title": _("Stop acting for the API"),
            "crumb": application.name,
            "what": application.name,
            "action": request.path,
            "cancel_url": reverse("console:apis"),
            "danger": True,
        }
        return render_dialog(request, "console/applications/api_client_remove.html", context)

    def post(self, request: ConsoleRequest, api_id: UUID, application_id: UUID) -> HttpResponse:
        """Unbinds it."""
        application = self._bound(request, api_id, application_id)
        let_act_for(request.actor, application_id=application.pk, resource_server_id=None)
        text = with_trail(
            request, _("%(name)s no longer acts for the API.") % {"name": application.name}, application.pk
        )
        return redirect_after(request, reverse("console:apis"), text)
