"""Counting tries in windows, in the database: right across processes, and when Redis is away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from identity.kernel import clock, sql
from identity.kernel.context import NoRealm, current_realm_id
from identity.kernel.crypto import keyed_hash
from identity.kernel.errors import RateLimited
from identity.kernel.ids import uuid7
from identity.kernel.models import RateCounter


@dataclass(frozen=True, slots=True, order=True)
class Limit:
    """At most `count` tries in `window`, under `name`; two limits never share a key (RL-04)."""

    name: str
    count: int
    window: timedelta


def _window_start(limit: Limit, moment: datetime) -> datetime:
    seconds = int(limit.window.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)


def _key(limit: Limit, subject: str) -> bytes:
    realm_id = current_realm_id()
    if realm_id is None:
        raise NoRealm("A rate limit was asked without a realm.")
    return keyed_hash("rate", realm_id, f"{limit.name}\0{int(limit.window.total_seconds())}\0{subject}")


def hit(limit: Limit, subject: str, *, amount: int = 1, moment: datetime | None = None) -> int:
    """Count a try and return how many there are in this window. One atomic upsert, so a burst can't slip through.

    moment: of something that may serve once: it counts in the window in which it was made, whenever it comes.
    """
    moment = moment or clock.now()
    start = _window_start(limit, moment)
    table = RateCounter._meta.db_table
    field: Callable[[str], Any] = RateCounter._meta.get_field
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (id, realm_id, key_hash, window_start, count, expires_at)"  # noqa: S608 - no value is interpolated
            " VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (realm_id, key_hash, window_start) DO UPDATE"
            f" SET count = {table}.count + EXCLUDED.count RETURNING count",
            [
                field("id").get_db_prep_value(uuid7(), connection),
                field("realm_id").get_db_prep_value(current_realm_id(), connection),
                _key(limit, subject),
                field("window_start").get_db_prep_value(start, connection),
                amount,
                field("expires_at").get_db_prep_value(start + limit.window * 2, connection),
            ],
        )
        return int(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class Taken:
    """One counted try: what `settle` needs to take it off the same window again."""

    limit: Limit
    subject: str
    window_start: datetime
    count: int
    key: bytes

    @property
    def is_over(self) -> bool:
        """Whether this try was one too many."""
        return self.count > self.limit.count

    @property
    def window_end(self) -> datetime:
        """When the next window begins."""
        return self.window_start + self.limit.window


def take(tries: Sequence[tuple[Limit, str]]) -> list[Taken]:
    """Count one try under several limits in one statement, in the given order."""
    if not tries:
        return []
    moment = clock.now()
    table = RateCounter._meta.db_table
    # In the order of the keys: two requests that count under the same limits must not lock them crosswise.
    given = [(_key(limit, subject), _window_start(limit, moment), limit, subject) for limit, subject in tries]
    params: dict[str, Any] = {"realm": current_realm_id()}
    rows = []
    for index, (key, start, limit, _) in enumerate(sorted(given)):
        rows.append(f"(%(id_{index})s, %(realm)s, %(key_{index})s, %(start_{index})s, 1, %(end_{index})s)")
        params |= {
            f"id_{index}": uuid7(),
            f"key_{index}": key,
            f"start_{index}": start,
            f"end_{index}": start + limit.window * 2,
        }
    columns = ("key_hash", "count", sql.relaxed())
    counted = sql.write(
        f"INSERT INTO {table} (id, realm_id, key_hash, window_start, count, expires_at) VALUES {', '.join(rows)}"  # noqa: S608 - no value is interpolated
        " ON CONFLICT (realm_id, key_hash, window_start) DO UPDATE"
        f" SET count = {table}.count + EXCLUDED.count RETURNING {', '.join(filter(None, columns))}",
        params,
    )
    counts = {bytes(row[0]): int(row[1]) for row in counted}
    return [Taken(limit, subject, start, counts[key], key) for key, start, limit, subject in given]


def look(tries: Sequence[tuple[Limit, str]]) -> list[Taken]:
    """How far several limits are used, without counting; one query. Those that are not used at all are left out."""
    moment = clock.now()
    keyed = {_key(limit, subject): (limit, subject) for limit, subject in tries}
    rows = RateCounter.objects.filter(key_hash__in=list(keyed), expires_at__gt=moment, count__gt=0)
    found = []
    for key, start, number in rows.values_list("key_hash", "window_start", "count"):
        limit, subject = keyed[bytes(key)]
        if start == _window_start(limit, moment):
            found.append(Taken(limit, subject, start, number, bytes(key)))
    return found


def settle(*, back: Sequence[Taken] = (), forgotten: Sequence[Taken] = ()) -> None:
    """Take tries that were no failures off their windows again, and clear others whole; one statement.

    back: counted back by one. forgotten: the subject's windows begin anew (LG-22).
    """
    if not back and not forgotten:
        return
    table = RateCounter._meta.db_table
    params: dict[str, Any] = {"realm": current_realm_id()}
    # A key of none, so that the list is never empty.
    in_cleared, cleared = sql.one_of("cleared", [each.key for each in forgotten] or [b""])
    in_all, back_keys = sql.one_of("back", [each.key for each in back] or [b""])
    params |= cleared | back_keys
    windows = []
    for index, each in enumerate(back):
        windows.append(f"(c.key_hash = %(back_{index})s AND c.window_start = %(start_{index})s)")
        params[f"start_{index}"] = each.window_start
    # Locked in the order of the keys, as `take` does: two requests under the same limits never wait crosswise (DS-11).
    lock = " FOR UPDATE" if sql.vendor() == "postgresql" else ""
    told = f" RETURNING {column}" if (column := sql.relaxed()) else ""
    # Each part can be found by one index alone, whatever the planner believes of a table that is new to it: by all the
    # keys, and then by id. An OR of keys it would answer by reading the realm's counters, for each of them once more.
    sql.write(
        f"UPDATE {table} SET count = CASE WHEN key_hash IN ({in_cleared}) THEN 0 ELSE count - 1 END"  # noqa: S608 - no value is interpolated
        f" WHERE {sql.in_realm(table)} AND id IN (SELECT c.id FROM {table} c WHERE c.realm_id = %(realm)s"
        f" AND c.key_hash IN ({in_cleared}, {in_all}) AND c.count > 0"
        f" AND (c.key_hash IN ({in_cleared}) OR {' OR '.join(windows) or '1 = 0'}) ORDER BY c.key_hash{lock}){told}",
        params,
    )


def count(limit: Limit, subject: str) -> int:
    """How many tries there are in the present window, without counting one."""
    start = _window_start(limit, clock.now())
    found = RateCounter.objects.filter(key_hash=_key(limit, subject), window_start=start).values_list(
        "count", flat=True
    )
    return found.first() or 0


def seconds_left(limit: Limit) -> int:
    """Seconds until the present window ends, at least 1."""
    moment = clock.now()
    return max(1, int((_window_start(limit, moment) + limit.window - moment).total_seconds()))


def require(limit: Limit, subject: str) -> None:
    """Count a try; raises RateLimited with the seconds left once the limit is passed."""
    if hit(limit, subject) > limit.count:
        raise RateLimited(retry_after=seconds_left(limit))


def forget(limit: Limit, subject: str) -> None:
    """Clear the present window of one subject, as after a successful sign-in of that same subject (LG-22)."""
    with transaction.atomic():
        RateCounter.objects.filter(key_hash=_key(limit, subject)).delete()


def expired(now: datetime) -> QuerySet[RateCounter]:
    """Counters of this realm whose window is long over: what a purge deletes. No check depends on that."""
    return RateCounter.objects.filter(expires_at__lt=now)
