"""Months of the audit table on PostgreSQL: made ahead of time, since an insert without its month fails closed."""

import re
from datetime import date

from django.db import connection

from identity.kernel import clock

AHEAD = 12
WARN_BELOW = 2
_NAME = re.compile(r"identity_auditevent_(\d{4})(\d{2})")


def months_ahead(today: date, count: int) -> list[date]:
    """The first days of this month and of the `count` months after it."""
    first = today.year * 12 + today.month - 1
    return [date((first + n) // 12, (first + n) % 12 + 1, 1) for n in range(count + 1)]


def top_up(count: int = AHEAD) -> list[str]:
    """Make the partitions of this month and the next `count` that are missing. Returns the names of the new ones.

    The app's role owns nothing: the owner's SECURITY DEFINER function does it, within its own bounds (DECISIONS 10).
    """
    if connection.vendor != "postgresql":
        return []
    made = []
    for month in months_ahead(clock.now().date(), count):
        # One statement each, committed by itself: the lock on the parent is held for a few milliseconds.
        with connection.cursor() as cursor:
            cursor.execute("SELECT identity_audit_partition(%s)", [month])
            name = str(cursor.fetchone()[0])
        if not name.endswith(" exists"):
            made.append(name)
    return made


def months_left() -> int | None:
    """How many whole months after this one have a partition, without a gap. None where there are no partitions."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = to_regclass('identity_auditevent')"
        )
        found = {(int(m[1]), int(m[2])) for (name,) in cursor.fetchall() if (m := _NAME.fullmatch(name))}
    left = 0
    for month in months_ahead(clock.now().date(), 60)[1:]:
        if (month.year, month.month) not in found:
            break
        left += 1
    return left
