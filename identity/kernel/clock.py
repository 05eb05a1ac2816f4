"""The one clock: tests and the demo's history move it, nothing else reads the time by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_at: ContextVar[datetime | None] = ContextVar("clock", default=None)


def now() -> datetime:
    """The current time, in UTC."""
    return _at.get() or datetime.now(UTC)


def is_moved() -> bool:
    """Whether the clock is set by hand, as when demo history is written (such events are flagged `backfilled`)."""
    return _at.get() is not None


@contextmanager
def clock_at(moment: datetime) -> Iterator[None]:
    """Let the block live at `moment` (aware datetime)."""
    if moment.tzinfo is None:
        raise ValueError("The clock needs a time zone.")
    token = _at.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _at.reset(token)
