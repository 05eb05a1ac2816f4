"""The sign-in page as people would see it, drawn from what the cards say now, saved or not."""

from collections.abc import Mapping
from copy import copy
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from console.shell.http import ConsoleRequest
from console.shell.views import ConsoleView
from identity.kernel.permissions import Permission
from identity.realms.models import Realm
from identity.realms.queries import enabled_providers
from identity.signin.forms import name_label
from identity.signin.phone_first import is_phone_first, other_name_label

DRAWN = (
    "password_sign_in",
    "username_sign_in",
    "phone_sign_in",
    "email_code_sign_in",
    "sms_code_sign_in",
    "passkey_sign_in",
    "phone_first",
    "sign_up_open",
)
"""The switches that change the page."""


def look_of(realm: Realm, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the first and the second step show under these values of switches; none: as it is saved."""
    wished = copy(realm)
    if values is not None:
        wished.settings = {**realm.settings, **{name: bool(values.get(name)) for name in DRAWN}}
    password = wished.setting("password_sign_in")
    number_first = is_phone_first(wished)
    by_mail, by_text = wished.setting("email_code_sign_in"), wished.setting("sms_code_sign_in")
    return {
        "realm": realm,
        "number_first": number_first,
        "name_label": name_label(wished),
        "other_name": other_name_label(wished) if number_first else "",
        "passkey": wished.setting("passkey_sign_in"),
        # The number's page has one button: a code at once, unless numbers are for passwords.
        "texts_at_once": number_first and by_text and not wished.setting("phone_sign_in"),
        "password": password,
        "by_mail": by_mail,
        "by_text": by_text,
        "providers": list(enabled_providers()),
        "sign_up_open": wished.setting("sign_up_open"),
        "nobody": not (password or by_mail or by_text or wished.setting("passkey_sign_in")),
        "unsaved": any(wished.setting(name) != realm.setting(name) for name in DRAWN),
    }


class Preview(ConsoleView):
    """`sign-in/preview`: the picture alone. Writes nothing."""

    permission = Permission.SETTINGS_READ

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """From the fields of all cards, sent along as they stand."""
        return render(request, "console/signin/_preview.html", {"look": look_of(request.realm, request.POST)})
