"""For tests: an authenticator in software, and codes of an app at a moment."""

import hashlib
import json
import os
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

from identity.mfa.rules import step_at

UP, UV, BE, BS, AT = 1, 4, 8, 16, 64


def code_at(secret: str, moment: datetime, offset: int = 0) -> str:
    """What an authenticator app shows."""
    return format_hotp_value(hotp_value(secret, step_at(moment) + offset))


class SoftKey:
    """Makes and uses one credential as a browser and an authenticator would together."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = os.urandom(32)
        self.user_handle = b""
        self.counter = 0
        self.flags = UP | UV

    def _rp_hash(self) -> bytes:
        return hashlib.sha256((urlsplit(self.origin).hostname or "").encode()).digest()

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """`navigator.credentials.create`."""
        self.user_handle = websafe_decode(options["user"]["id"])
        key = ES256.from_cryptography_key(self.private.public_key())
        data = AuthenticatorData.create(
            self._rp_hash(),
            self.flags | AT,
            self.counter,
            AttestedCredentialData.create(b"\0" * 16, self.credential_id, key),
        )
        client = self._client_data("webauthn.create", options["challenge"])
        return {
            "id": websafe_encode(self.credential_id),
            "rawId": websafe_encode(self.credential_id),
            "type": "public-key",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": {
                "clientDataJSON": websafe_encode(client),
                "attestationObject": websafe_encode(bytes(AttestationObject.create("none", data, {}))),
            },
        }

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """`navigator.credentials.get`."""
        self.counter += 1
        data = AuthenticatorData.create(self._rp_hash(), self.flags, self.counter)
        client = self._client_data("webauthn.get", options["challenge"])
        signature = self.private.sign(bytes(data) + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return {
            "id": websafe_encode(self.credential_id),
            "rawId": websafe_encode(self.credential_id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(bytes(data)),
                "signature": websafe_encode(signature),
                "userHandle": websafe_encode(self.user_handle),
            },
        }
