"""Pure decisions of counting: which event counts as what, and how moments fall into buckets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BUCKET = timedelta(minutes=30)

SIGNINS = "signins"
FAILURES = "signin_failures"
NEW_PEOPLE = "new_people"
TOKENS = "tokens"
ACTIVE_SESSIONS = "active_sessions"

COUNTED: Mapping[str, str] = {
    "signin.succeeded": SIGNINS,
    "signin.failed": FAILURES,
    "user.created": NEW_PEOPLE,
}
"""Event type → metric, counted one by one as they happen."""

TOKEN_EVENTS = ("token.issued", "token.refreshed")
"""Counted by the half hour from the trail: an outbox row for each token would double the cost of issuing it."""


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket of a series."""

    start: datetime
    value: int


def bucket_start(moment: datetime, step: timedelta = BUCKET) -> datetime:
    """The beginning of the bucket that a moment falls into, in UTC."""
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)


def filled(
    values: Iterable[tuple[datetime, int]], *, since: datetime, until: datetime, step: timedelta, gauge: bool = False
) -> list[Point]:
    """A point for each step of [since, until), also where nothing was counted.

    Counts of finer buckets are added up. A gauge keeps its last value instead, until a new one was taken, and has no
    points before its first: nobody knows what it was.
    """
    sums: dict[datetime, int] = {}
    for start, value in sorted(values):
        at = bucket_start(start, step)
        sums[at] = value if gauge else sums.get(at, 0) + value
    points = []
    at, last = bucket_start(since, step), None if gauge else 0
    while at < until:
        last = sums.get(at, last if gauge else 0)
        if last is not None:
            points.append(Point(at, last))
        at += step
    return points


def change_percent(now: int, before: int) -> float | None:
    """How much more or less in percent, or None when there was nothing to compare with."""
    return None if not before else (now - before) / before * 100


def success_rate(succeeded: int, failed: int) -> float | None:
    """Percent of tries that succeeded, or None without tries."""
    return None if not succeeded + failed else succeeded / (succeeded + failed) * 100
