"""Sign-in that asks for the number first: country and number as people dial it, put together to the one spelling."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from identity.accounts.countries import countries
from identity.accounts.rules import normalized_phone
from identity.kernel.errors import Invalid
from identity.realms.models import Realm
from identity.signin.forms import said

OTHER_NAME = "name"
"""What the address says when somebody wants to type another name than a number."""


def is_phone_first(realm: Realm) -> bool:
    """Whether the sign-in page begins with a number: the realm wants it, and numbers let people in."""
    by_password = realm.setting("phone_sign_in") and realm.setting("password_sign_in")
    return bool(realm.setting("phone_first") and (by_password or realm.setting("sms_code_sign_in")))


def wants_number(request: HttpRequest, realm: Realm) -> bool:
    """Whether this page is the one with the number."""
    return is_phone_first(realm) and OTHER_NAME not in request.GET


def other_name_label(realm: Realm) -> str:
    """What the button to the other names says."""
    return _("Use email or username") if realm.setting("username_sign_in") else _("Use email")


class NumberForm(forms.Form):
    """A number, and where it is dialed. Whom it belongs to is nobody's business yet (LG-23)."""

    country = forms.ChoiceField(
        label=gettext_lazy("Country or region"),
        required=False,
        widget=forms.Select(attrs={"class": "in", "autocomplete": "tel-country-code"}),
    )
    number = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=60,
        widget=forms.TextInput(
            attrs={
                "class": "in",
                "type": "tel",
                "inputmode": "tel",
                "autocomplete": "tel-national webauthn",
                "dir": "ltr",
            }
        ),
    )

    def __init__(self, data: Any = None, *, realm: Realm) -> None:
        super().__init__(data, initial={"country": realm.setting("default_country")})
        listed = [(country.code, str(country)) for country in countries(get_language() or "en")]
        choices = listed if realm.setting("default_country") else [("", _("Choose")), *listed]
        self.fields["country"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """E.164, whichever of the many spellings was typed (LG-14)."""
        cleaned = self.cleaned_data
        if "number" in cleaned and "country" in cleaned:
            try:
                cleaned["login"] = normalized_phone(cleaned["number"], cleaned["country"])
            except Invalid as error:
                self.add_error("number", said(error))
        return cleaned
