"""Pure decisions about passwords: what a realm asks of a new one, when one has to be replaced, and what is kept."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import Invalid

MAX_PASSWORD_LENGTH = 256
MOST_SIMILAR = 0.7
SHORTEST_OWN_WORD = 4
FEWEST_CHARACTERS = 4
"""So many different characters at least: fewer are a key that was held down."""

ALL_CLASSES = 4


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """What a realm asks of passwords. `history`: so many of the last ones, the present one first, are refused."""

    min_length: int = 10
    character_classes: int = 0
    history: int = 0
    max_age: timedelta | None = None
    breach_check: str = "bundled"


def policy_of(setting: Callable[[str], Any]) -> PasswordPolicy:
    """The policy in force. setting: gives a realm's setting by its name."""
    age = int(setting("password_max_age"))
    return PasswordPolicy(
        min_length=int(setting("password_min_length")),
        character_classes=int(setting("password_character_classes")),
        history=int(setting("password_history")),
        max_age=timedelta(seconds=age) if age else None,
        breach_check=str(setting("password_breach_check")),
    )


DEFAULT_POLICY = PasswordPolicy()


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a password is refused: a stable code and a sentence."""

    code: str
    message: str | Promise


USED_BEFORE = Problem("password_used_before", _("You had this one before. Choose another one."))
BREACHED = Problem(
    "password_breached",
    _("This one is in lists of stolen passwords, which are tried everywhere. Choose another one."),
)


@lru_cache(maxsize=1)
def _common_passwords() -> Collection[str]:
    """The list that Django brings: the twenty thousand most common ones."""
    passwords: Collection[str] = CommonPasswordValidator().passwords
    return passwords


def _is_like(password: str, own: str) -> bool:
    if len(own) < SHORTEST_OWN_WORD:
        return False
    if own in password:
        return len(own) * 2 >= len(password)
    # A word much shorter than the password can't be what it is made of; the comparison is quadratic.
    if len(password) >= 10 * len(own):
        return False
    return SequenceMatcher(a=password, b=own).quick_ratio() >= MOST_SIMILAR


def character_classes(password: str) -> int:
    """How many of the four it has: small letters, capital letters, digits, and all else. Scripts without case count
    their letters as small ones.
    """
    found = set()
    for char in password:
        if char.isalpha():
            found.add("upper" if char.isupper() else "lower")
        else:
            found.add("digit" if char.isdecimal() else "other")
    return len(found)


def password_problems(
    password: str, own_words: Iterable[str | None] = (), *, policy: PasswordPolicy = DEFAULT_POLICY
) -> list[Problem]:
    """Everything that is wrong with a new password as a text; empty when it is good.

    own_words: name and identifiers of the person, which a guesser tries first. What needs to be looked up, earlier
    passwords and stolen ones, is asked by the command.
    """
    if len(password) > MAX_PASSWORD_LENGTH:
        # Alone, and before anything looks at the text: megabytes are compared, not read (LG-26).
        return [
            Problem("password_too_long", _("Use at most %(most)s characters.") % {"most": MAX_PASSWORD_LENGTH}),
        ]
    found: list[Problem] = []
    if len(password) < policy.min_length:
        found.append(
            Problem("password_too_short", _("Use at least %(least)s characters.") % {"least": policy.min_length})
        )
    if character_classes(password) < policy.character_classes:
        found.append(Problem("password_too_plain", classes_sentence(policy.character_classes)))
    if "\0" in password:
        found.append(Problem("password_unusable", _("A password can’t contain this character.")))
    lowered = password.casefold()
    words = {
        part
        for own in own_words
        if own
        for part in (own.casefold(), *re.split(r"\W+", own.casefold()))
        if len(part) >= SHORTEST_OWN_WORD
    }
    if any(_is_like(lowered, word) for word in words):
        found.append(Problem("password_too_similar", _("This is too close to your name or email.")))
    listed = policy.breach_check != "off" and lowered.strip() in _common_passwords()
    if listed or len(set(lowered)) < FEWEST_CHARACTERS:
        found.append(
            Problem("password_too_common", _("This is one of the first that are tried. Use a few more words."))
        )
    return found


def classes_sentence(wanted: int) -> str | Promise:
    """The rule about kinds of characters in words."""
    if wanted >= ALL_CLASSES:
        return _("Use small letters, capital letters, digits and other characters.")
    return _("Use at least %(n)s of these: small letters, capital letters, digits, other characters.") % {"n": wanted}


def refusal_of(problems: list[Problem]) -> Invalid:
    """The refusal that names each unmet rule (field password), with the first one's code."""
    return Invalid(
        " ".join(str(problem.message) for problem in problems),
        field="password",
        code=problems[0].code,
        details={"problems": [problem.code for problem in problems]},
    )


def checked_password(
    password: str, own_words: Iterable[str | None] = (), *, policy: PasswordPolicy = DEFAULT_POLICY
) -> str:
    """The password, unchanged to the last space. Raises Invalid (field password), naming each unmet rule."""
    problems = password_problems(password, own_words, policy=policy)
    if problems:
        raise refusal_of(problems)
    return password


def kept_passwords(policy: PasswordPolicy) -> int:
    """How many former passwords are kept: the present one is the first that the policy refuses."""
    return max(0, policy.history - 1)


class ChangeReason(StrEnum):
    """Why a password has to be replaced before anybody comes in; the first three are stored on the account."""

    ADMIN = "admin"
    BREACHED = "breached"
    CONTAINED = "contained"
    EXPIRED = "expired"


def change_due(
    policy: PasswordPolicy, *, required: str, changed_at: datetime | None, now: datetime, by_password: bool
) -> ChangeReason | None:
    """Why this sign-in has to end with a new password; None when it doesn't.

    by_password: whether the password opened it. One that was never typed here grows old in peace; one that somebody
    required to be replaced is replaced whichever way the person comes in.
    """
    if required:
        known = {str(reason) for reason in ChangeReason}
        return ChangeReason(required) if required in known else ChangeReason.ADMIN
    return ChangeReason.EXPIRED if by_password and is_too_old(policy, changed_at, now) else None


def is_too_old(policy: PasswordPolicy, changed_at: datetime | None, now: datetime) -> bool:
    """Whether a password has to be replaced for its age. One of unknown age is too old as soon as there is a limit."""
    return policy.max_age is not None and (changed_at is None or changed_at <= now - policy.max_age)
