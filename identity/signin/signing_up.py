"""The form of sign-up: the fields that the realm's policy asks for, each with its own refusal."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from identity.accounts.commands import new_password_hash
from identity.accounts.commands.federation import fitting_attributes, free_username
from identity.accounts.models import User
from identity.accounts.queries import attributes_at_sign_up, country_of_realm, find_user_by_identifier
from identity.accounts.rules import (
    MAX_NAME,
    Identifier,
    checked_text,
    normalized_email,
    normalized_phone,
    normalized_username,
)
from identity.accounts.sign_up_rules import SignUpPolicy, check_domain, policy_of
from identity.kernel.errors import Invalid
from identity.kernel.ids import uuid7
from identity.realms.models import IdentityProvider
from identity.signin import limits
from identity.signin.attribute_fields import name_of, put_fields, values_of
from identity.signin.forms import TypedPassword, said
from identity.signin.phone_first import is_phone_first
from identity.signin.requests import actor_of, next_of, realm_of
from identity.signin.social_claims import Upstream, vouched_address
from identity.signin.wishes import SignUpWish

PASSKEY = "passkey"


class SignUpForm(forms.Form):
    """Name, what the realm asks for, and a password or none. Any other field that is posted is ignored (LG-10)."""

    name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=MAX_NAME, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=gettext_lazy("Email"),
        max_length=254,
        widget=forms.EmailInput(
            attrs={"autocomplete": "email", "dir": "ltr", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=60,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "dir": "ltr"}),
    )
    username = forms.CharField(
        label=gettext_lazy("Username"),
        max_length=150,
        help_text=gettext_lazy("Others may see it. You can sign in with it."),
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "dir": "ltr", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    terms = forms.BooleanField(error_messages={"required": gettext_lazy("Accept the terms to go on.")})
    field_order = ("name", "email", "phone", "username", "password1", "terms")

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.policy: SignUpPolicy = policy_of(realm_of(request))
        self.by_passkey = self.data.get("with") == PASSKEY and self.may_use_passkey
        for kind in Identifier:
            if not self.policy.asks(kind):
                del self.fields[str(kind)]
        if "phone" in self.fields:
            self.fields["phone"].help_text = (
                _("We send a code to it by text message.")
                if country_of_realm()
                else _("With its country code, such as +49 30 123456. We send a code to it by text message.")
            )
        # Number, code, password: who begins with the number chooses a password once the number is known to be his.
        self.password_later = (
            self.policy.with_password and self.policy.asks(Identifier.PHONE) and is_phone_first(realm_of(request))
        )
        if self.policy.with_password and not self.password_later:
            self.fields["password1"] = TypedPassword(
                label=_("Password"), autocomplete="new-password", required=not self.by_passkey
            )
        if self.policy.terms_version:
            self.fields["terms"].label = terms_label(self.policy.terms_uri)
        else:
            del self.fields["terms"]
        self.attributes = attributes_at_sign_up()
        put_fields(self, self.attributes)
        own = [name_of(each) for each in self.attributes]
        self.order_fields([*self.field_order[:-2], *own, *self.field_order[-2:]])

    @property
    def may_use_passkey(self) -> bool:
        """Whether a passkey can take the password's place: the realm has them, and there is a way back by a code."""
        return self.policy.with_passkey and self.policy.provable

    def clean_name(self) -> str:
        """One line."""
        return self._checked(lambda text: checked_text(text, field="name", most=MAX_NAME), "name")

    def clean_email(self) -> str:
        """The one spelling, of a domain that may come. Whether somebody has it is nobody's business (LG-23)."""
        address = self._checked(normalized_email, "email")
        try:
            check_domain(self.policy, address)
        except Invalid as error:
            raise said(error)
        return address

    def clean_phone(self) -> str:
        """E.164. Whether somebody has it is nobody's business (LG-23)."""
        return self._checked(lambda text: normalized_phone(text, country_of_realm()), "phone")

    def clean_username(self) -> str:
        """The one spelling, and free. A username is public; asking for many counts as signing up so often (LG-23)."""
        name = self._checked(normalized_username, "username")
        if find_user_by_identifier(name) is not None:
            limits.require_sign_up(actor_of(self.request).origin.ip)
            raise ValidationError(_("Somebody has this name. Choose another one."), code="username_taken")
        return name

    def _checked(self, rule: Any, field: str) -> str:
        try:
            return str(rule(self.cleaned_data[field]))
        except Invalid as error:
            raise said(error)

    def clean(self) -> dict[str, Any]:
        """The attributes' rules, and the password's with name and address in view."""
        cleaned = self.cleaned_data
        cleaned["attributes"] = values_of(self, self.attributes)
        if cleaned.get("password1") and not self.by_passkey:
            person = User(
                email=cleaned.get("email"),
                phone=cleaned.get("phone"),
                username=cleaned.get("username"),
                name=cleaned.get("name", ""),
            )
            try:
                get_adapter().clean_password(cleaned["password1"], person)
            except ValidationError as error:
                self.add_error("password1", error)
        return cleaned

    def wish(self) -> SignUpWish:
        """What was asked for, with the password hashed: the same work for every name (LG-23). Raises Invalid."""
        data = self.cleaned_data
        names = {str(kind): data.get(str(kind)) or "" for kind in Identifier}
        encoded = (
            new_password_hash(data["password1"], name=data["name"], **names)
            if self.policy.with_password and not self.by_passkey and not self.password_later
            else ""
        )
        return SignUpWish(
            **names,
            name=data["name"],
            language=get_language() or "",
            encoded=encoded,
            passkey=self.by_passkey,
            password_later=self.password_later and not self.by_passkey,
            user_id=uuid7().hex if self.by_passkey else "",
            terms_version=self.policy.terms_version if data.get("terms") else "",
            attributes=data["attributes"],
            next_url=next_of(self.request),
            proves=str(self.policy.proves_first(passkey=self.by_passkey) or ""),
        )


