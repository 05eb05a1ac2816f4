"""What a role asks of its holders before it counts."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.roles.forms import RequirementsForm
from console.roles.rows import role_title, role_url
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from identity.access.commands import set_role_requirements
from identity.access.models import Role
from identity.access.queries import get_role, unmet_by
from identity.kernel.errors import Conflict
from identity.kernel.permissions import Permission


class Requirements(ConsoleView):
    """Also for built-in roles: what they allow is fixed, what they ask for is the realm's."""

    permission = Permission.ROLES_WRITE
    fresh = True

    def _dialog(
        self,
        request: ConsoleRequest,
        role: Role,
        form: RequirementsForm,
        error: str = "",
        hit: int = 0,
        status: int = 200,
    ) -> HttpResponse:
        said = ngettext(
            "%(n)s person who holds it gets nothing from it until then.",
            "%(n)s people who hold it get nothing from it until then.",
            hit,
        ) % {"n": hit}
        context = {
            "title": _("Requirements"),
            "crumb": role_title(role),
            "role": role,
            "role_title": role_title(role),
            "form": form,
            "error": error,
            "hit": said if hit else "",
            "seen": f"{','.join(form.data.getlist('requirements'))}:{hit}" if form.is_bound else "",
            "action": role_url(role, "role_requirements"),
            "cancel_url": role_url(role),
        }
        return render_dialog(request, "console/roles/requirements.html", context, status=status)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """As it is."""
        role = get_role(request.actor, role_id=id_from("role", public_id))
        return self._dialog(request, role, RequirementsForm(initial={"requirements": role.requirements}))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Says first whom it hits, then saves."""
        role = get_role(request.actor, role_id=id_from("role", public_id))
        form = RequirementsForm(request.POST)
        if not form.is_valid():
            return self._dialog(request, role, form, status=422)
        wanted: list[str] = form.cleaned_data["requirements"]
        added = any(word not in role.requirements for word in wanted)
        hit = unmet_by(role.pk, wanted) if added else 0
        if hit and request.POST.get("seen") != f"{','.join(wanted)}:{hit}":
            return self._dialog(request, role, form, hit=hit, status=422)
        try:
            set_role_requirements(request.actor, role_id=role.pk, requirements=wanted)
        except Conflict as error:
            return self._dialog(request, role, form, error=str(error.message), status=409)
        text: Any = _("What the role %(name)s asks for is saved.") % {"name": role_title(role)}
        return redirect_after(request, role_url(role), with_trail(request, text, role.pk, "role", role.name))
