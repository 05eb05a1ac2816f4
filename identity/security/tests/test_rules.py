"""When failures are more than bad luck."""

import pytest

from identity.kernel.events import Severity
from identity.security.rules import Failures, graver, judge_address, judge_person


@pytest.mark.parametrize(
    ("tries", "addresses", "got_in", "severity"),
    [
        (4, 1, False, None),
        (4, 4, True, None),
        (5, 1, False, Severity.MEDIUM),
        (14, 2, False, Severity.MEDIUM),
        (15, 1, False, Severity.HIGH),
        (5, 3, False, Severity.HIGH),
        (5, 1, True, Severity.HIGH),
        (5, 3, True, Severity.CRITICAL),
    ],
)
def test_failures_of_one_person(tries: int, addresses: int, got_in: bool, severity: Severity | None):
    assert judge_person(Failures(tries, 1, addresses), got_in=got_in) is severity


@pytest.mark.parametrize(
    ("tries", "people", "got_in", "severity"),
    [
        (9, 9, False, None),
        (50, 2, False, None),
        (10, 3, False, Severity.HIGH),
        (99, 40, False, Severity.HIGH),
        (100, 3, False, Severity.CRITICAL),
        (10, 3, True, Severity.CRITICAL),
    ],
)
def test_failures_from_one_address(tries: int, people: int, got_in: bool, severity: Severity | None):
    assert judge_address(Failures(tries, people, 1), got_in=got_in) is severity


def test_the_graver_of_two_wins_whatever_the_order():
    assert graver("medium", "critical") == graver("critical", "medium") == Severity.CRITICAL
    assert graver("high", "high") == Severity.HIGH
