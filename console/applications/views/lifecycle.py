"""Disabling, enabling and deleting applications, with what each hits."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.applications.rows import application_url
from console.shell.forms import TypedConfirmForm
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest, number_in
from console.shell.ids import id_from, ids_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from identity.applications.commands import (
    delete_application,
    disable_application,
    disable_applications,
    enable_application,
)
from identity.applications.models import Application
from identity.applications.queries import Impact, get_application, impact_of
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.permissions import Permission


def effects_of(impact: Impact) -> list[dict[str, Any]]:
    """Lines of the dialog, counted when it opens."""
    return [
        {"icon": "group", "label": _("People signed in to it"), "count": impact.people, "key": "people"},
        {"icon": "sync", "label": _("Refresh tokens that stop"), "count": impact.families, "key": "families"},
        {"icon": "handshake", "label": _("Consents"), "count": impact.consents, "key": "consents"},
        {"icon": "key", "label": _("Client secrets"), "count": impact.secrets, "key": "secrets"},
    ]


class _Act(ConsoleView):
    """A dialog about one application."""

    permission = Permission.APPLICATIONS_WRITE
    template = ""
    danger = False

    def application(self, request: ConsoleRequest, public_id: str) -> Application:
        """The application of the address, for one who may do this. Raises NotFound, PermissionDenied."""
        return get_application(
            request.actor, application_id=id_from("application", public_id), permission=self.permission
        )

    def dialog(
        self, request: ConsoleRequest, application: Application, *, status: int = 200, **extra: Any
    ) -> HttpResponse:
        """The dialog with fresh counts."""
        context = {
            "title": application.name,
            "crumb": application.name,
            "application": application,
            "effects": effects_of(impact_of(request.actor, application_id=application.pk)),
            "minutes": int(request.realm.setting("access_token_lifetime")) // 60,
            "action": request.path,
            "cancel_url": application_url(application),
            "disable_url": application_url(application, "application_disable"),
            "danger": self.danger,
            **extra,
        }
        return render_dialog(request, self.template, context, status=status)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks."""
        return self.dialog(request, self.application(request, public_id))


class Disable(_Act):
    """Refuse it everywhere, with a way back."""

    template = "console/applications/disable.html"

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Disables it."""
        application = self.application(request, public_id)
        try:
            disable_application(request.actor, application_id=application.pk)
        except Conflict as error:
            return self.dialog(request, application, error=str(error.message), status=409)
        text = with_trail(request, _("%(name)s is disabled.") % {"name": application.name}, application.pk)
        return redirect_after(request, application_url(application), text)


class Enable(_Act):
    """Let it work again."""

    template = "console/applications/enable.html"

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Enables it."""
        application = self.application(request, public_id)
        try:
            enable_application(request.actor, application_id=application.pk)
        except Conflict as error:
            return self.dialog(request, application, error=str(error.message), status=409)
        text = with_trail(request, _("%(name)s works again.") % {"name": application.name}, application.pk)
        return redirect_after(request, application_url(application), text)


class Delete(_Act):
    """Delete it, once its name was typed and nothing grew since the counts were shown."""

    permission = Permission.APPLICATIONS_DELETE
    fresh = True
    template = "console/applications/delete.html"
    danger = True

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks for the name."""
        application = self.application(request, public_id)
        return self.dialog(request, application, form=TypedConfirmForm(expected=application.name))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Deletes it."""
        application = self.application(request, public_id)
        form = TypedConfirmForm(request.POST, expected=application.name)
        if not form.is_valid():
            return self.dialog(request, application, form=form, status=422)
        impact = impact_of(request.actor, application_id=application.pk)
        seen = request.POST.get("seen_people", "")
        if (before := number_in(seen)) is not None and impact.people > before:
            grown = _("Meanwhile %(n)s people are signed in. Look at the numbers again.") % {"n": impact.people}
            return self.dialog(request, application, form=form, error=grown, status=409)
        try:
            delete_application(request.actor, application_id=application.pk, typed_name=form.cleaned_data["confirm"])
        except Invalid as error:
            form.add_refusal(error)
            return self.dialog(request, application, form=form, status=422)
        text = with_trail(request, _("%(name)s is deleted.") % {"name": application.name}, application.pk)
        return redirect_after(request, reverse("console:applications"), text)


class DisableMany(ConsoleView):
    """Disable a selection: all of it or nothing."""

    permission = Permission.APPLICATIONS_WRITE

    def _dialog(self, request: ConsoleRequest, ids: list[UUID], texts: list[str]) -> HttpResponse:
        chosen = [get_application(request.actor, application_id=pk) for pk in ids]
        impacts = [impact_of(request.actor, application_id=pk) for pk in ids]
        total = Impact(
            people=sum(i.people for i in impacts),
            sessions=sum(i.sessions for i in impacts),
            consents=sum(i.consents for i in impacts),
            families=sum(i.families for i in impacts),
            secrets=sum(i.secrets for i in impacts),
        )
        context = {
            "title": _("Disable applications"),
            "crumb": _("Disable"),
            "chosen": chosen,
            "ids": texts,
            "effects": effects_of(total)[:2],
            "minutes": int(request.realm.setting("access_token_lifetime")) // 60,
            "action": reverse("console:applications_disable"),
            "cancel_url": reverse("console:applications"),
        }
        return render_dialog(request, "console/applications/disable_many.html", context)

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """Asks."""
        texts = request.GET.getlist("ids")[:200]
        if not texts:
            return redirect_after(
                request, reverse("console:applications"), _("Select applications first."), level="info"
            )
        return self._dialog(request, ids_from("application", texts), texts)

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Disables those that are active."""
        ids = ids_from("application", request.POST.getlist("ids")[:200])
        count = disable_applications(request.actor, application_ids=ids)
        text = ngettext("%(n)s application is disabled.", "%(n)s applications are disabled.", count) % {"n": count}
        return redirect_after(request, reverse("console:applications"), text)
