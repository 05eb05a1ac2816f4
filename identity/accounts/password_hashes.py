"""Hashes of passwords that other products made: which are taken over, in which spelling, and how much work each may be.

Whoever writes a realm file chooses the work factor of each hash in it. A hash that takes a minute to verify, or a
gigabyte, would let him stall every sign-in by trying to sign in (DS-01): such a one is refused, naming the field, when
it is imported, and verifies nothing if it comes into the table by another way.
"""

import base64
import binascii
import re
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import Invalid

LONGEST = 512
FOREIGN = "phc"
"""What stands before a hash in the spelling of the Password Hashing Competition that Django has no hasher for."""

MOST_PBKDF2 = 2_500_000
"""Rounds, each for one block of the digest: about half a second."""
MOST_BCRYPT = 13
"""The logarithm of the rounds: about half a second."""
MOST_SCRYPT = 2**20
"""N · r · p: about half a second, and 128 MiB where p is 1."""
MOST_ARGON2_KIB = 131_072
MOST_ARGON2_PASSES = 524_288
"""Memory in KiB times passes: about half a second."""
MOST_LANES = 16

DIGESTS = {"sha1": 20, "sha256": 32, "sha512": 64}
_B64 = r"[A-Za-z0-9+/.]+={0,2}"
_ARGON2 = re.compile(rf"(?:argon2)?\$argon2(?:id|i)\$v=\d+\$m=(\d{{1,7}}),t=(\d{{1,5}}),p=(\d{{1,3}})\${_B64}\${_B64}")
_DJANGO_PBKDF2 = re.compile(rf"pbkdf2_(?:sha256|sha1)\$(\d{{1,8}})\$[^$]{{1,128}}\${_B64}")
_DJANGO_SCRYPT = re.compile(rf"scrypt\$(\d{{1,8}})\$[^$]{{1,128}}\$(\d{{1,4}})\$(\d{{1,4}})\${_B64}")
_BCRYPT = re.compile(r"(?:(bcrypt|bcrypt_sha256)\$)?(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53})")
_PHC_PBKDF2 = re.compile(
    rf"(?:{FOREIGN})?(\$pbkdf2-?(sha1|sha256|sha512)?\$(?:i=)?(\d{{1,8}})(?:,l=(\d{{1,3}}))?\$({_B64})\$({_B64}))"
)
_PHC_SCRYPT = re.compile(rf"(?:{FOREIGN})?(\$scrypt\$ln=(\d{{1,2}}),r=(\d{{1,3}}),p=(\d{{1,3}})\$({_B64})\$({_B64}))")


def unknown_hash() -> Invalid:
    """The refusal of what no hasher here reads (field password_hash)."""
    return Invalid(
        _("This is no hash of a kind that can be verified here: argon2id, PBKDF2, bcrypt or scrypt."),
        field="password_hash",
        code="hash_unknown",
    )


def _refuse_costly() -> Invalid:
    return Invalid(
        _("This hash takes more work than one sign-in may cost."), field="password_hash", code="hash_too_costly"
    )


def decoded(text: str) -> bytes:
    """Base64 with or without padding, also in passlib's spelling. Raises ValueError."""
    plain = text.replace(".", "+").rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


@dataclass(frozen=True, slots=True)
class Pbkdf2:
    """A foreign PBKDF2 hash, taken apart."""

    digest: str
    rounds: int
    salt: bytes
    hash: bytes

    @property
    def is_bearable(self) -> bool:
        """Each block of the result is as much work as the first."""
        blocks = -(-len(self.hash) // DIGESTS[self.digest])
        return 0 < self.rounds * blocks <= MOST_PBKDF2


@dataclass(frozen=True, slots=True)
class Scrypt:
    """A foreign scrypt hash, taken apart."""

    n: int
    r: int
    p: int
    salt: bytes
    hash: bytes

    @property
    def is_bearable(self) -> bool:
        """In time and memory; N is a power of two."""
        return (
            self.n > 1
            and self.n.bit_count() == 1
            and self.r > 0
            and self.p > 0
            and self.n * self.r * self.p <= MOST_SCRYPT
        )


def read_foreign(encoded: str) -> Pbkdf2 | Scrypt | None:
    """A hash in the spelling of the competition; None for any other text."""
    try:
        if found := _PHC_PBKDF2.fullmatch(encoded):
            _whole, digest, rounds, length, salt, result = found.groups()
            each = Pbkdf2(digest or "sha1", int(rounds), decoded(salt), decoded(result))
            # Shorter than 16 bytes is guessed, longer than 128 is no digest.
            return each if 16 <= len(each.hash) <= 128 and (not length or int(length) == len(each.hash)) else None
        if found := _PHC_SCRYPT.fullmatch(encoded):
            _whole, log, r, p, salt, result = found.groups()
            if int(log) > 30:
                log = "30"
            other = Scrypt(2 ** int(log), int(r), int(p), decoded(salt), decoded(result))
            return other if 16 <= len(other.hash) <= 128 else None
    except (ValueError, binascii.Error):
        return None
    return None


def storable_hash(encoded: str) -> str:
    """A hash as it is stored: in Django's spelling where it has one. Raises Invalid (field password_hash).

    Taken: argon2id, PBKDF2 (Django's, `$pbkdf2-sha256$i=27500,l=64$salt$hash` as Keycloak's and Auth0's are written,
    passlib's), bcrypt, scrypt (Django's, `$scrypt$ln=14,r=8,p=1$salt$hash`).
    """
    if len(encoded) > LONGEST - len(FOREIGN) or not encoded.isascii():
        raise unknown_hash()
    if found := _ARGON2.fullmatch(encoded):
        memory, passes, lanes = (int(number) for number in found.groups())
        if memory > MOST_ARGON2_KIB or memory * passes > MOST_ARGON2_PASSES or not 0 < lanes <= MOST_LANES:
            raise _refuse_costly()
        return encoded if encoded.startswith("argon2$") else f"argon2{encoded}"
    if found := _DJANGO_PBKDF2.fullmatch(encoded):
        if not 0 < int(found[1]) <= MOST_PBKDF2:
            raise _refuse_costly()
        return encoded
    if found := _DJANGO_SCRYPT.fullmatch(encoded):
        n, r, p = (int(number) for number in found.groups())
        if not Scrypt(n, r, p, b"", b"").is_bearable:
            raise _refuse_costly()
        return encoded
    if found := _BCRYPT.fullmatch(encoded):
        if not 4 <= int(found[3]) <= MOST_BCRYPT:
            raise _refuse_costly()
        return f"{found[1] or 'bcrypt'}${found[2]}"
    foreign = read_foreign(encoded)
    if foreign is None:
        raise unknown_hash()
    if not foreign.is_bearable:
        raise _refuse_costly()
    return encoded if encoded.startswith(FOREIGN) else f"{FOREIGN}{encoded}"


def is_bearable(encoded: str) -> bool:
    """Whether a stored hash is one that would be taken over: asked before it is verified."""
    try:
        storable_hash(encoded)
    except Invalid:
        return False
    return True
