"""The Mann-Whitney rank test, by hand: do two samples come from one distribution?

Times are skewed and have outliers, so means say little; ranks don't care how far out an outlier is.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Compared:
    """p: how often chance alone would rank two samples so differently (two-sided). shift: the median difference."""

    p: float
    shift: float


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> Compared:
    """Compare two samples, by the normal approximation with correction for ties; right from about 20 values on."""
    n, m = len(first), len(second)
    pooled = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks_of_first, ties, at = 0.0, 0, 0
    while at < len(pooled):
        end = at
        while end < len(pooled) and pooled[end][0] == pooled[at][0]:
            end += 1
        # Equal values share the mean of their ranks.
        rank = (at + 1 + end) / 2
        ranks_of_first += rank * sum(1 for _value, sample in pooled[at:end] if sample == 0)
        ties += (end - at) ** 3 - (end - at)
        at = end
    u = ranks_of_first - n * (n + 1) / 2
    total = n + m
    variance = n * m / 12 * ((total + 1) - ties / (total * (total - 1)))
    if variance <= 0:
        return Compared(1.0, 0.0)
    distance = max(0.0, abs(u - n * m / 2) - 0.5)
    p = math.erfc(distance / math.sqrt(variance) / math.sqrt(2))
    return Compared(min(1.0, p), _shift(first, second))


def _shift(first: Sequence[float], second: Sequence[float]) -> float:
    """By how much the second sample lies higher: the median of all differences (Hodges and Lehmann)."""
    return statistics.median(b - a for a in first for b in second)
