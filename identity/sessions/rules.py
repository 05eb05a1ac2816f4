"""Pure decisions about sessions: what the ways of signing in are worth, in the words of the protocol."""

from collections.abc import Iterable
from datetime import timedelta

ACR_ONE = "urn:realmkeep:acr:1"
"""One factor: something known."""
ACR_TWO = "urn:realmkeep:acr:2"
"""Two factors of different kinds."""
ACR_THREE = "urn:realmkeep:acr:3"
"""Two factors of different kinds, one of which no look-alike page can be fed on: a passkey or security key."""
ACRS = (ACR_ONE, ACR_TWO, ACR_THREE)

_KINDS = {"pwd": "knows", "otp": "has", "sms": "has", "hwk": "has", "swk": "has", "user": "is"}
"""RFC 8176 method references → the kind of factor that they show."""

MAX_REASON = 40

ENDED_KEPT = timedelta(days=90)
"""How long the sessions page still shows a session that has ended or run out."""

NOBODYS_KEPT = timedelta(days=1)
"""The same for one in which nobody ever signed in: whoever opens a page makes one (DS-08)."""

DEVICE_KEPT = timedelta(days=200)
"""How long after its last sign-in a device is known: a little longer than its cookie lives."""

KEEPS_OFFLINE = frozenset({"signed_out", "another_account", "session_limit"})
"""Reasons of an end that offline access outlives: the person left, nobody took anything back (DECISIONS 17)."""


def amr_of(methods: Iterable[str]) -> list[str]:
    """RFC 8176 method references in order, each once; `mfa` is added when they show two kinds of factor."""
    once = list(dict.fromkeys(methods))
    kinds = {_KINDS[method] for method in once if method in _KINDS}
    return [*once, "mfa"] if len(kinds) > 1 and "mfa" not in once else once


def acr_of(amr: Iterable[str]) -> str:
    """The authentication context class that these methods reach (OpenID Connect Core 1.0, section 2)."""
    return ACR_TWO if "mfa" in amr else ACR_ONE
