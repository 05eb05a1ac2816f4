"""ID tokens that come back as hints: who the client believes is signed in (OpenID Connect Core 1.0, 3.1.2.1)."""

import json
from dataclasses import dataclass
from uuid import UUID

from identity.kernel import clock
from identity.kernel.naming import issuer_of
from identity.oauth import signing
from identity.oauth.queries.keys import former_key
from identity.realms.models import Realm


@dataclass(frozen=True, slots=True)
class Hint:
    """What a genuine ID token of this realm says. It may be expired, and is no proof of anybody's presence."""

    subject: UUID
    client_id: str
    sid: UUID | None
    is_expired: bool


def read_hint(realm: Realm, token: str) -> Hint | None:
    """The hint, or None if it is no ID token that a key of this realm signed; also one that is published no more."""
    found = signing.take_apart(token, typ=signing.ID_TOKEN)
    if found is None:
        return None
    key = former_key(realm, kid=found.kid)
    if key is None or not signing.verified(found, public_jwk=json.dumps(key.public_jwk, sort_keys=True), alg=key.alg):
        return None
    claims = found.claims
    if claims.get("iss") != issuer_of(realm) or not isinstance(claims.get("aud"), str):
        return None
    try:
        subject = UUID(claims["sub"])
        sid = UUID(claims["sid"]) if "sid" in claims else None
        expired = int(claims["exp"]) <= clock.now().timestamp()
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    return Hint(subject, claims["aud"], sid, expired)


def subject_of_hint(realm: Realm, token: str) -> UUID | None:
    """Whom the hint names, or None."""
    hint = read_hint(realm, token)
    return hint.subject if hint is not None else None
