"""Password hashing: argon2id with OWASP's parameters, never more of it at once than there are processors."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from identity.accounts.rules import MAX_PASSWORD_LENGTH
from identity.kernel.errors import Unavailable

LONGEST_WAIT = 2.0
"""Seconds that a sign-in waits for its turn before it is refused as busy."""

_turns = threading.BoundedSemaphore(len(os.sched_getaffinity(0)) or 1)


@contextmanager
def _turn() -> Iterator[None]:
    """One of the few places at which a password is hashed.

    Stops a flood of sign-ins from taking all memory and starving every other endpoint (DS-01): 200 at once would be
    4 GB and minutes of waiting. Raises Unavailable after LONGEST_WAIT.
    """
    if not _turns.acquire(timeout=LONGEST_WAIT):
        raise Unavailable
    try:
        yield
    finally:
        _turns.release()


class Argon2idHasher(Argon2PasswordHasher):
    """argon2id, m=19 MiB, t=2, p=1 (DECISIONS 32). Django's own default takes 100 MiB for each sign-in."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Hash in turn. Raises Unavailable."""
        with _turn():
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        """Verify in turn. Raises Unavailable."""
        with _turn():
            return bool(super().verify(password, encoded))


class MaximumLengthValidator:
    """No password longer than 256 characters: hashing megabytes is a way to keep a server busy (LG-26)."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        if len(password) > MAX_PASSWORD_LENGTH:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """The rule as a sentence."""
        return str(_("Use at most %(most)s characters.") % {"most": MAX_PASSWORD_LENGTH})
