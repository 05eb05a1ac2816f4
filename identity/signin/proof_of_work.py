"""A small sum that a browser solves by itself before a form is taken: it costs a person nothing, and a bot each time.

The challenge is signed and kept nowhere: it says for which realm and form it is, how hard it is and when it was made.
Its solution is a number with which the SHA-256 of both begins with so many zero bits. Each serves once.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core import signing

from identity.kernel import clock, ratelimit
from identity.realms.models import Realm
from identity.signin import limits

LIFETIME = timedelta(hours=1)
EASIEST, HARDEST = 15, 20
"""Zero bits. An old phone does 2^17 hashes in about a second; 2^20 is for networks that ask again and again."""
EACH_HARDER = 3
ONCE = ratelimit.Limit("proof-of-work-once", 1, LIFETIME)
MAX_CHALLENGE, MAX_SOLUTION = 400, 20


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the page carries."""

    text: str
    bits: int


def _salt(realm: Realm, form: str) -> str:
    return f"identity.signin.proof-of-work.{realm.pk}.{form}"


def new_challenge(realm: Realm, form: str, *, ip: str) -> Challenge:
    """A challenge for one form of one realm; harder for a network that has sent forms lately."""
    bits = min(HARDEST, EASIEST + limits.sign_ups_of(ip) // EACH_HARDER)
    said = [secrets.token_urlsafe(12), bits, clock.now().timestamp()]
    return Challenge(signing.dumps(said, salt=_salt(realm, form)), bits)


def is_solved(realm: Realm, form: str, *, challenge: str, solution: str) -> bool:
    """Whether this solves a challenge of this realm and form, in time and for the first time."""
    if len(challenge) > MAX_CHALLENGE or not solution.isascii() or not solution.isdecimal():
        return False
    if len(solution) > MAX_SOLUTION:
        return False
    try:
        _nonce, bits, made = signing.loads(challenge, salt=_salt(realm, form))
        since = datetime.fromtimestamp(float(made), UTC)
    except (signing.BadSignature, ValueError, TypeError, OverflowError):
        return False
    if not timedelta(0) <= clock.now() - since < LIFETIME or zero_bits(f"{challenge}:{solution}") < int(bits):
        return False
    return ratelimit.hit(ONCE, challenge, moment=since) == 1


def zero_bits(text: str) -> int:
    """How many zero bits its SHA-256 begins with."""
    digest = int.from_bytes(hashlib.sha256(text.encode()).digest())
    return 256 - digest.bit_length()
