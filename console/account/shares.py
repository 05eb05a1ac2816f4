"""Granted scopes in words, with the real values that go out."""

from collections.abc import Collection, Iterable
from typing import Any

from identity.accounts.models import User
from identity.applications.queries import realm_scopes
from identity.consent.models import Consent
from identity.consent.rules import OFFLINE
from identity.oauth.claims import person_claims


def titles_of(consents: Iterable[Consent]) -> dict[str, str]:
    """Scope → what it is called; nothing is asked when there is no consent to name."""
    if not any(consent.scopes for consent in consents):
        return {}
    return {scope.name: scope.title for scope in realm_scopes()}


def scopes_in_words(names: Collection[str], user: User) -> list[dict[str, Any]]:
    """What the scopes of one consent give away: title, description, values; in the realm's order of scopes.

    A scope that the realm no longer has gives nothing and is left out. How long it lasts is no scope to people.
    """
    out = []
    for scope in realm_scopes():
        if scope.name not in names or scope.name == OFFLINE:
            continue
        claims = person_claims(user, {scope.name})
        out.append(
            {
                "scope": scope.name,
                "title": scope.title,
                "description": scope.description,
                "sensitive": scope.sensitive,
                "values": [str(value) for value in claims.values() if not isinstance(value, bool)],
            }
        )
    return out
