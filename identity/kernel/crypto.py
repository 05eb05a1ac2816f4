"""Sealed fields (AEAD), keyed hashes and keys per subject, all under keys that the database does not hold.

* Sealed field: AES-256-GCM under HKDF(master key, realm), with realm, table, row and field as associated data, so that
  a box moved to another row, field or realm does not open (DP-02).
* Keyed hash: HMAC-SHA256 under a pepper, with a label and the realm, for secrets that we generate and for look-ups of
  tokens, addresses and names. Not for passwords: those are chosen by people and need argon2id.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from identity.kernel.keyring import Key

VERSION = 1
NONCE_BYTES = 12
KEY_BYTES = 32


class SealBroken(Exception):
    """A sealed value does not open: wrong row, field or realm, unknown key id, or altered bytes."""


def master_keys() -> Sequence[Key]:
    """The installation's master keys; the first one writes, all of them read (REALMKEEP_MASTER_KEYS)."""
    return tuple(settings.REALMKEEP_MASTER_KEYS)


def peppers() -> Sequence[Key]:
    """The installation's peppers; the first one writes, all of them are looked up (REALMKEEP_PEPPERS)."""
    return tuple(settings.REALMKEEP_PEPPERS)


@lru_cache(maxsize=512)
def _realm_key(secret: bytes, realm_id: UUID) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"rk/kek/" + realm_id.bytes).derive(secret)
    return AESGCM(derived)


def _binding(realm_id: UUID, table: str, pk: UUID, field: str) -> bytes:
    return b"|".join((realm_id.bytes, table.encode(), pk.bytes, field.encode()))


def seal(value: bytes, *, realm_id: UUID, table: str, pk: UUID, field: str) -> bytes:
    """`value` as a box of len(value) + 30 bytes: version, key id, nonce, ciphertext and tag."""
    key = master_keys()[0]
    nonce = os.urandom(NONCE_BYTES)
    box = _realm_key(key.secret, realm_id).encrypt(nonce, value, _binding(realm_id, table, pk, field))
    return bytes((VERSION, key.id)) + nonce + box


def unseal(box: bytes | memoryview, *, realm_id: UUID, table: str, pk: UUID, field: str) -> bytes:
    """The value of a box. Raises SealBroken."""
    box = bytes(box)
    if len(box) < 2 + NONCE_BYTES + 16 or box[0] != VERSION:
        raise SealBroken
    for key in master_keys():
        if key.id == box[1]:
            try:
                return _realm_key(key.secret, realm_id).decrypt(
                    box[2 : 2 + NONCE_BYTES], box[2 + NONCE_BYTES :], _binding(realm_id, table, pk, field)
                )
            except InvalidTag as error:
                raise SealBroken from error
    raise SealBroken


def needs_resealing(box: bytes) -> bool:
    """Whether a box was written under a master key that no longer writes (rotation)."""
    return bytes(box)[1] != master_keys()[0].id


def new_subject_key() -> bytes:
    """32 random bytes: the key that one person's data in the audit trail is sealed under."""
    return os.urandom(KEY_BYTES)


def seal_for_subject(value: bytes, *, key: bytes, binding: bytes) -> bytes:
    """`value` sealed under a subject's key; destroying that key erases the value everywhere it was copied to."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, value, binding)


def unseal_for_subject(box: bytes, *, key: bytes, binding: bytes) -> bytes:
    """The value of such a box. Raises SealBroken."""
    try:
        return AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], binding)
    except InvalidTag as error:
        raise SealBroken from error


def _keyed(pepper: Key, label: str, realm_id: UUID, value: bytes) -> bytes:
    message = label.encode() + b"\0" + realm_id.bytes + value
    return bytes((pepper.id,)) + hmac.digest(pepper.secret, message, hashlib.sha256)


def keyed_hash(label: str, realm_id: UUID, value: str | bytes) -> bytes:
    """33 bytes: pepper id and HMAC-SHA256 over label, realm and value, under the pepper that writes."""
    return _keyed(peppers()[0], label, realm_id, value.encode() if isinstance(value, str) else value)


def keyed_hashes(label: str, realm_id: UUID, value: str | bytes) -> list[bytes]:
    """The value's hash under each live pepper: what a look-up has to ask for (`… IN (…)`)."""
    raw = value.encode() if isinstance(value, str) else value
    return [_keyed(pepper, label, realm_id, raw) for pepper in peppers()]


def new_secret(nbytes: int = 32) -> str:
    """A URL-safe random secret with `nbytes` of entropy; only its keyed hash is ever stored."""
    return secrets.token_urlsafe(nbytes)


def mac(label: str, message: bytes) -> bytes:
    """HMAC-SHA256 of our own messages (job envelopes, signed links) under the writing pepper; 33 bytes with its id."""
    pepper = peppers()[0]
    return bytes((pepper.id,)) + hmac.digest(pepper.secret, label.encode() + b"\0" + message, hashlib.sha256)


def mac_is_right(label: str, message: bytes, tag: bytes) -> bool:
    """Whether `tag` is the message's MAC under a live pepper, compared in constant time."""
    return any(
        hmac.compare_digest(
            bytes((pepper.id,)) + hmac.digest(pepper.secret, label.encode() + b"\0" + message, hashlib.sha256),
            tag,
        )
        for pepper in peppers()
    )
