"""Signing keys in a realm file: sealed with a passphrase (scrypt, AES-256-GCM), each bound to its kid."""

import base64
import binascii
import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import Invalid
from identity.oauth.models import SigningKey
from identity.realmfiles.schema import SigningKeyPart

PASSPHRASE = "REALMKEEP_EXPORT_PASSPHRASE"
LEAST = 12
_SALT, _NONCE = 16, 12


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    if len(passphrase) < LEAST:
        raise Invalid(
            _("Set %(name)s to a passphrase of %(count)s characters or more.") % {"name": PASSPHRASE, "count": LEAST},
            field="sealed",
        )
    # 32 MiB a try: a leaked file is not opened by guessing short passphrases quickly.
    return AESGCM(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode()))


def sealed_keys(keys: Iterable[tuple[SigningKey, bytes]], passphrase: str) -> list[dict[str, str]]:
    """The keys as parts of a realm file. Raises Invalid for a short passphrase."""
    out = []
    for key, private in keys:
        salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
        box = _cipher(passphrase, salt).encrypt(nonce, private, key.kid.encode())
        out.append(
            {
                "kid": key.kid,
                "alg": key.alg,
                "status": str(key.status),
                "sealed": base64.b64encode(salt + nonce + box).decode(),
            }
        )
    return out


def open_key(part: SigningKeyPart, passphrase: str) -> bytes:
    """The private JWK of a part. Raises Invalid (field sealed) for a wrong passphrase or altered text."""
    try:
        raw = base64.b64decode(part.sealed, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(_("This is no sealed key."), field="sealed") from None
    salt, nonce, box = raw[:_SALT], raw[_SALT : _SALT + _NONCE], raw[_SALT + _NONCE :]
    try:
        return _cipher(passphrase, salt).decrypt(nonce, box, part.kid.encode())
    except InvalidTag:
        raise Invalid(_("It does not open with this passphrase."), field="sealed") from None
