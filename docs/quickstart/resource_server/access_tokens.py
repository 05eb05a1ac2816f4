"""Verify JWT access tokens (RFC 9068) offline: all that is fetched from the server is its public keys.

Copy this file into your own API. It needs joserfc and requests. It cannot see that a token was revoked before
its end: keep lifetimes short, or ask the introspection endpoint where minutes matter.
"""

import threading
import time
from typing import Any

import requests
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

# Never what a token's header asks for: "none", or HS256 with our public key as the secret, would pass.
ALGORITHMS = ["ES256", "RS256"]
CLOCK_SKEW = 30  # seconds that our clock and the server's may differ
KEYS_LIVE = 600  # seconds after which the keys are read again, so that a withdrawn key is dropped
KEYS_REST = 10  # seconds between two reads for an unknown key id, which anybody can send
TIMEOUT = 10


class Refused(Exception):
    """The caller may not do this: the status, and the challenge of RFC 6750 that says why."""

    def __init__(self, status: int, code: str = "", **details: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code
        fields = {"realm": "orders", **({"error": code} if code else {}), **details}
        self.challenge = "Bearer " + ", ".join(f'{name}="{value}"' for name, value in fields.items())


class KeysUnavailable(Exception):
    """The server's keys cannot be read, so no token can be judged."""


class AccessTokens:
    """Judges the tokens that one issuer made for one audience. Safe to share between threads."""

    def __init__(self, issuer: str, audience: str) -> None:
        self.issuer = issuer
        self.audience = audience
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._read_at = 0.0
        # RFC 9068, section 4: all of these must be there.
        self._claims = jwt.JWTClaimsRegistry(
            leeway=CLOCK_SKEW,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},  # a token for another API must not open this one
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            jti={"essential": True},
            client_id={"essential": True},
        )

    def verify(self, authorization: str, *, scope: str) -> dict[str, Any]:
        """Return the claims of the token in the Authorization header.

        Raises Refused with 401 when there is no good token, and with 403 when it lacks the scope.
        """
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise Refused(401)
        try:
            token = self._decode(value.strip())
            # An ID token is signed by the same key for the same person; only its type tells it apart.
            if token.header.get("typ", "").lower() not in ("at+jwt", "application/at+jwt"):
                raise Refused(401, "invalid_token")
            self._claims.validate(token.claims)
        except (JoseError, ValueError):
            raise Refused(401, "invalid_token") from None
        if scope not in str(token.claims.get("scope", "")).split():
            raise Refused(403, "insufficient_scope", scope=scope)
        return token.claims

    def _decode(self, value: str) -> jwt.Token:
        """Verify the signature. An unknown key id may be a new key: then the keys are read again, once."""
        try:
            return jwt.decode(value, self._key_set(older_than=KEYS_LIVE), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            return jwt.decode(value, self._key_set(older_than=KEYS_REST), algorithms=ALGORITHMS)

    def _key_set(self, *, older_than: float) -> KeySet:
        with self._lock:
            if self._keys is None or time.monotonic() - self._read_at > older_than:
                self._keys = self._fetch_keys()
                self._read_at = time.monotonic()
            return self._keys

    def _fetch_keys(self) -> KeySet:
        try:
            metadata = _document(f"{self.issuer}/.well-known/openid-configuration")
            # A document that names another issuer would let that server sign for ours.
            if metadata.get("issuer") != self.issuer:
                raise KeysUnavailable("The discovery document names another issuer.")
            return KeySet.import_key_set(_document(metadata["jwks_uri"]))
        except (requests.RequestException, JoseError, KeyError, ValueError) as problem:
            raise KeysUnavailable("The keys of the issuer cannot be read.") from problem


def _document(url: str) -> Any:
    response = requests.get(url, timeout=TIMEOUT, allow_redirects=False)
    response.raise_for_status()
    if response.status_code != requests.codes.ok:
        raise ValueError(f"{url} answered {response.status_code}")
    return response.json()
