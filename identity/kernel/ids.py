"""Identifiers: time-ordered UUIDs (RFC 9562, version 7) and their public, typed spelling."""

import base64
import binascii
import os
import secrets
import threading
import time
from datetime import UTC, datetime
from uuid import UUID

from identity.kernel import clock

PREFIXES = {
    "user": "usr",
    "application": "app",
    "session": "ses",
    "role": "rol",
    "realm": "rlm",
    "organization": "org",
    "alert": "alr",
    "event": "evt",
    "export": "exp",
    "invitation": "inv",
    "consent": "cns",
    "key": "key",
    "visit": "vis",
    "secret": "sec",
    "message": "msg",
    "view": "vew",
    "sms_provider": "smp",
    "attribute": "atr",
}

_lock = threading.Lock()
_last = 0
_last_moved = 0


def uuid7() -> UUID:
    """A new version 7 UUID. A process makes them in order; under a moved clock, in order within each millisecond."""
    global _last, _last_moved
    moved = clock.is_moved()
    milliseconds = int(clock.now().timestamp() * 1000) if moved else time.time_ns() // 1_000_000
    with _lock:
        value = _compose(milliseconds, _random())
        if not moved:
            value = _last = value if value > _last else _after(_last)
        else:
            if value >> 80 == _last_moved >> 80 and value <= _last_moved:
                value = _after(_last_moved)
            _last_moved = value
    return UUID(int=value)


def _random() -> int:
    """74 bits."""
    return int.from_bytes(os.urandom(10)) >> 6


def _after(value: int) -> int:
    """A little above `value`, with version and variant in place."""
    following = value + 1 + secrets.randbits(16)
    following = (following & ~(0xF << 76) & ~(0x3 << 62)) | (0x7 << 76) | (0x2 << 62)
    return following if following > value else _compose((value >> 80) + 1, _random())


def _compose(milliseconds: int, random: int) -> int:
    return milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0x2 << 62 | random & ((1 << 62) - 1)


def uuid7_floor(moment: datetime) -> UUID:
    """The lowest id of `moment`'s millisecond: a bound for date filters over ids."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def uuid7_time(value: UUID) -> datetime:
    """The millisecond that `value` was made in, in UTC."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, UTC)


def public_id(kind: str, value: UUID) -> str:
    """`usr_…`: the type's prefix and lower-case base32 of the 16 bytes. Raises KeyError for an unknown kind."""
    return f"{PREFIXES[kind]}_{base64.b32encode(value.bytes).decode().rstrip('=').lower()}"


def parse_public_id(kind: str, text: str) -> UUID | None:
    """The UUID of a public id, or None when `text` is not one of this kind."""
    prefix, _, rest = text.partition("_")
    if prefix != PREFIXES[kind] or len(rest) != 26:
        return None
    try:
        return UUID(bytes=base64.b32decode(rest.upper() + "======"))
    except (binascii.Error, ValueError):
        return None
