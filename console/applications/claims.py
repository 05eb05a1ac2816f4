"""Claims of tokens in words: what each says, where it comes from, and what hinders a person from getting them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from json import dumps
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.shell.dates import clock_seconds, day
from identity.applications.models import Scope
from identity.oauth.claims import Said
from identity.signin.hindrances import REFUSES, Hindrance

MEANING: Mapping[str, str | Promise] = {
    "iss": gettext_lazy("Who issued it: this realm. Check that it is the one you trust."),
    "sub": gettext_lazy("Who it is about. The same for good: keep this, not the email address."),
    "aud": gettext_lazy("Who it is for. Refuse a token that doesn’t name you."),
    "exp": gettext_lazy("When it ends."),
    "iat": gettext_lazy("When it was issued."),
    "jti": gettext_lazy("This token’s own number."),
    "client_id": gettext_lazy("The application that got it."),
    "scope": gettext_lazy("What the application may do with it."),
    "auth_time": gettext_lazy("When the person signed in."),
    "amr": gettext_lazy("What the person showed to sign in (RFC 8176)."),
    "acr": gettext_lazy("How strong the sign-in was."),
    "sid": gettext_lazy("The session that it belongs to: sign-out names it."),
    "roles": gettext_lazy("What the person is in this application. Roles that yield nothing are not in it."),
    "fid": gettext_lazy("The line of refresh tokens that it belongs to."),
    "name": gettext_lazy("The whole name."),
    "given_name": gettext_lazy("The given name."),
    "family_name": gettext_lazy("The family name."),
    "preferred_username": gettext_lazy("The username. It may change: never use it as a key."),
    "locale": gettext_lazy("The language."),
    "zoneinfo": gettext_lazy("The time zone."),
    "email": gettext_lazy("The email address. It may change: never use it as a key."),
    "email_verified": gettext_lazy("Whether the person has shown that the address is theirs."),
    "phone_number": gettext_lazy("The phone number, with its country code."),
    "phone_number_verified": gettext_lazy("Whether the person has shown that the number is theirs."),
}

HINDRANCES: Mapping[Hindrance, str | Promise] = {
    Hindrance.REALM_OFF: gettext_lazy("The realm is suspended: nobody signs in."),
    Hindrance.APPLICATION_OFF: gettext_lazy("The application is disabled: nobody gets into it."),
    Hindrance.NOT_FOR_PEOPLE: gettext_lazy("The application signs nobody in: it gets tokens for itself alone."),
    Hindrance.NO_REDIRECT_URI: gettext_lazy("The application has no redirect URI, so there is no way back to it."),
    Hindrance.DISABLED: gettext_lazy("This person is disabled."),
    Hindrance.LOCKED: gettext_lazy("This person is locked."),
    Hindrance.PENDING: gettext_lazy("The account waits for an admin’s approval."),
    Hindrance.NO_WAY_IN: gettext_lazy(
        "This person has no way to sign in: no password, passkey, code or linked account."
    ),
    Hindrance.CANT_REACH: gettext_lazy("The application wants a factor that people of this realm can’t add."),
    Hindrance.EMAIL_UNCONFIRMED: gettext_lazy("Has to confirm the email address first."),
    Hindrance.MUST_ENROLL: gettext_lazy("Has to set up a second factor first: this realm wants one of everybody."),
    Hindrance.ASKED_FOR_FACTOR: gettext_lazy(
        "Is asked for another factor first; the tokens then say so in amr and acr."
    ),
    Hindrance.MUST_ADD_FACTOR: gettext_lazy(
        "Has to add a factor first: the application wants more than this person has."
    ),
    Hindrance.NUMBER_UNCONFIRMED: gettext_lazy("Has to confirm the phone number first."),
    Hindrance.PASSWORD_DUE: gettext_lazy("Has to choose a new password first."),
    Hindrance.TERMS_DUE: gettext_lazy("Has to accept the terms first."),
}

WAYS: Mapping[str, str | Promise] = {
    "password": gettext_lazy("Password alone"),
    "email_code": gettext_lazy("Code by email alone"),
    "password_app": gettext_lazy("Password and a code of an app"),
    "password_passkey": gettext_lazy("Password and a passkey"),
    "passkey": gettext_lazy("Passkey alone"),
}

_TIMES = ("exp", "iat", "auth_time")
_MADE = ("jti", "sid", "fid")
_SIGN_IN = ("auth_time", "amr", "acr", "sid")


def hindrances_in_words(found: list[Hindrance]) -> dict[str, list[str]]:
    """What refuses, and what comes first."""
    return {
        "refused": [str(HINDRANCES[each]) for each in found if each in REFUSES],
        "steps": [str(HINDRANCES[each]) for each in found if each not in REFUSES],
    }


def rows_of(claims: Mapping[str, Any], sources: Mapping[str, Said], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """The claims of one token, ours first. labels: custom attribute → what people call it."""
    return [
        {
            "name": name,
            "value": dumps(value, ensure_ascii=False),
            "moment": _moment(name, value),
            **_source(name, sources, labels),
        }
        for name, value in claims.items()
    ]


def _moment(name: str, value: Any) -> str:
    if name not in _TIMES:
        return ""
    when = datetime.fromtimestamp(value, UTC)
    return f"{day(when)}, {clock_seconds(when)} UTC"


def _source(name: str, sources: Mapping[str, Said], labels: Mapping[str, str]) -> dict[str, str]:
    """Scope → claim, or what else puts it there."""
    said = sources.get(name)
    if said is not None and said.attribute:
        label = labels.get(said.attribute, said.attribute)
        return {
            "scope": said.scope,
            "source": _("attribute"),
            "meaning": _("The attribute “%(label)s”.") % {"label": label},
        }
    meaning = str(MEANING.get(name, ""))
    if said is not None:
        return {"scope": said.scope, "source": "", "meaning": meaning}
    if name in _MADE:
        return {"scope": "", "source": _("made anew each time"), "meaning": meaning}
    if name in _SIGN_IN:
        return {"scope": "", "source": _("the sign-in"), "meaning": meaning}
    if name == "roles":
        return {"scope": "", "source": _("application roles"), "meaning": meaning}
    return {"scope": "", "source": _("always"), "meaning": meaning}


def scope_lines(known: Mapping[str, Scope], offered: list[str], chosen: list[str]) -> list[dict[str, Any]]:
    """The scopes of an application as checkboxes."""
    return [
        {"name": name, "title": known[name].shown_title if name in known else "", "checked": name in chosen}
        for name in offered
    ]
