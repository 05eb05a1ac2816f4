"""Pure decisions about exports: how large, how many, how long they are kept."""

from datetime import datetime, timedelta

MOST_EXPORTED = 1_000_000
"""Rows in one file. Who needs more narrows the dates, and gets several."""

MOST_AT_ONCE = 10_000
"""Rows that leave while somebody waits; more than that are prepared in the background."""

MOST_IN_HAND = 3
"""Exports of one person that are being prepared or wait for him: a file of the whole trail is no small row."""

OFFERED_FOR = timedelta(minutes=15)
"""How long a prepared file can be fetched (TI-10)."""

LONGEST_PREPARATION = timedelta(hours=2)
"""An export that is not there by then never comes."""

SHOWN_FOR = timedelta(days=1)
"""How long the page tells what became of an export. The file itself is deleted with its offer."""

CHUNK_BYTES = 512 * 1024


def export_state(*, status: str, created_at: datetime, expires_at: datetime | None, now: datetime) -> str:
    """preparing, ready, failed or expired. Asked from the time, never from whether the purge has run."""
    if status == "ready":
        return "ready" if expires_at is not None and expires_at > now else "expired"
    if status == "preparing" and now - created_at > LONGEST_PREPARATION:
        return "failed"
    return status
