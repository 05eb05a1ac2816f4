"""Codes that we made, as they are stored: keyed hashes, so that reading the table gives none (DP-01)."""

import base64
import hmac
from uuid import UUID

from identity.kernel.context import NoRealm, current_realm_id
from identity.kernel.crypto import keyed_hash, keyed_hashes

_RECOVERY = "recovery-code"
_MESSAGE = "factor-code"
_ADDRESS = "factor-address"


def _realm_id() -> UUID:
    realm_id = current_realm_id()
    if realm_id is None:
        raise NoRealm("A factor's code was asked without a realm.")
    return realm_id


def hash_recovery_code(user_id: UUID, code: str) -> str:
    """A recovery code's hash as base64; bound to the person."""
    return base64.b64encode(keyed_hash(_RECOVERY, _realm_id(), f"{user_id}:{code}")).decode()


def recovery_code_hashes(user_id: UUID, code: str) -> list[str]:
    """The same under each live pepper."""
    return [base64.b64encode(one).decode() for one in keyed_hashes(_RECOVERY, _realm_id(), f"{user_id}:{code}")]


def hash_message_code(device_id: int, code: str) -> bytes:
    """A sent code's hash; bound to the device that it was sent to."""
    return keyed_hash(_MESSAGE, _realm_id(), f"{device_id}:{code}")


def message_code_matches(device_id: int, code: str, stored: bytes) -> bool:
    """Compared in constant time, under each live pepper."""
    return any(hmac.compare_digest(one, stored) for one in keyed_hashes(_MESSAGE, _realm_id(), f"{device_id}:{code}"))


def hash_address(to: str) -> bytes:
    """A number or address for the constraint that a person has it once."""
    return keyed_hash(_ADDRESS, _realm_id(), to)


def address_hashes(to: str) -> list[bytes]:
    """The same under each live pepper."""
    return keyed_hashes(_ADDRESS, _realm_id(), to)
