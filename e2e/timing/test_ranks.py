"""The rank test, against values that tables and other programs give."""

import random
from itertools import combinations

import pytest

from e2e.timing.ranks import mann_whitney


def test_the_example_of_scipys_documentation() -> None:
    # Ages at diagnosis: mannwhitneyu(males, females, method="asymptotic") is 0.11134688653314041 there.
    found = mann_whitney([19, 22, 16, 29, 24], [20, 11, 17, 12])
    assert found.p == pytest.approx(0.11134688653314041)
    assert found.shift == -7.0


def test_equal_samples_differ_in_nothing() -> None:
    assert mann_whitney([5.0] * 30, [5.0] * 30).p == 1.0
    same = list(range(50))
    assert mann_whitney(same, same).p == pytest.approx(1.0, abs=0.01)


def test_ties_are_corrected_for() -> None:
    first, second = [1, 1, 2, 2, 3, 3, 4, 4], [2, 2, 3, 3, 4, 4, 5, 5]
    pooled = first + second
    ranks = [sum(other < value for other in pooled) + (pooled.count(value) + 1) / 2 for value in pooled]
    middle, seen = sum(ranks) / 2, sum(ranks[:8])
    # Exactly, by every way to divide the ranks in two.
    divided = [sum(chosen) for chosen in combinations(ranks, 8)]
    exact = sum(abs(each - middle) >= abs(seen - middle) - 1e-9 for each in divided) / len(divided)
    assert mann_whitney(first, second).p == pytest.approx(exact, abs=0.03)


def test_chance_alone_is_rarely_taken_for_a_difference_and_a_millisecond_is_found() -> None:
    dice = random.Random(7)

    def times(shift: float) -> list[float]:
        return [40 + shift + dice.expovariate(0.5) for _ in range(200)]

    alarms = sum(mann_whitney(times(0), times(0)).p < 0.01 for _ in range(100))
    assert alarms <= 4
    found = mann_whitney(times(0), times(1.5))
    assert found.p < 0.001
    assert 0.8 < found.shift < 2.2
