"""Forms of the roles area."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.roles.matrix import Area, matrix
from console.shell.forms import ConsoleForm
from identity.access.rules import MAX_DESCRIPTION, MAX_NAME
from identity.applications.models import Application
from identity.kernel.actor import Actor
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission


class ConsoleRoleForm(ConsoleForm):
    """Name, description and permissions. What the actor does not hold can't be ticked; the command decides again."""

    name = forms.CharField(label=_("Name"), max_length=MAX_NAME)
    description = forms.CharField(
        label=_("Description"),
        max_length=MAX_DESCRIPTION,
        required=False,
        help_text=_("One line for those who give it."),
    )
    permissions = forms.MultipleChoiceField(
        label=_("Allows to"), required=False, choices=[(str(p), str(p)) for p in Permission]
    )

    def __init__(self, *args: Any, actor: Actor, platform: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.platform = platform

    @property
    def chosen(self) -> set[str]:
        """The ticked permissions, as sent or as they are."""
        return set(self["permissions"].value() or ())

    @property
    def areas(self) -> list[Area]:
        """The table of permissions: ticked, and whether the actor may tick it."""
        held = {str(permission) for permission in Permission if self.actor.can(permission)}
        return matrix([self.chosen | {str(Permission.CONSOLE_OPEN)}, held], platform=self.platform)


class ApplicationRoleForm(ConsoleForm):
    """Name, description and the application that it counts for."""

    name = forms.CharField(
        label=_("Name"), max_length=MAX_NAME, help_text=_("Tokens carry it in “roles”, spelled exactly like this.")
    )
    description = forms.CharField(label=_("Description"), max_length=MAX_DESCRIPTION, required=False)
    application = forms.ChoiceField(label=_("Counts for"), required=False)

    def __init__(self, *args: Any, applications: list[Application], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["application"].choices = [  # type: ignore[attr-defined]
            ("", _("Every application")),
            *((public_id("application", a.pk), a.name) for a in applications),
        ]


class RenameRoleForm(ConsoleForm):
    """An application role's name and description; its application never changes."""

    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_NAME,
        help_text=_("Tokens carry it in “roles”. Applications that ask for the old name stop finding it."),
    )
    description = forms.CharField(label=_("Description"), max_length=MAX_DESCRIPTION, required=False)


class RequirementsForm(ConsoleForm):
    """What holders of a role must have shown."""

    requirements = forms.MultipleChoiceField(
        label=_("Holders must have"),
        required=False,
        choices=[
            ("verified_email", _("A confirmed email address")),
            ("verified_phone", _("A confirmed phone number")),
            ("second_factor", _("A second factor")),
        ],
        widget=forms.CheckboxSelectMultiple,
    )
