"""Pure decisions: when failures of sign-in are more than bad luck, and how grave a situation is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from identity.kernel.events import Severity


class Detector(StrEnum):
    """What looks for trouble. The value is stored and part of events: it never changes."""

    PASSWORD_GUESSING = "password_guessing"
    PASSWORD_SPRAYING = "password_spraying"
    REFRESH_REUSE = "refresh_reuse"
    CODE_REPLAY = "code_replay"
    SMS_BUDGET = "sms_budget"
    DENIED_SIGN_IN = "denied_sign_in"


WINDOW = timedelta(minutes=10)
"""Failures that lie further apart than this are not one situation."""

MOST_COUNTED = 1000
"""More failures than this are "1000 or more": a flood must not slow down what counts it (DS-07)."""

PERSON_TRIES = 5
PERSON_TRIES_HIGH = 15
PERSON_ADDRESSES_HIGH = 3
ADDRESS_TRIES = 10
ADDRESS_PEOPLE = 3
ADDRESS_TRIES_CRITICAL = 100

MOST_REVIEWS = 10
"""So many questions about sign-ins are shown at once."""
REVIEW_KEPT = timedelta(days=180)

BUDGETS = {
    "realm": Severity.HIGH,
    "platform": Severity.HIGH,
    "prefix": Severity.MEDIUM,
    "address": Severity.MEDIUM,
}
"""Budget of short messages → how grave it is that it is used up. One number's limit is no alert: people ask again."""

LADDER: Sequence[Severity] = (Severity.OK, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed sign-ins of one person, or from one address, in one window."""

    tries: int
    people: int
    addresses: int


def judge_person(found: Failures, *, got_in: bool) -> Severity | None:
    """How grave failures for one person are; None: a person who mistypes.

    got_in: somebody signed in as that person after the failures, from one of the addresses that failed.
    """
    if found.tries < PERSON_TRIES:
        return None
    if got_in and found.addresses >= PERSON_ADDRESSES_HIGH:
        return Severity.CRITICAL
    if found.tries >= PERSON_TRIES_HIGH or found.addresses >= PERSON_ADDRESSES_HIGH or got_in:
        return Severity.HIGH
    return Severity.MEDIUM


def judge_address(found: Failures, *, got_in: bool) -> Severity | None:
    """How grave failures from one address are; None below the threshold.

    Many tries for one name are that person's alert; many names from one address are one stranger with a list (or an
    office behind one address, which is why a handful of people is not enough).
    """
    if found.tries < ADDRESS_TRIES or found.people < ADDRESS_PEOPLE:
        return None
    return Severity.CRITICAL if got_in or found.tries >= ADDRESS_TRIES_CRITICAL else Severity.HIGH


STEPS = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600))
MOST_BARS = 40


def bucketed(moments: Sequence[datetime]) -> tuple[timedelta, list[tuple[datetime, int]]]:
    """The moments counted in equal steps, without gaps: the finest step that needs no more than 40 of them."""
    if not moments:
        return STEPS[0], []
    first, last = min(moments), max(moments)
    step = next((step for step in STEPS if (last - first) / step < MOST_BARS - 1), STEPS[-1])
    seconds = int(step.total_seconds())
    numbers = [int(moment.timestamp()) // seconds for moment in moments]
    counted = Counter(numbers)
    span = range(min(numbers), max(numbers) + 1)
    return step, [(datetime.fromtimestamp(number * seconds, UTC), counted[number]) for number in span]


def graver(one: str, other: str) -> Severity:
    """The graver of two severities."""
    return max(Severity(one), Severity(other), key=LADDER.index)
