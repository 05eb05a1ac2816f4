"""Registering an application and changing it."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from console.applications.forms import CreateForm, EditForm
from console.applications.rows import application_url
from console.shell.fragments import redirect_after, render_dialog, render_page
from console.shell.http import ConsoleRequest, number_in, wants_fragment
from console.shell.ids import id_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from identity.applications.commands import change_application, register_application
from identity.applications.models import Application
from identity.applications.queries import get_application
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.permissions import Permission


class Create(ConsoleView):
    """A guided form; the secret is shown on the answer, this once."""

    permission = Permission.APPLICATIONS_WRITE

    def _page(self, request: ConsoleRequest, form: CreateForm, status: int = 200) -> HttpResponse:
        context = {
            "title": _("Add application"),
            "crumb": _("Add application"),
            "lead": _("Three answers are enough. Everything can be changed later."),
            "form": form,
            "cancel_url": reverse("console:applications"),
        }
        return render_page(request, "console/applications/create.html", context, status=status)

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The form; `?type=` chooses a card."""
        return self._page(request, CreateForm(initial={"type": request.GET.get("type", "web")}))

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Registers it."""
        form = CreateForm(request.POST)
        if form.is_valid():
            try:
                application, secret = register_application(request.actor, **form.cleaned_data)
            except Invalid as error:
                form.add_refusal(error)
            else:
                if secret is None:
                    text = with_trail(request, _("%(name)s is added.") % {"name": application.name}, application.pk)
                    return redirect_after(request, application_url(application), text)
                return secret_page(request, application, secret, created=True)
        return self._page(request, form, 422)


def secret_page(
    request: ConsoleRequest, application: Application, secret: str, *, created: bool = False
) -> HttpResponse:
    """The one answer that ever holds a secret. It is a page of its own, never cached, and gone after leaving it."""
    context = {
        "title": application.name,
        "crumb": application.name,
        "application": application,
        "secret": secret,
        "created": created,
        "next_url": application_url(application),
    }
    if wants_fragment(request):
        context |= {"action": context["next_url"], "cancel_url": context["next_url"]}
        return render_dialog(request, "console/applications/secret_dialog.html", context)
    return render_page(request, "console/applications/secret.html", context)


class Edit(ConsoleView):
    """What people see of it, and what it may do."""

    permission = Permission.APPLICATIONS_WRITE

    def _form(self, request: ConsoleRequest, application: Application, data: Any = None) -> EditForm:
        return EditForm(data, application=application, may_promote=request.actor.can(Permission.APPLICATIONS_WRITE))

    def _page(
        self, request: ConsoleRequest, application: Application, form: EditForm, status: int = 200
    ) -> HttpResponse:
        context = {
            "title": _("Edit %(name)s") % {"name": application.name},
            "crumb": application.name,
            "application": application,
            "form": form,
            "details": [form[name] for name in ("name", "description", "publisher")],
            "links": [form[name] for name in ("homepage_uri", "privacy_uri", "terms_uri")],
            "rights": [form[name] for name in ("grant_types", "token_endpoint_auth_method", "required_acr")],
            "consent": [form[name] for name in ("first_party", "skip_consent") if name in form.fields],
            "cancel_url": application_url(application),
        }
        return render_page(request, "console/applications/edit.html", context, status=status)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The form as it is."""
        application = self._application(request, public_id)
        return self._page(request, application, self._form(request, application))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Saves it, unless somebody else did meanwhile."""
        application = self._application(request, public_id)
        form = self._form(request, application, request.POST)
        status = 422
        if form.is_valid():
            version = request.POST.get("version", "")
            try:
                changed = change_application(
                    request.actor,
                    application_id=application.pk,
                    expected_version=number_in(version),
                    **form.cleaned_data,
                )
            except Invalid as error:
                form.add_refusal(error)
            except Conflict as error:
                form.add_refusal(error)
                status = 409
            else:
                text = with_trail(request, _("%(name)s is saved.") % {"name": changed.name}, changed.pk)
                return redirect_after(request, application_url(changed), text)
        return self._page(request, application, form, status)

    @staticmethod
    def _application(request: ConsoleRequest, public_id: str) -> Application:
        return get_application(
            request.actor,
            application_id=id_from("application", public_id),
            permission=Permission.APPLICATIONS_WRITE,
        )
