"""Client secrets: a second one beside the first, then the first one goes."""

from datetime import timedelta
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _

from console.applications.rows import application_url
from console.applications.views.editing import secret_page
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from identity.applications.commands import add_secret, revoke_secret
from identity.applications.models import Application
from identity.applications.queries import get_application, secrets_of
from identity.kernel import clock
from identity.kernel.errors import Conflict, NotFound
from identity.kernel.permissions import Permission

DAYS = ("0", "90", "180", "365")


def _application(request: ConsoleRequest, public_id: str) -> Application:
    return get_application(
        request.actor,
        application_id=id_from("application", public_id),
        permission=Permission.APPLICATIONS_SECRETS,
    )


class AddSecret(ConsoleView):
    """Add a secret and show it once."""

    permission = Permission.APPLICATIONS_SECRETS
    fresh = True

    def _dialog(
        self, request: ConsoleRequest, application: Application, error: str = "", status: int = 200
    ) -> HttpResponse:
        context = {
            "title": _("Add secret"),
            "crumb": application.name,
            "application": application,
            "days": DAYS,
            "error": error,
            "action": request.path,
            "cancel_url": application_url(application, "application_credentials"),
        }
        return render_dialog(request, "console/applications/secret_add.html", context, status=status)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks how long it lasts."""
        return self._dialog(request, _application(request, public_id))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Adds it. The dialog's form is sent without htmx, since the answer is a page."""
        application = _application(request, public_id)
        days = request.POST.get("days", "0")
        expires_at = clock.now() + timedelta(days=int(days)) if days in DAYS[1:] else None
        try:
            _secret, text = add_secret(request.actor, application_id=application.pk, expires_at=expires_at)
        except Conflict as error:
            return self._dialog(request, application, str(error.message), 409)
        return secret_page(request, application, text)


class RevokeSecret(ConsoleView):
    """Let a secret stop at once."""

    permission = Permission.APPLICATIONS_SECRETS

    def get(self, request: ConsoleRequest, public_id: str, secret_id: UUID) -> HttpResponse:
        """Asks, and warns when it is the only one."""
        application = _application(request, public_id)
        secrets = secrets_of(request.actor, application_id=application.pk)
        secret = next((each for each in secrets if each.pk == secret_id), None)
        if secret is None:
            raise NotFound
        context = {
            "title": _("Revoke secret"),
            "crumb": application.name,
            "application": application,
            "secret": secret,
            "is_only": len(secrets) == 1,
            "action": request.path,
            "cancel_url": application_url(application, "application_credentials"),
            "danger": True,
        }
        return render_dialog(request, "console/applications/secret_revoke.html", context)

    def post(self, request: ConsoleRequest, public_id: str, secret_id: UUID) -> HttpResponse:
        """Revokes it."""
        application = _application(request, public_id)
        secret = revoke_secret(request.actor, application_id=application.pk, secret_id=secret_id)
        text = with_trail(request, _("The secret ending %(hint)s is revoked.") % {"hint": secret.hint}, application.pk)
        return redirect_after(request, application_url(application, "application_credentials"), text)
