"""What tokens and userinfo say about a person, by scope (OpenID Connect Core 1.0, 5.4)."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from identity.accounts.models import User

SUPPORTED = (
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "at_hash",
    "sid",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "locale",
    "zoneinfo",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "roles",
)

Read = Callable[[User], Any]
_BY_SCOPE: Mapping[str, Mapping[str, Read]] = {
    "profile": {
        "name": lambda user: user.name,
        "given_name": lambda user: user.given_name,
        "family_name": lambda user: user.family_name,
        "preferred_username": lambda user: user.username,
        "locale": lambda user: user.language,
        "zoneinfo": lambda user: user.time_zone,
    },
    "email": {
        "email": lambda user: user.email,
        # Said of an address only, and then said either way.
        "email_verified": lambda user: user.email_verified_at is not None if user.email else None,
    },
    "phone": {
        "phone_number": lambda user: user.phone,
        "phone_number_verified": lambda user: user.phone_verified_at is not None if user.phone else None,
    },
}


class Mapped(NamedTuple):
    """A custom attribute that becomes a claim where a scope is granted."""

    attribute: str
    claim: str
    scope: str


def allowed_of(mapped: Iterable[Mapped], told: Collection[str] | None) -> Iterable[Mapped]:
    """Of these what the person was asked about. told: names of attributes; None where nobody is asked."""
    return mapped if told is None else [each for each in mapped if each.attribute in told]


class Said(NamedTuple):
    """A claim's value and what it comes from: a scope, and the custom attribute that holds it ("" if none does)."""

    value: Any
    scope: str
    attribute: str = ""


def claims_said(user: User, scopes: Collection[str], mapped: Iterable[Mapped] = ()) -> dict[str, Said]:
    """The claims of the granted scopes that have a value; a claim without one is left out (5.3.2)."""
    found: dict[str, Said] = {}
    for scope, claims in _BY_SCOPE.items():
        if scope in scopes:
            for name, read in claims.items():
                value = read(user)
                if value is not None and value != "":
                    found[name] = Said(value, scope)
    for each in mapped:
        # Names of ours can't be mapped to (accounts.attribute_rules); were one stored, ours would still win.
        if each.scope in scopes and each.attribute in user.attributes and each.claim not in SUPPORTED:
            found[each.claim] = Said(user.attributes[each.attribute], each.scope, each.attribute)
    return found


def person_claims(user: User, scopes: Collection[str], mapped: Iterable[Mapped] = ()) -> dict[str, Any]:
    """The same without where it comes from: what is put into ID tokens and answered by userinfo."""
    return {name: said.value for name, said in claims_said(user, scopes, mapped).items()}
