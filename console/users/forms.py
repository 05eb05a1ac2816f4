"""Forms of the users area."""

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from console.roles.rows import role_title
from console.shell.forms import ConsoleForm
from identity.access.models import Role, RoleKind
from identity.access.rules import rank_of_role
from identity.accounts.queries import attributes_of_people
from identity.accounts.rules import MAX_NAME, MAX_PART_OF_NAME, MAX_REASON
from identity.kernel.ids import public_id
from identity.signin.attribute_fields import put_fields, values_of


def _languages() -> list[tuple[str, Any]]:
    return [("", _("The realm’s")), *settings.LANGUAGES]


def _time_zones() -> list[tuple[str, Any]]:
    return [
        ("", _("The realm’s")),
        *((name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())),
    ]


def role_choices(roles: list[Role]) -> list[tuple[Any, Any]]:
    """Roles by kind, as option groups; built-in ones first, the mightiest of them on top."""
    groups: dict[Any, list[tuple[str, str]]] = {}
    for role in sorted(roles, key=lambda role: (not role.built_in, rank_of_role(role.name) if role.built_in else 0)):
        if role.kind == RoleKind.CONSOLE:
            label, text = _("Console roles"), role_title(role)
        else:
            label = _("Application roles")
            text = f"{role.name} ({role.application.name})" if role.application else role.name
        groups.setdefault(label, []).append((public_id("role", role.pk), text))
    return list(groups.items())


class InviteForm(ConsoleForm):
    """Who comes in, and as what."""

    email = forms.CharField(
        label=_("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_("The link goes there; opening it confirms the address."),
    )
    name = forms.CharField(label=_("Name"), max_length=MAX_NAME, required=False)
    roles = forms.MultipleChoiceField(label=_("Roles"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if roles:
            self.fields["roles"].choices = role_choices(roles)  # type: ignore[attr-defined]
        else:
            del self.fields["roles"]


class ProfileForm(ConsoleForm):
    """What a person is called, and how pages speak to him."""

    name = forms.CharField(label=_("Name"), max_length=MAX_NAME, required=False)
    given_name = forms.CharField(label=_("Given name"), max_length=MAX_PART_OF_NAME, required=False)
    family_name = forms.CharField(label=_("Family name"), max_length=MAX_PART_OF_NAME, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=_languages, required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=_time_zones, required=False)


class EmailForm(ConsoleForm):
    """The address. Without the tick a new one is unproven."""

    email = forms.CharField(label=_("Email"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    verified = forms.BooleanField(
        label=_("I know that the person reads mail to this address"),
        required=False,
        help_text=_("Without it the person confirms a new address at the next sign-in."),
    )


class IdentifiersForm(ConsoleForm):
    """Other names of the account."""

    phone = forms.CharField(
        label=_("Phone"), max_length=40, required=False, help_text=_("With the country code, such as +49 30 123456.")
    )
    username = forms.CharField(label=_("Username"), max_length=150, required=False)


class AttributesForm(ConsoleForm):
    """The realm's custom attributes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.attributes = attributes_of_people()
        put_fields(self, self.attributes)

    def clean(self) -> dict[str, Any]:
        """By the attributes' own rules."""
        self.cleaned_data["attributes"] = values_of(self, self.attributes)
        return self.cleaned_data


class CreateForm(ProfileForm, IdentifiersForm):
    """A new account, with or without a first password."""

    email = forms.CharField(
        label=_("Email"), max_length=254, required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    email_verified = forms.BooleanField(
        label=_("I know that the person reads mail to this address"),
        required=False,
        help_text=_("Without it the person confirms the address at the first sign-in."),
    )
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters. Without one the person comes in by a reset link."),
    )
    field_order = (
        "name", "given_name", "family_name", "email", "email_verified", "phone", "username", "password",
        "language", "time_zone",
    )  # fmt: skip


class ReasonForm(ConsoleForm):
    """Why; kept in the trail, sealed under the person's key."""

    reason = forms.CharField(
        label=_("Reason"), max_length=MAX_REASON, required=False, help_text=_("Only the audit trail shows it.")
    )


class NewPasswordForm(ReasonForm):
    """What goes with the demand for a new password."""

    end_sessions = forms.BooleanField(
        label=_("Sign out everywhere now"),
        required=False,
        help_text=_("Without it, what is open stays open until it ends by itself."),
    )


class LockForm(ReasonForm):
    """For how long."""

    minutes = forms.ChoiceField(
        label=_("How long"),
        choices=[
            ("60", _("1 hour")),
            ("1440", _("1 day")),
            ("10080", _("7 days")),
            ("0", _("Until somebody unlocks it")),
        ],
        initial="1440",
    )
    field_order = ("minutes", "reason")


class GiveRoleForm(ConsoleForm):
    """One of the roles that the actor may give."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Nothing is chosen beforehand: a quick Enter must not make somebody an owner.
        self.fields["role"].choices = [("", _("Choose a role")), *role_choices(roles)]  # type: ignore[attr-defined]
