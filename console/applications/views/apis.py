"""APIs (resource servers) of the realm and their scopes."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from console.applications.forms import ApiForm, EditScopeForm, ScopeForm
from console.shell.forms import ConsoleForm
from console.shell.fragments import redirect_after, render_dialog, render_page
from console.shell.http import ConsoleRequest
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from identity.applications.commands import (
    change_scope,
    create_resource_server,
    create_scope,
    delete_resource_server,
    delete_scope,
)
from identity.applications.models import ResourceServer, Scope
from identity.applications.queries import get_resource_server, get_scope, resource_servers, scope_use
from identity.kernel.errors import Invalid
from identity.kernel.permissions import Permission


class Apis(ConsoleView):
    """Each API with its scopes."""

    permission = Permission.APPLICATIONS_READ

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The page."""
        context = {
            "title": _("APIs"),
            "lead": _("Each API has scopes that applications ask for. Its identifier is the audience of their tokens."),
            "apis": resource_servers(request.actor),
            "may_write": request.actor.can(Permission.APPLICATIONS_WRITE),
        }
        return render_page(request, "console/applications/apis.html", context)


class _FormDialog(ConsoleView):
    """A form in a dialog that leads back to the APIs."""

    permission = Permission.APPLICATIONS_WRITE

    def dialog(
        self, request: ConsoleRequest, form: ConsoleForm, *, title: str, submit: str, status: int = 200, **extra: Any
    ) -> HttpResponse:
        """The dialog."""
        context = {
            "title": title,
            "crumb": title,
            "form": form,
            "submit": submit,
            "action": request.path,
            "cancel_url": reverse("console:apis"),
            **extra,
        }
        return render_dialog(request, "console/applications/api_form.html", context, status=status)


class CreateApi(_FormDialog):
    """Add an API."""

    def _ask(self, request: ConsoleRequest, form: ApiForm, status: int = 200) -> HttpResponse:
        return self.dialog(request, form, title=_("Add API"), submit=_("Add API"), status=status)

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """Asks."""
        return self._ask(request, ApiForm())

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Adds it."""
        form = ApiForm(request.POST)
        if form.is_valid():
            try:
                server = create_resource_server(request.actor, **form.cleaned_data)
            except Invalid as error:
                form.add_refusal(error)
            else:
                text = with_trail(request, _("%(name)s is added.") % {"name": server.name}, server.pk)
                return redirect_after(request, reverse("console:apis"), text)
        return self._ask(request, form, 422)


class CreateScope(_FormDialog):
    """Add a scope to an API."""

    def _ask(self, request: ConsoleRequest, server: ResourceServer, form: ScopeForm, status: int = 200) -> HttpResponse:
        title = _("Add a scope to %(name)s") % {"name": server.name}
        return self.dialog(request, form, title=title, submit=_("Add scope"), status=status)

    def get(self, request: ConsoleRequest, api_id: UUID) -> HttpResponse:
        """Asks."""
        return self._ask(request, get_resource_server(request.actor, resource_server_id=api_id), ScopeForm())

    def post(self, request: ConsoleRequest, api_id: UUID) -> HttpResponse:
        """Adds it."""
        server = get_resource_server(request.actor, resource_server_id=api_id)
        form = ScopeForm(request.POST)
        if form.is_valid():
            try:
                scope = create_scope(request.actor, resource_server_id=server.pk, **form.cleaned_data)
            except Invalid as error:
                form.add_refusal(error)
            else:
                text = with_trail(request, _("The scope %(name)s is added.") % {"name": scope.name}, scope.pk)
                return redirect_after(request, reverse("console:apis"), text)
        return self._ask(request, server, form, 422)


class EditScope(_FormDialog):
    """Change how a scope is explained."""

    def _ask(self, request: ConsoleRequest, scope: Scope, form: EditScopeForm, status: int = 200) -> HttpResponse:
        return self.dialog(request, form, title=scope.name, submit=_("Save scope"), status=status)

    def get(self, request: ConsoleRequest, scope_id: UUID) -> HttpResponse:
        """Asks."""
        scope = get_scope(request.actor, scope_id=scope_id)
        initial = {"title": scope.title, "description": scope.description, "sensitive": scope.sensitive}
        return self._ask(request, scope, EditScopeForm(initial=initial))

    def post(self, request: ConsoleRequest, scope_id: UUID) -> HttpResponse:
        """Saves it."""
        scope = get_scope(request.actor, scope_id=scope_id)
        form = EditScopeForm(request.POST)
        if not form.is_valid():
            return self._ask(request, scope, form, 422)
        change_scope(request.actor, scope_id=scope.pk, **form.cleaned_data)
        text = with_trail(request, _("The scope %(name)s is saved.") % {"name": scope.name}, scope.pk)
        return redirect_after(request, reverse("console:apis"), text)


class DeleteScope(ConsoleView):
    """Delete a scope of an API."""

    permission = Permission.APPLICATIONS_WRITE

    def get(self, request: ConsoleRequest, scope_id: UUID) -> HttpResponse:
        """Asks, with how many applications ask for it."""
        scope = get_scope(request.actor, scope_id=scope_id)
        context = {
            "title": _("Delete scope"),
            "crumb": scope.name,
            "what": scope.name,
            "effects": [
                {"icon": "apps", "label": _("Applications that ask for it"), "count": scope_use([scope.name])},
            ],
            "action": request.path,
            "cancel_url": reverse("console:apis"),
            "danger": True,
        }
        return render_dialog(request, "console/applications/api_delete.html", context)

    def post(self, request: ConsoleRequest, scope_id: UUID) -> HttpResponse:
        """Deletes it."""
        scope = get_scope(request.actor, scope_id=scope_id)
        delete_scope(request.actor, scope_id=scope.pk)
        text = with_trail(request, _("The scope %(name)s is deleted.") % {"name": scope.name}, scope.pk)
        return redirect_after(request, reverse("console:apis"), text)


class DeleteApi(ConsoleView):
    """Remove an API with its scopes."""

    permission = Permission.APPLICATIONS_WRITE

    def get(self, request: ConsoleRequest, api_id: UUID) -> HttpResponse:
        """Asks, with what goes along."""
        server = get_resource_server(request.actor, resource_server_id=api_id)
        names = [scope.name for scope in server.scopes.all()]
        context = {
            "title": _("Remove API"),
            "crumb": server.name,
            "what": server.name,
            "effects": [
                {"icon": "key_vertical", "label": _("Scopes that go along"), "count": len(names)},
                {"icon": "apps", "label": _("Applications that ask for one of them"), "count": scope_use(names)},
            ],
            "action": request.path,
            "cancel_url": reverse("console:apis"),
            "danger": True,
        }
        return render_dialog(request, "console/applications/api_delete.html", context)

    def post(self, request: ConsoleRequest, api_id: UUID) -> HttpResponse:
        """Removes it."""
        server = get_resource_server(request.actor, resource_server_id=api_id)
        delete_resource_server(request.actor, resource_server_id=server.pk)
        text = with_trail(request, _("%(name)s is removed.") % {"name": server.name}, server.pk)
        return redirect_after(request, reverse("console:apis"), text)
