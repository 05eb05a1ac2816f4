"""Pure decisions of sign-in: which networks an address counts for, and when the way in is paused."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

ANNOUNCED = 2
"""So many tries before a pause, it is announced."""


@dataclass(frozen=True, slots=True)
class LockOut:
    """After so many wrong tries the way in is paused; who goes on meets a longer pause, and a third one."""

    tries: int
    pause: timedelta

    @property
    def longer_pause(self) -> timedelta:
        """Eight times the first one, and no longer than a day, unless two of the first are."""
        return max(2 * self.pause, min(8 * self.pause, timedelta(days=1)))

    @property
    def longest_pause(self) -> timedelta:
        """Of an account that is tried from everywhere: half a day, unless two of the first are longer."""
        return max(2 * self.pause, timedelta(hours=12))


def networks_of(ip: str) -> tuple[str, ...]:
    """What an address counts for: itself, or for IPv6 its /64, /56 and /48.

    One subscriber owns a /64 at least and can easily get a /48, so counting single addresses limits nothing (RL-02).
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ()
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return (str(address.ipv4_mapped),)
        return tuple(str(ipaddress.ip_network((address, length), strict=False)) for length in (64, 56, 48))
    return (str(address),)


def tries_left(counted: Iterable[tuple[int, int]]) -> int:
    """How many more tries there are under the tightest of several limits; pairs of count and most."""
    return max(0, min((most - count for count, most in counted), default=0))


def paused_until(ends: Iterable[datetime]) -> datetime | None:
    """When all exceeded limits are over; None when nothing is exceeded."""
    return max(ends, default=None)


def safe_return(url: str, *, prefix: str) -> bool:
    """Whether a `next` may be followed after sign-in: a path inside this realm's mount and nothing else.

    Stops an open redirect to another site, and to another realm of the same host. Browsers read a backslash as a slash
    and drop control characters, and they walk up at dots, also encoded ones: such a path leads elsewhere than it looks.
    """
    if not url.startswith(f"{prefix}/") or url.startswith("//"):
        return False
    if any(char == "\\" or char.isspace() or not char.isprintable() for char in url):
        return False
    path = re.split(r"[?#]", url, maxsplit=1)[0]
    return not any(segment.lower().replace("%2e", ".") in (".", "..") for segment in path.split("/"))


class HitKind(StrEnum):
    """What a change of policy does to people. The first two are dangers, the others are steps they will meet."""

    LOCKED_OUT = "locked_out"
    MUST_VERIFY_EMAIL = "must_verify_email"
    MUST_VERIFY_PHONE = "must_verify_phone"
    MUST_ENROLL = "must_enroll"
    MUST_ACCEPT_TERMS = "must_accept_terms"
    MUST_CHANGE_PASSWORD = "must_change_password"
    AT_NEXT_PASSWORD = "at_next_password"
    PAUSED_SOONER = "paused_sooner"
    LOSES_FACTOR = "loses_factor"
    CANT_CONFIRM = "cant_confirm"
    LOSES_SESSIONS = "loses_sessions"
    NO_MORE_SESSIONS = "no_more_sessions"


@dataclass(frozen=True, slots=True)
class Hit:
    """So many people would meet this when the change is saved; `some` by id and name, for who may see people."""

    kind: HitKind
    people: int
    some: tuple[tuple[UUID, str], ...] = ()
