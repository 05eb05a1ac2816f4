"""Creating, renaming and deleting organizations."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from console.organizations.forms import CreateForm, NameForm
from console.organizations.rows import organization_url
from console.shell.forms import ConsoleForm, TypedConfirmForm
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest, number_in
from console.shell.ids import id_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from identity.access.commands import create_organization, delete_organization, rename_organization
from identity.access.models import Organization
from identity.access.queries import ORGANIZATION, get_organization, managers_of
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.permissions import Permission


class Create(ConsoleView):
    """A group of people with a name."""

    permission = Permission.ORGANIZATIONS_WRITE

    def _dialog(self, request: ConsoleRequest, form: ConsoleForm, status: int = 200) -> HttpResponse:
        context = {
            "title": _("New organization"),
            "crumb": _("New"),
            "form": form,
            "action": reverse("console:organization_create"),
            "cancel_url": reverse("console:organizations"),
        }
        return render_dialog(request, "console/organizations/create.html", context, status=status)

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """Asks."""
        return self._dialog(request, CreateForm())

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Creates."""
        form = CreateForm(request.POST)
        if form.is_valid():
            try:
                row = create_organization(request.actor, **form.cleaned_data)
            except Invalid as error:
                form.add_refusal(error)
            else:
                text = _("%(name)s is created. Nobody belongs to it yet.") % {"name": row.name}
                url = organization_url(row, "organization_members")
                return redirect_after(request, url, with_trail(request, text, row.pk, "organization", row.name))
        return self._dialog(request, form, 422)


def _of_address(request: ConsoleRequest, public_id: str) -> Organization:
    """The organization, for one who may change it. Raises NotFound, PermissionDenied."""
    found = get_organization(request.actor, organization_id=id_from("organization", public_id))
    request.actor.require(Permission.ORGANIZATIONS_WRITE)
    return found


class Edit(ConsoleView):
    """Another name."""

    permission = Permission.ORGANIZATIONS_WRITE

    def _dialog(
        self, request: ConsoleRequest, found: Organization, form: ConsoleForm, status: int = 200
    ) -> HttpResponse:
        context = {
            "title": _("Rename %(name)s") % {"name": found.name},
            "crumb": found.name,
            "organization": found,
            "form": form,
            "action": request.path,
            "cancel_url": organization_url(found),
        }
        return render_dialog(request, "console/organizations/edit.html", context, status=status)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks."""
        found = _of_address(request, public_id)
        return self._dialog(request, found, NameForm(initial={"name": found.name}))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Renames."""
        found = _of_address(request, public_id)
        form = NameForm(request.POST)
        if form.is_valid():
            try:
                row = rename_organization(request.actor, organization_id=found.pk, name=form.cleaned_data["name"])
            except Invalid as error:
                form.add_refusal(error)
            else:
                text = _("It is called %(name)s now.") % {"name": row.name}
                return redirect_after(
                    request, organization_url(row), with_trail(request, text, row.pk, "organization", row.name)
                )
        return self._dialog(request, found, form, 422)


class Delete(ConsoleView):
    """Delete it, once its name was typed and nobody joined since the counts were shown."""

    permission = Permission.ORGANIZATIONS_WRITE

    def _dialog(
        self, request: ConsoleRequest, found: Organization, form: ConsoleForm, *, error: str = "", status: int = 200
    ) -> HttpResponse:
        effects: list[dict[str, Any]] = [
            {
                "icon": "group",
                "label": _("People who no longer belong to it"),
                "count": found.members,  # type: ignore[attr-defined]  # annotated by the query
                "key": "members",
                "note": _("their accounts stay"),
            },
            {
                "icon": "badge",
                "label": _("Managers who lose what they hold here"),
                "count": managers_of(ORGANIZATION, found.pk),
                "note": _("at their next page"),
            },
        ]
        context = {
            "title": _("Delete organization"),
            "crumb": found.name,
            "organization": found,
            "effects": effects,
            "form": form,
            "error": error,
            "action": request.path,
            "cancel_url": organization_url(found),
            "danger": True,
        }
        return render_dialog(request, "console/organizations/delete.html", context, status=status)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks for the name."""
        found = _of_address(request, public_id)
        return self._dialog(request, found, TypedConfirmForm(expected=found.name))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Deletes."""
        found = _of_address(request, public_id)
        form = TypedConfirmForm(request.POST, expected=found.name)
        if not form.is_valid():
            return self._dialog(request, found, form, status=422)
        seen = request.POST.get("seen_members", "")
        try:
            delete_organization(request.actor, organization_id=found.pk, expected_members=number_in(seen))
        except Conflict as error:
            again = _of_address(request, public_id)
            return self._dialog(request, again, form, error=str(error.message), status=409)
        text = with_trail(request, _("%(name)s is deleted.") % {"name": found.name}, found.pk, "organization")
        return redirect_after(request, reverse("console:organizations"), text)
