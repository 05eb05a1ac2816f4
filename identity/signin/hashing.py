"""Password hashing: argon2id with OWASP's parameters, never more of it at once than there are processors."""

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from identity.accounts.password_hashes import is_bearable
from identity.accounts.password_rules import MAX_PASSWORD_LENGTH
from identity.kernel.errors import Unavailable

LONGEST_WAIT = 2.0
"""Seconds that a sign-in waits for its turn before it is refused as busy."""

PLACES = len(os.sched_getaffinity(0)) or 1
_turns = threading.BoundedSemaphore(PLACES)


@lru_cache(maxsize=1)
def _hashers() -> ThreadPoolExecutor:
    """The threads that hash: as many as processors, always the same ones.

    Each hash works in 19 MiB. In the threads of requests each would have memory of its own, cold at every sign-in,
    which costs a tenth of the hash; these few keep theirs.
    """
    return ThreadPoolExecutor(max_workers=PLACES, thread_name_prefix="argon2")


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


_foreign_turns = threading.BoundedSemaphore(max(1, PLACES // 2))


@contextmanager
def foreign_turn() -> Iterator[None]:
    """A place for a hash that another product made: half of them at most, since one may take half a second.

    Raises Unavailable after LONGEST_WAIT.
    """
    if not _foreign_turns.acquire(timeout=LONGEST_WAIT):
        raise Unavailable
    try:
        yield
    finally:
        _foreign_turns.release()


class Argon2idHasher(Argon2PasswordHasher):
    """argon2id, m=19 MiB, t=2, p=1 (DECISIONS 32). Django's own default takes 100 MiB for each sign-in."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Hash in turn. Raises Unavailable."""
        with _turn():
            return str(_hashers().submit(super().encode, password, salt).result())

    def verify(self, password: str, encoded: str) -> bool:
        """Verify in turn. Raises Unavailable."""
        with _turn():
            return bool(_hashers().submit(super().verify, password, encoded).result())


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """A hash that no password verifies: what unknown names are compared with, at the same cost."""
    return make_password(secrets.token_urlsafe(32))


def verify_password(encoded: str | None, password: str, *, on_old_hash: Callable[[str], None] | None = None) -> bool:
    """Whether the password is right. One verification, whoever is meant: also for nobody, without password, too long.

    Stops an attacker from telling accounts by the time that the refusal takes (LG-23), from making us hash megabytes
    (LG-26), and from making us work for hours at a hash that he brought (DS-01). on_old_hash: called with a new hash
    when the stored one was made with other parameters. Raises Unavailable.
    """
    usable = encoded is not None and is_bearable(encoded) and 0 < len(password) <= MAX_PASSWORD_LENGTH
    if not usable:
        check_password("-", _nobodys_hash())
        return False

    def renew(raw: str) -> None:
        if on_old_hash is not None:
            on_old_hash(make_password(raw))

    return check_password(password, str(encoded), setter=renew)


class MaximumLengthValidator:
    """No password longer than 256 characters: hashing megabytes is a way to keep a server busy (LG-26)."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        if len(password) > MAX_PASSWORD_LENGTH:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """The rule as a sentence."""
        return str(_("Use at most %(most)s characters.") % {"most": MAX_PASSWORD_LENGTH})
