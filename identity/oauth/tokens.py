"""Access tokens (RFC 9068) and ID tokens: made and signed here, never stored (DECISIONS 18)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from identity.accounts.models import User
from identity.kernel.errors import Unavailable
from identity.kernel.ids import uuid7
from identity.kernel.naming import issuer_of
from identity.oauth import rules, signing
from identity.oauth.claims import Mapped, allowed_of, person_claims
from identity.oauth.queries.clients import Client
from identity.realms.models import Realm


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom a token is about, and how that person signed in.

    told: the custom attributes that he lets the application have; None: it asks nobody.
    """

    user: User
    sid: UUID | None
    auth_time: datetime | None
    amr: Sequence[str]
    acr: str
    roles: Sequence[str]
    family_id: UUID | None
    told: Collection[str] | None = None

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
    jti = uuid7()
    claims = access_claims(realm, client, scopes=scopes, now=now, person=person, jti=jti)
    access_token = client.signer.sign(claims, typ=signing.ACCESS_TOKEN)
    id_token = None
    if person is not None and rules.OPENID in scopes:
        said = id_claims(claims, client, person, scopes=scopes, at_hash=rules.half_hash(access_token), nonce=nonce)
        id_token = client.signer.sign(said, typ=signing.ID_TOKEN)
    return Minted(jti, access_token, id_token, int(realm.setting("access_token_lifetime")), scopes)


def access_claims(
    realm: Realm, client: Client, *, scopes: list[str], now: datetime, person: Person | None, jti: UUID
) -> dict[str, Any]:
    """What an access token says (RFC 9068, 2.2). Signs nothing: also what a preview shows.

    A custom attribute stands in it where an API's scope releases it, since the token is for that API then.
    """
    issuer, issued = issuer_of(realm), int(now.timestamp())
    client_id = client.application.client_id
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": str(person.user.pk) if person else client_id,
        "aud": client.audience_of(scopes, issuer),
        "exp": issued + int(realm.setting("access_token_lifetime")),
        "iat": issued,
        "jti": str(jti),
        "client_id": client_id,
        "scope": " ".join(scopes),
    }
    if person is not None:
        if client.mapped:
            for_apis = [each for each in allowed_of(client.mapped, person.told) if client.audiences.get(each.scope)]
            of_apis = [name for name in scopes if client.audiences.get(name)]
            claims = {**person_claims(person.user, of_apis, for_apis), **claims}
        claims |= person.sign_in_claims()
        if person.family_id is not None:
            claims["fid"] = str(person.family_id)
    return claims


def id_claims(
    access: dict[str, Any], client: Client, person: Person, *, scopes: list[str], at_hash: str = "", nonce: str = ""
) -> dict[str, Any]:
    """What the ID token beside an access token says (OpenID Connect Core 1.0, 2)."""
    issued = access["iat"]
    found = {
        **person_claims(person.user, scopes, allowed_of(client.mapped, person.told)),
        "iss": access["iss"],
        "sub": access["sub"],
        "aud": access["client_id"],
        "exp": issued + int(rules.ID_TOKEN_LIFETIME / timedelta(seconds=1)),
        "iat": issued,
        **person.sign_in_claims(),
    }
    if at_hash:
        found["at_hash"] = at_hash
    if nonce:
        found["nonce"] = nonce
    return found


def userinfo_claims(user: User, scopes: Collection[str], mapped: Iterable[Mapped] = ()) -> dict[str, Any]:
    """What userinfo answers (OpenID Connect Core 1.0, 5.3.2)."""
    return {"sub": str(user.pk), **person_claims(user, scopes, mapped)}
