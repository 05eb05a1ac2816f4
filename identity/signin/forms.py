"""allauth's forms, bent to realms: look-ups through our queries, decisions by our commands."""

from datetime import datetime
from typing import Any

from allauth.account import forms as upstream
from allauth.account.adapter import get_adapter
from allauth.account.fields import PasswordField, SetPasswordField
from allauth.account.models import Login
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from identity.accounts.links import reset_tokens
from identity.accounts.models import User
from identity.accounts.password_rules import MAX_PASSWORD_LENGTH
from identity.accounts.queries import country_of_realm, user_by_id
from identity.accounts.rules import (
    MAX_NAME,
    Identifier,
    canonical_id,
    checked_text,
    kind_of_identifier,
    normalized_email,
)
from identity.kernel.errors import Invalid, RateLimited
from identity.realms.models import Realm
from identity.signin import commands
from identity.signin.devices import known_device, known_device_of
from identity.signin.errors import NotLetIn, Paused
from identity.signin.requests import actor_of, asking_id, realm_of
from identity.signin.ways import may_reset_by_phone

MAX_TYPED = 320
RETURN_KEY = "account_next"
"""Session key: where the person was on the way to when the address had to be confirmed first."""


def said(error: Any) -> ValidationError:
    """A room's refusal as a form's error, with its code."""
    return ValidationError(str(error.message), code=error.reason)


