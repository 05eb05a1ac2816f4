"""Signing and verifying JWTs with a realm's keys. Parsed keys are cached by content, so no cache can be stale.

Who is trusted is decided by the caller, who reads the key's row at each request: this module keeps no list of keys.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey
from joserfc.util import urlsafe_b64encode

from identity.kernel.crypto import unseal

ACCESS_TOKEN = "at+jwt"
ID_TOKEN = "JWT"
ALGORITHMS = ("ES256", "RS256")
MAX_TOKEN = 16 * 1024
TABLE = "identity_signingkey"
FIELD = "private_sealed"

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs."""

    kid: str
    alg: str
    key: Key

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """A signed compact JWT of this type (RFC 7515; RFC 8725, 3.11: the type tells tokens apart).

        The algorithm comes from our own row, so the library's negotiation of headers, half of what it costs, is left
        out, and so are its questions to the key, which is one of ours.
        """
        payload = orjson.dumps(claims)
        message = b".".join((_header(self.alg, typ, self.kid), urlsafe_b64encode(payload)))
        signature = self._es256(message) if isinstance(self.key, ECKey) else self._other(message)
        return b".".join((message, urlsafe_b64encode(signature))).decode()

    def _es256(self, message: bytes) -> bytes:
        """Both numbers of the signature, 32 bytes each (RFC 7518, 3.4)."""
        r, s = decode_dss_signature(self.key.private_key.sign(message, _ES256))
        return r.to_bytes(32) + s.to_bytes(32)

    def _other(self, message: bytes) -> bytes:
        signature: bytes = jws.JWSRegistry.algorithms[self.alg].sign(message, self.key)
        return signature


_ES256 = ECDSA(SHA256())


@lru_cache(maxsize=512)
def _header(alg: str, typ: str, kid: str) -> bytes:
    return urlsafe_b64encode(json.dumps({"alg": alg, "typ": typ, "kid": kid}, separators=(",", ":")).encode())


@dataclass(frozen=True, slots=True)
class Unverified:
    """A JWT that was taken apart. Nothing in it may be believed before `verified` said so."""

    token: str
    kid: str
    alg: str
    typ: str
    claims: Claims


def new_key(alg: str) -> tuple[str, dict[str, Any], bytes]:
    """A new key: its kid (the RFC 7638 thumbprint), public JWK and private part."""
    parameters = {"alg": alg, "use": "sig"}
    made: Key = ECKey.generate_key("P-256", parameters) if alg == "ES256" else RSAKey.generate_key(2048, parameters)
    kid = made.thumbprint()
    public = {**made.as_dict(private=False), "kid": kid, **parameters}
    return kid, public, json.dumps(made.as_dict(private=True)).encode()


def public_part(private: dict[str, Any], alg: str) -> tuple[str, dict[str, Any]]:
    """kid and public JWK of a private one. Raises joserfc's errors, KeyError or ValueError when it is none of `alg`."""
    if alg not in ALGORITHMS or "d" not in private:
        raise ValueError(alg)
    key = _imported(private, alg)
    kid = key.thumbprint()
    return kid, {**key.as_dict(private=False), "kid": kid, "alg": alg, "use": "sig"}


@lru_cache(maxsize=512)
def signer_of(realm_id: UUID, key_id: UUID, kid: str, alg: str, sealed: bytes) -> Signer:
    """The signer of a stored key. Raises SealBroken."""
    private = json.loads(unseal(sealed, realm_id=realm_id, table=TABLE, pk=key_id, field=FIELD))
    return Signer(kid, alg, _imported(private, alg))


@lru_cache(maxsize=1024)
def _public_key(jwk: str, alg: str) -> Key:
    return _imported(json.loads(jwk), alg)


def _imported(jwk: dict[str, Any], alg: str) -> Key:
    return ECKey.import_key(jwk) if alg == "ES256" else RSAKey.import_key(jwk)


def _decoded(part: str) -> bytes:
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        # Another spelling of the same bytes would be the same token under a name that no denylist knows (OA-22).
        raise ValueError("not canonical base64url")
    return raw


def take_apart(token: str, *, typ: str) -> Unverified | None:
    """Header and claims of a compact JWT of this type, or None. Nothing is verified yet.

    The type must fit: an ID token is signed by the same key and must never pass as an access token. The algorithm must
    be one of ours: neither `none` nor a MAC keyed with our public key (RFC 8725, 3.1).
    """
    if len(token) > MAX_TOKEN or token.count(".") != 2:
        return None
    head, body, signature = token.split(".")
    try:
        header, claims = orjson.loads(_decoded(head)), orjson.loads(_decoded(body))
        _decoded(signature)
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict) or "crit" in header:
        return None
    kid, alg, found = header.get("kid"), header.get("alg"), header.get("typ")
    if not isinstance(kid, str) or len(kid) > 64 or alg not in ALGORITHMS or found != typ:
        return None
    return Unverified(token, kid, alg, typ, claims)


def verified(found: Unverified, *, public_jwk: str, alg: str) -> bool:
    """Whether the token was signed by this key (its JWK as text), by the key's own algorithm (algorithm confusion).

    `take_apart` has read the header, strictly; what is left for the library is the signature.
    """
    if found.alg != alg:
        return False
    message, _, signature = found.token.rpartition(".")
    try:
        return bool(
            jws.JWSRegistry.algorithms[alg].verify(message.encode(), _decoded(signature), _public_key(public_jwk, alg))
        )
    except (JoseError, ValueError):
        return False
