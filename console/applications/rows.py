"""Applications as pages show them."""

from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from identity.applications.models import Application, ApplicationStatus, ApplicationType
from identity.kernel.actor import Actor
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission

KIND_LABELS: dict[str, str | Promise] = {
    ApplicationType.WEB: gettext_lazy("Web application"),
    ApplicationType.SPA: gettext_lazy("Single-page application"),
    ApplicationType.NATIVE: gettext_lazy("Native application"),
    ApplicationType.SERVICE: gettext_lazy("Service"),
}


def application_url(application: Application, name: str = "application", *args: Any) -> str:
    """The address of a page about it."""
    return reverse(f"console:{name}", args=[public_id("application", application.pk), *args])


def may(actor: Actor, permission: Permission, application: Application) -> bool:
    """Whether the actor holds it on the realm or on this application: the question of the commands."""
    return actor.can(permission, ("application", application.pk))


@dataclass(frozen=True)
class ApplicationRow:
    """A row of the list."""

    application: Application
    menu: list[dict[str, Any]] = field(default_factory=list)

    @property
    def public_id(self) -> str:
        """For links and the selection."""
        return public_id("application", self.application.pk)

    @property
    def url(self) -> str:
        """Its page."""
        return application_url(self.application)

    @property
    def kind(self) -> str | Promise:
        """Its type in words."""
        return KIND_LABELS[self.application.type]


def row_of(application: Application, actor: Actor) -> ApplicationRow:
    """A row with the menu that the commands allow."""
    menu: list[dict[str, Any]] = [{"label": _("Open"), "url": application_url(application), "icon": "apps"}]
    if may(actor, Permission.APPLICATIONS_WRITE, application):
        menu.append({"label": _("Edit"), "url": application_url(application, "application_edit"), "icon": "edit"})
        menu.append(state_item(application))
    if may(actor, Permission.APPLICATIONS_DELETE, application):
        menu += [
            {"divider": True},
            {
                "label": _("Delete…"),
                "url": application_url(application, "application_delete"),
                "icon": "delete",
                "danger": True,
                "dialog": True,
            },
        ]
    return ApplicationRow(application, menu)


def state_item(application: Application) -> dict[str, Any]:
    """Disable or enable, whichever is possible."""
    if application.status == ApplicationStatus.ACTIVE:
        return {
            "label": _("Disable…"),
            "url": application_url(application, "application_disable"),
            "icon": "pause_circle",
            "dialog": True,
        }
    return {
        "label": _("Enable…"),
        "url": application_url(application, "application_enable"),
        "icon": "play_arrow",
        "dialog": True,
    }