class TypedPassword(PasswordField):
    """A password as it is typed, spaces and all; longer than anybody's is refused before it is looked at (LG-26)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 4 * MAX_PASSWORD_LENGTH, **kwargs})


def name_label(realm: Realm) -> str:
    """What the field for the name asks for: only what the realm takes."""
    phone = realm.setting("phone_sign_in") or realm.setting("sms_code_sign_in")
    match bool(phone), bool(realm.setting("username_sign_in")):
        case True, True:
            return gettext("Email, phone or username")
        case True, False:
            return gettext("Email or phone")
        case False, True:
            return gettext("Email or username")
    return gettext("Email")


class WhoForm(forms.Form):
    """The first step: a name. Any text will do; what it belongs to is nobody's business yet (LG-23)."""

    login = forms.CharField(max_length=MAX_TYPED)

    def __init__(self, *args: Any, realm: Realm, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = name_label(realm)


class CodeForm(forms.Form):
    """Digits that were sent. Spaces and other spellings of digits are taken; checking is the command's."""

    code = forms.CharField(label=_("6-digit code"), max_length=60)


class SignInForm(upstream.LoginForm):
    """Name and password. `tries_left`, `pause_minutes` and `paused_until` tell of limits, the same for every name."""

    tries_left: int | None = None
    pause_minutes: int = 0
    paused_until: datetime | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Text, not an address: whatever was typed gets the same answer, and is counted.
        self.fields["login"] = forms.CharField(
            label=name_label(realm_of(self.request)),
            max_length=MAX_TYPED,
            widget=forms.TextInput(attrs={"autocomplete": "username"}),
        )
        self.fields["password"] = TypedPassword(label=_("Password"), autocomplete="current-password")
        self.order_fields(["login", "password"])

    def clean(self) -> dict[str, Any]:
        """Asks the door."""
        cleaned: dict[str, Any] = forms.Form.clean(self) or self.cleaned_data
        if self.errors:
            return cleaned
        request: HttpRequest = self.request
        try:
            user = commands.check_sign_in(
                actor_of(request),
                identifier=cleaned["login"],
                password=cleaned["password"],
                device_of=known_device(request),
                application_id=asking_id(request),
            )
        except Paused as error:
            self.paused_until = error.until
            raise said(error)
        except NotLetIn as error:
            self.tries_left, self.pause_minutes = error.tries_left, error.pause_minutes
            raise said(error)
        self.user = user
        self._login = Login(user=user, email=user.email)
        return cleaned

    def user_credentials(self) -> dict[str, str]:
        """What allauth's login records about how the person came in; the password is none of its business."""
        return {"email": self.cleaned_data["login"], "password": "-"}


class ResetPasswordForm(upstream.ResetPasswordForm):
    """Asks for a link to choose a new password. Finds nobody: the worker does (LG-08)."""

    def __init__(self, *args: Any, realm: Realm, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if may_reset_by_phone(realm):
            # A number or username is looked up like an address, and a mail goes to the account's own address alone.
            self.fields["email"] = forms.CharField(label=name_label(realm), max_length=MAX_TYPED)

    def clean_email(self) -> str:
        """One name in its one spelling, however it was typed (LG-04)."""
        typed = self.cleaned_data["email"]
        if isinstance(self.fields["email"], forms.EmailField) or kind_of_identifier(typed) is Identifier.EMAIL:
            email: str = get_adapter().clean_email(typed)
            return email
        return canonical_id(typed, country_of_realm())

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Note the wish."""
        email: str = self.cleaned_data["email"]
        device = known_device_of(request, email)
        commands.wish_for_password(actor_of(request), realm=realm_of(request), email=email, device=device)
        return email


class RealmUserTokenForm(upstream.UserTokenForm):
    """The person and token of such a link: of this realm, usable, and with a token that was never used."""

    token_generator = reset_tokens

    def _get_user(self, uidb36: str) -> User | None:
        try:
            user = user_by_id(uidb36)
        except ValidationError:
            return None
        return user if user is not None and user.is_active else None


class NewPasswordForm(forms.Form):
    """One new password, typed once: it can be shown while typing. For links and invitations."""

    password1 = TypedPassword(label=_("New password"), autocomplete="new-password")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password1(self) -> str:
        """The rules, with the person's own words in view."""
        password: str = get_adapter().clean_password(self.cleaned_data["password1"], self.user)
        return password


class InvitationForm(NewPasswordForm):
    """Accepting an invitation: a first password, where people have one, and the name if nobody gave one."""

    name = forms.CharField(
        label=_("Your name"), max_length=MAX_NAME, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    field_order = ["name", "password1"]

    def __init__(self, *args: Any, user: User, with_password: bool, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        if user.name:
            del self.fields["name"]
        if not with_password:
            del self.fields["password1"]

    def clean_name(self) -> str:
        """One line."""
        try:
            return checked_text(self.cleaned_data["name"], field="name", most=MAX_NAME)
        except Invalid as error:
            raise said(error)


class ChangePasswordForm(upstream.ChangePasswordForm):
    """The old password, then a new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]
        self.fields["oldpassword"] = TypedPassword(label=_("Current password"), autocomplete="current-password")
        self.fields["password1"] = SetPasswordField(label=_("New password"), max_length=4 * MAX_PASSWORD_LENGTH)
        self.fields["password1"].user = self.user
        self.order_fields(["oldpassword", "password1"])

    def clean_oldpassword(self) -> str:
        """Counted like every other guess."""
        request = get_adapter().request
        try:
            commands.confirm_sign_in(actor_of(request), user=self.user, password=self.cleaned_data["oldpassword"])
        except NotLetIn:
            raise get_adapter().validation_error("enter_current_password")
        except RateLimited as error:
            raise said(error)
        return str(self.cleaned_data["oldpassword"])


class FirstPasswordForm(upstream.SetPasswordForm):
    """A password for somebody who has another way in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]


class ConfirmForm(forms.Form):
    """The password once more, before something important."""

    password = TypedPassword(label=_("Password"), autocomplete="current-password")

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        """Asks the door."""
        try:
            commands.confirm_sign_in(
                actor_of(self.request),
                user=self.request.user,  # type: ignore[arg-type]
                password=self.cleaned_data["password"],
            )
        except NotLetIn:
            raise get_adapter().validation_error("incorrect_password")
        except RateLimited as error:
            raise said(error)
        return ""


class ChangeEmailForm(forms.Form):
    """Another address for one's own account. Nothing changes before it is confirmed."""

    email = forms.EmailField(
        max_length=254, label=_("New email"), widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        """The one spelling, and another one than now."""
        try:
            email = normalized_email(self.cleaned_data["email"])
        except Invalid as error:
            raise said(error)
        if email == self.user.email:
            raise ValidationError(_("This is your address already."), code="email_same")
        return email
