"""What tokens and userinfo say about a person, by scope (OpenID Connect Core 1.0, 5.4)."""

from collections.abc import Collection
from typing import Any

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


def person_claims(user: User, scopes: Collection[str]) -> dict[str, Any]:
    """The claims of the granted scopes that have a value; a claim without one is left out (5.3.2)."""
    found: dict[str, Any] = {}
    if "profile" in scopes:
        found |= {
            "name": user.name,
            "given_name": user.given_name,
            "family_name": user.family_name,
            "preferred_username": user.username,
            "locale": user.language,
            "zoneinfo": user.time_zone,
        }
    if "email" in scopes and user.email:
        found |= {"email": user.email, "email_verified": user.email_verified_at is not None}
    if "phone" in scopes and user.phone:
        found |= {"phone_number": user.phone, "phone_number_verified": user.phone_verified_at is not None}
    return {name: value for name, value in found.items() if value not in (None, "")}
