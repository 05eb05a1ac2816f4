"""Access tokens (RFC 9068) and ID tokens: made and signed here, never stored (DECISIONS 18)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from identity.accounts.models import User
from identity.kernel.errors import Unavailable
from identity.kernel.ids import uuid7
from identity.kernel.naming import issuer_of
from identity.oauth import rules, signing
from identity.oauth.claims import person_claims
from identity.oauth.queries.clients import Client
from identity.realms.models import Realm


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom a token is about, and how that person signed in."""

    user: User
    sid: UUID | None
    auth_time: datetime | None
    amr: Sequence[str]
    acr: str
    roles: Sequence[str]
    family_id: UUID | None

    def sign_in_claims(self) -> dict[str, Any]:
        """How and when the person signed in, and what the person may do in the application."""
        found: dict[str, Any] = {
            "auth_time": int(self.auth_time.timestamp()) if self.auth_time else None,
            "amr": list(self.amr),
            "acr": self.acr,
            "sid": str(self.sid) if self.sid else None,
            "roles": list(self.roles),
        }
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Minted:
    """What a client gets, without its refresh token."""

    jti: UUID
    access_token: str
    id_token: str | None
    expires_in: int
    scopes: list[str]

    def answer(self, refresh_token: str | None) -> dict[str, Any]:
        """The token response (RFC 6749, 5.1)."""
        found: dict[str, Any] = {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "scope": " ".join(self.scopes),
        }
        if refresh_token is not None:
            found["refresh_token"] = refresh_token
        if self.id_token is not None:
            found["id_token"] = self.id_token
        return found


def mint(
    realm: Realm, client: Client, *, scopes: list[str], now: datetime, person: Person | None, nonce: str = ""
) -> Minted:
    """Tokens for these scopes; an ID token if `openid` is among them. `person` is None for the application itself.

    Raises Unavailable if the realm has no key.
    """
    if client.signer is None:
        raise Unavailable
    issuer, jti, lifetime = issuer_of(realm), uuid7(), int(realm.setting("access_token_lifetime"))
    client_id, issued = client.application.client_id, int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": str(person.user.pk) if person else client_id,
        "aud": client.audience_of(scopes, issuer),
        "exp": issued + lifetime,
        "iat": issued,
        "jti": str(jti),
        "client_id": client_id,
        "scope": " ".join(scopes),
    }
    if person is not None:
        claims |= person.sign_in_claims()
        if person.family_id is not None:
            claims["fid"] = str(person.family_id)
    access_token = client.signer.sign(claims, typ=signing.ACCESS_TOKEN)
    id_token = None
    if person is not None and rules.OPENID in scopes:
        id_token = client.signer.sign(_id_claims(claims, person, scopes, access_token, nonce), typ=signing.ID_TOKEN)
    return Minted(jti, access_token, id_token, lifetime, scopes)


def _id_claims(
    access: dict[str, Any], person: Person, scopes: list[str], access_token: str, nonce: str
) -> dict[str, Any]:
    issued = access["iat"]
    found = {
        "iss": access["iss"],
        "sub": access["sub"],
        "aud": access["client_id"],
        "exp": issued + int(rules.ID_TOKEN_LIFETIME / timedelta(seconds=1)),
        "iat": issued,
        "at_hash": rules.half_hash(access_token),
        **person.sign_in_claims(),
        **person_claims(person.user, scopes),
    }
    if nonce:
        found["nonce"] = nonce
    return found