class ProviderSignUpForm(SignUpForm):
    """What the realm asks of everybody and the provider didn't say, by the same rules.

    An address that the provider didn't prove is asked for, with what it said typed in: a code proves it.
    """

    field_order = ("email", "phone", "username", "password1", "terms")

    def __init__(self, *args: Any, request: HttpRequest, upstream: Upstream, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        self.by_passkey = False
        self.address = vouched_address(upstream)
        for name in ("name", "password1"):
            self.fields.pop(name, None)
        if "email" in self.fields and self.address:
            del self.fields["email"]
        elif "email" in self.fields:
            self.fields["email"].initial = upstream.email
        if "username" in self.fields:
            self.fields["username"].initial = free_username(upstream.profile)
        known = fitting_attributes(upstream.attributes)
        for attribute in [each for each in self.attributes if each.name in known]:
            del self.fields[name_of(attribute)]
        self.attributes = [each for each in self.attributes if each.name not in known]

    @property
    def needs_nothing(self) -> bool:
        """Whether the account can be made without a question."""
        return not any(field.required for field in self.fields.values())

    def wish_of(self, provider: IdentityProvider) -> SignUpWish:
        """What is wanted. A number is proven by a code, else an address that the provider didn't prove."""
        data = getattr(self, "cleaned_data", {})
        proves = next((kind for kind in (Identifier.PHONE, Identifier.EMAIL) if str(kind) in self.fields), "")
        return SignUpWish(
            email=data.get("email") or self.address,
            phone=data.get("phone") or "",
            username=data.get("username") or "",
            language=get_language() or "",
            terms_version=self.policy.terms_version if data.get("terms") else "",
            attributes=data.get("attributes") or {},
            proves=str(proves),
            provider=provider.alias,
        )


def terms_label(uri: str) -> str | SafeString:
    """What the box says, with the way to the text. A person reads it in a tab of its own: nothing typed is lost."""
    if not uri:
        return _("I accept the terms")
    link = format_html('<a class="textlink" href="{}" target="_blank" rel="noopener">{}</a>', uri, _("terms"))
    return format_html(_("I accept the {terms}"), terms=link)
