"""ID tokens of others: whose signature, for whom, from when, and in answer to which question.

OpenID Connect Core 1.0, 3.1.3.7; RFC 8725. Everything that the token says of itself (algorithm, key) is only a choice
among what was fetched from the provider.
"""

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

ALGORITHMS = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "EdDSA": "OKP",
}
"""What may sign. Neither `none` nor a shared secret is among them: an attacker could choose it (RFC 8725, 2.1)."""

KEY_TYPES: dict[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
LEAST_RSA_BITS = 2048
MAX_TOKEN = 16 * 1024
MAX_SUBJECT = 150
"""Shorter than the column: some subjects carry their tenant."""
SKEW = 60
OLDEST = 10 * 60
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MICROSOFT_ISSUER = re.compile(r"https://login\.microsoftonline\.com/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/v2\.0")
"""A tenant that was configured by its domain is named by its id."""
TEMPLATE = "{tenantid}"
"""Microsoft's discovery for several tenants names no issuer, but how each tenant's looks."""

Claims = dict[str, Any]


class NotValid(Exception):
    """The token proves nothing. The text is for the log."""


class UnknownKey(NotValid):
    """It names a key that is not among those fetched: perhaps there is a new one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a valid token says."""

    issuer: str
    client_id: str
    nonce: str
    now: datetime


def header_of(token: str) -> dict[str, Any]:
    """What the token says of itself. Raises NotValid."""
    if len(token) > MAX_TOKEN or not token.isascii() or token.count(".") != 2:
        raise NotValid("no signed token")
    try:
        header = json.loads(urlsafe_b64decode(token.partition(".")[0].encode()))
    except (ValueError, RecursionError):
        raise NotValid("an unreadable header") from None
    if not isinstance(header, dict) or "crit" in header:
        raise NotValid("a header that asks for more than is known")
    return header


def verified_claims(token: str, keys: Sequence[Mapping[str, Any]], *, allowed: Sequence[str] = ()) -> Claims:
    """The claims of a token that one of the provider's keys signed. Raises NotValid, UnknownKey.

    allowed: the algorithms that the provider announces, if it does.
    """
    header = header_of(token)
    alg = header.get("alg")
    if alg not in ALGORITHMS or (allowed and alg not in allowed):
        raise NotValid("signed in a way that is not accepted")
    candidates = [key for key in _fitting(keys, alg) if not header.get("kid") or key.get("kid") == header["kid"]]
    if not candidates:
        raise UnknownKey("signed with a key that the provider doesn’t publish")
    for raw in candidates:
        try:
            signed = jws.deserialize_compact(token.encode(), _key(raw), algorithms=[alg])
            claims = json.loads(signed.payload)
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
        if not isinstance(claims, dict):
            raise NotValid("no claims")
        return claims
    raise NotValid("a wrong signature")


def _fitting(keys: Sequence[Mapping[str, Any]], alg: str) -> list[Mapping[str, Any]]:
    """Keys for signatures of this type. A symmetric key in a public list is never one."""
    return [
        key
        for key in keys
        if isinstance(key, Mapping)
        and key.get("kty") == ALGORITHMS[alg]
        and key.get("use", "sig") == "sig"
        and key.get("alg", alg) == alg
    ]


def has_usable_key(keys: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a token signed with any of them could be accepted."""
    for raw in keys:
        try:
            if isinstance(raw, Mapping) and raw.get("use", "sig") == "sig" and _key(raw):
                return True
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return False


def _key(raw: Mapping[str, Any]) -> Key:
    public = {name: value for name, value in raw.items() if name in ("kty", "kid", "n", "e", "crv", "x", "y")}
    key = KEY_TYPES[str(raw["kty"])].import_key(public)
    if isinstance(key, RSAKey) and key.raw_value.key_size < LEAST_RSA_BITS:
        raise ValueError("a short key")
    return key


def check_claims(claims: Claims, expected: Expected) -> None:
    """Raises NotValid unless the token was made by this issuer, for us, now, and in answer to this very question."""
    if claims.get("iss") != _issuer(expected.issuer, claims):
        raise NotValid("another issuer")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or expected.client_id not in audiences:
        raise NotValid("for somebody else")
    azp = claims.get("azp")
    if (len(audiences) > 1 or azp is not None) and azp != expected.client_id:
        raise NotValid("for somebody else’s use")
    _check_times(claims, int(expected.now.timestamp()))
    nonce = claims.get("nonce")
    # Required, not only compared: a token without one could be another sign-in's (OA-26).
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise NotValid("an answer to another question")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
        raise NotValid("about nobody")


def _issuer(issuer: str, claims: Claims) -> str:
    if TEMPLATE not in issuer:
        return issuer
    tenant = claims.get("tid")
    if not isinstance(tenant, str) or not _GUID.fullmatch(tenant):
        raise NotValid("of no tenant")
    return issuer.replace(TEMPLATE, tenant)


def _check_times(claims: Claims, now: int) -> None:
    for name in ("exp", "iat"):
        if isinstance(claims.get(name), bool) or not isinstance(claims.get(name), int | float):
            raise NotValid(f"without {name}")
    if claims["exp"] <= now - SKEW:
        raise NotValid("expired")
    if not now - OLDEST <= claims["iat"] <= now + SKEW:
        raise NotValid("made at another time")
    not_before = claims.get("nbf")
    if not_before is not None and (not isinstance(not_before, int | float) or not_before > now + SKEW):
        raise NotValid("not valid yet")
