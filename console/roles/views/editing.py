"""Creating, changing and deleting the realm's own roles."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.roles.forms import ApplicationRoleForm, ConsoleRoleForm, RenameRoleForm
from console.roles.rows import KIND, role_url
from console.shell.forms import ConsoleForm
from console.shell.fragments import redirect_after, render_dialog, render_page
from console.shell.http import ConsoleRequest, number_in
from console.shell.ids import id_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from identity.access.commands import change_role, create_role, delete_role
from identity.access.models import Role, RoleKind
from identity.access.queries import get_role
from identity.applications.queries import find_applications
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.permissions import Permission


class Create(ConsoleView):
    """A role of the realm's own."""

    permission = Permission.ROLES_WRITE

    def _form(self, request: ConsoleRequest, kind: str, data: Any = None) -> Any:
        if kind == RoleKind.CONSOLE:
            return ConsoleRoleForm(data, actor=request.actor, platform=request.realm.is_platform)
        initial = {"application": request.GET.get("application", "")}
        return ApplicationRoleForm(data, initial=initial, applications=_applications(request))

    def _page(self, request: ConsoleRequest, kind: str, form: ConsoleForm, status: int = 200) -> HttpResponse:
        console = kind == RoleKind.CONSOLE
        title = _("New console role") if console else _("New application role")
        return render_page(
            request,
            "console/roles/form.html",
            {
                "title": title,
                "crumb": title,
                "form": form,
                "kind": kind,
                "is_console": console,
                "action": reverse("console:role_create") + f"?{KIND}={kind}",
                "cancel_url": reverse("console:roles") + ("" if console else f"?{KIND}=application"),
                "submit": _("Create role"),
            },
            status=status,
        )

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The empty form."""
        kind = _kind(request)
        return self._page(request, kind, self._form(request, kind))

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Creates it."""
        kind = _kind(request)
        form = self._form(request, kind, request.POST)
        if form.is_valid():
            fields = dict(form.cleaned_data)
            chosen = fields.pop("application", "")
            try:
                role = create_role(
                    request.actor,
                    kind=kind,
                    application_id=id_from("application", chosen) if chosen else None,
                    **fields,
                )
            except Invalid as error:
                form.add_refusal(error)
            else:
                text = _("The role %(name)s is created. Nobody holds it yet.") % {"name": role.name}
                return redirect_after(request, role_url(role), with_trail(request, text, role.pk, "role", role.name))
        return self._page(request, kind, form, 422)


def _kind(request: HttpRequest) -> str:
    return RoleKind.APPLICATION if request.GET.get(KIND) == RoleKind.APPLICATION else RoleKind.CONSOLE


def _applications(request: ConsoleRequest) -> list[Any]:
    actor = request.actor
    return list(find_applications(actor)[:200]) if actor.can_somewhere(Permission.APPLICATIONS_READ) else []


class Edit(ConsoleView):
    """Change a role of the realm's own."""

    permission = Permission.ROLES_WRITE
    fresh = True

    def _page(self, request: ConsoleRequest, role: Role, form: ConsoleForm, status: int = 200) -> HttpResponse:
        return render_page(
            request,
            "console/roles/form.html",
            {
                "title": _("Edit %(name)s") % {"name": role.name},
                "crumb": role.name,
                "form": form,
                "kind": role.kind,
                "is_console": role.kind == RoleKind.CONSOLE,
                "holders": role.holders,  # type: ignore[attr-defined]
                "action": role_url(role, "role_edit"),
                "cancel_url": role_url(role),
                "submit": _("Save role"),
            },
            status=status,
        )

    def _form(self, request: ConsoleRequest, role: Role, data: Any = None) -> Any:
        initial = {"name": role.name, "description": role.description, "permissions": role.permissions}
        if role.kind == RoleKind.CONSOLE:
            return ConsoleRoleForm(data, initial=initial, actor=request.actor, platform=request.realm.is_platform)
        return RenameRoleForm(data, initial=initial)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The form as it is."""
        role = _own_role(request, public_id)
        return self._page(request, role, self._form(request, role))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Saves it."""
        role = _own_role(request, public_id)
        form = self._form(request, role, request.POST)
        if form.is_valid():
            try:
                changed = change_role(request.actor, role_id=role.pk, **form.cleaned_data)
            except Invalid as error:
                form.add_refusal(error)
            else:
                holders: int = role.holders  # type: ignore[attr-defined]
                text = ngettext(
                    "The role %(name)s is saved, for %(n)s person from the next page on.",
                    "The role %(name)s is saved, for %(n)s people from their next page on.",
                    holders,
                ) % {"name": changed.name, "n": holders}
                return redirect_after(request, role_url(role), with_trail(request, text, role.pk, "role", role.name))
        return self._page(request, role, form, 422)


def _own_role(request: ConsoleRequest, public_id: str) -> Role:
    """A role that can be edited. Raises NotFound, Conflict (built in)."""
    role = get_role(request.actor, role_id=id_from("role", public_id))
    if role.built_in:
        raise Conflict(_("Built-in roles can’t be changed. Create a role of your own."), code="built_in_role")
    return role


class Delete(ConsoleView):
    """Delete a role of the realm's own, with how many people lose it."""

    permission = Permission.ROLES_WRITE

    def _dialog(self, request: ConsoleRequest, role: Role, error: str = "", status: int = 200) -> HttpResponse:
        holders: int = role.holders  # type: ignore[attr-defined]
        console = role.kind == RoleKind.CONSOLE
        effects = [
            {
                "icon": "group",
                "label": _("People lose it"),
                "count": holders,
                "key": "holders",
                "note": _("at their next page") if console else _("in tokens issued from now on"),
            },
        ]
        return render_dialog(
            request,
            "console/roles/delete.html",
            {
                "title": _("Delete role"),
                "crumb": role.name,
                "role": role,
                "is_console": console,
                "effects": effects,
                "error": error,
                "action": role_url(role, "role_delete"),
                "cancel_url": role_url(role),
                "danger": True,
            },
            status=status,
        )

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks."""
        return self._dialog(request, _own_role(request, public_id))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Deletes it, unless more people hold it than the admin saw."""
        role = _own_role(request, public_id)
        seen = request.POST.get("seen_holders", "")
        try:
            holders = delete_role(request.actor, role_id=role.pk, expected_holders=number_in(seen))
        except Conflict as error:
            return self._dialog(request, _own_role(request, public_id), str(error.message), 409)
        text = ngettext(
            "The role %(name)s is deleted. %(n)s person held it.",
            "The role %(name)s is deleted. %(n)s people held it.",
            holders,
        ) % {"name": role.name, "n": holders}
        url = reverse("console:roles") + ("" if role.kind == RoleKind.CONSOLE else f"?{KIND}=application")
        return redirect_after(request, url, with_trail(request, text, role.pk, "role", role.name))
