"""Verifying hashes that other products made: in turn, never more of them at once than half of the processors.

They are slower than ours, and each is verified until its person comes in once: then it is replaced. Nobody's sign-in
waits for them (DS-01).
"""

import hashlib
import hmac
from typing import Any

import bcrypt
from django.contrib.auth.hashers import (
    BasePasswordHasher,
    BCryptPasswordHasher,
    BCryptSHA256PasswordHasher,
    PBKDF2PasswordHasher,
    PBKDF2SHA1PasswordHasher,
    ScryptPasswordHasher,
)

from identity.accounts.password_hashes import FOREIGN, Pbkdf2, is_bearable, read_foreign
from identity.signin.hashing import foreign_turn

MOST_MEMORY = 192 * 1024 * 1024
"""What scrypt may take: OWASP's parameters need 128 MiB, more than OpenSSL allows by itself."""
BCRYPT_BYTES = 72


class InTurn:
    """Before Django's hasher: is it bearable, and is it its turn?"""

    def verify(self, password: str, encoded: str) -> bool:
        """Whether the password is right; for a text that only looks like a hash it never is. Raises Unavailable."""
        if not is_bearable(encoded):
            return False
        with foreign_turn():
            try:
                return bool(super().verify(password, encoded))  # type: ignore[misc]
            except ValueError:
                return False


class ImportedPbkdf2Hasher(InTurn, PBKDF2PasswordHasher):  # type: ignore[misc]
    """Django's, SHA-256."""


class ImportedPbkdf2Sha1Hasher(InTurn, PBKDF2SHA1PasswordHasher):  # type: ignore[misc]
    """Django's, SHA-1."""


class ImportedBcryptSha256Hasher(InTurn, BCryptSHA256PasswordHasher):  # type: ignore[misc]
    """Django's, of the password's digest."""


class ImportedScryptHasher(InTurn, ScryptPasswordHasher):  # type: ignore[misc]
    """Django's."""

    maxmem = MOST_MEMORY


class _Bcrypt(BCryptPasswordHasher):
    def verify(self, password: str, encoded: str) -> bool:
        """bcrypt never looked at more than 72 bytes; its library refuses what is longer (LG-26)."""
        _algorithm, data = encoded.split("$", 1)
        return bool(bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], data.encode("ascii")))


class ImportedBcryptHasher(InTurn, _Bcrypt):  # type: ignore[misc]
    """Bare bcrypt, as most products keep it."""


class _Foreign(BasePasswordHasher):
    algorithm = FOREIGN

    def verify(self, password: str, encoded: str) -> bool:
        """PBKDF2 or scrypt, by what the text says."""
        found = read_foreign(encoded)
        if found is None:
            return False
        raw = password.encode()
        if isinstance(found, Pbkdf2):
            made = hashlib.pbkdf2_hmac(found.digest, raw, found.salt, found.rounds, dklen=len(found.hash))
        else:
            made = hashlib.scrypt(
                raw, salt=found.salt, n=found.n, r=found.r, p=found.p, maxmem=MOST_MEMORY, dklen=len(found.hash)
            )
        return hmac.compare_digest(made, found.hash)

    def encode(self, password: str, salt: str) -> str:
        """Nothing is made this way."""
        raise NotImplementedError

    def decode(self, encoded: str) -> dict[str, Any]:
        """What Django asks of every hasher."""
        return {"algorithm": self.algorithm, "hash": encoded}

    def must_update(self, encoded: str) -> bool:
        """Always: the first sign-in replaces it."""
        return True

    def safe_summary(self, encoded: str) -> dict[str, Any]:
        """Nothing of it is shown."""
        return {"algorithm": self.algorithm}

    def harden_runtime(self, password: str, encoded: str) -> None:
        """It is as slow as it was made."""


class ImportedForeignHasher(InTurn, _Foreign):  # type: ignore[misc]
    """PBKDF2 and scrypt in the spelling of the Password Hashing Competition."""
