"""Who manages one application, and the roles that its tokens carry."""

from typing import Any

from django.urls import reverse

from console.applications.rows import application_url
from console.applications.views.pages import ApplicationPage
from console.managers import views as managers
from console.managers.views import Managed, managers_context
from console.roles.rows import row_of
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from identity.access.models import RoleKind
from identity.access.queries import APPLICATION, roles
from identity.applications.models import Application
from identity.applications.queries import get_application
from identity.kernel.permissions import Permission

ROLES_SHOWN = 100


def managed_of(application: Application) -> Managed:
    """It as an object that people manage."""
    return Managed(
        kind=APPLICATION,
        pk=application.pk,
        name=application.name,
        page_url=application_url(application, "application_access"),
        add_url=application_url(application, "application_manager_add"),
        take_url=lambda user_id: application_url(application, "application_manager_take", user_id),
    )


class Access(ApplicationPage):
    """Managers for those who may see roles; the application's own roles also for its manager."""

    tab = "application_access"
    template = "console/applications/access.html"

    def more(self, request: ConsoleRequest, application: Application) -> dict[str, Any]:
        """Both cards."""
        actor = request.actor
        if not actor.can(Permission.ROLES_READ):
            actor.require(Permission.ROLES_ASSIGN, (APPLICATION, application.pk))
        own = roles(actor, RoleKind.APPLICATION).filter(application_id=application.pk)[:ROLES_SHOWN]
        return {
            **managers_context(actor, managed_of(application)),
            "shows_managers": actor.can(Permission.ROLES_READ),
            "roles": [row_of(role, actor) for role in own],
            "create_role_url": reverse("console:role_create")
            + f"?kind=application&application={self.kwargs['public_id']}"
            if actor.can(Permission.ROLES_WRITE)
            else "",
        }


class AddManager(managers.AddManager):
    """Let somebody manage this application."""

    def managed(self, request: ConsoleRequest, public_id: str) -> Managed:
        """The application of the address."""
        return managed_of(get_application(request.actor, application_id=id_from("application", public_id)))


class TakeFromManager(managers.TakeFromManager):
    """Let somebody manage it less, or no longer."""

    def managed(self, request: ConsoleRequest, public_id: str) -> Managed:
        """The application of the address."""
        return managed_of(get_application(request.actor, application_id=id_from("application", public_id)))
