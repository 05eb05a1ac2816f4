"""Looking at the audit table for what is new, whoever wrote it: without Redis the feed's only source, with it a net.

Runs in one thread of its own, on a connection that never writes.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection

from identity.audit.queries import fresh_ids
from identity.kernel import clock

OVERLAP = timedelta(seconds=10)
"""Ids do not commit in their order: each look goes back this far, and leaves out what was seen (DECISIONS 1)."""

MOST = 2000


class Fresh(NamedTuple):
    """An event that was not seen before."""

    realm_id: UUID
    id: UUID
    type: str


def seconds_between_looks() -> float:
    """SQLite tells by a counter whether anything was written, so looking costs nothing; PostgreSQL is asked less."""
    if connection.vendor == "sqlite":
        return 0.1
    return 3.0 if settings.REDIS_URL else 0.2


class Tail:
    """What was seen so far."""

    def __init__(self) -> None:
        self.version: int | None = None
        self.seen: dict[UUID, None] = {}
        self.realms: frozenset[UUID] = frozenset()

    def note(self, ids: Iterable[UUID]) -> None:
        """These came by another way: don't tell them again."""
        self.seen.update(dict.fromkeys(ids))

    def look(self, realms: Iterable[UUID]) -> list[Fresh]:
        """What is new in these realms, oldest first.

        The first look at a realm tells all of the overlap: what happened between a page's resume and this look would
        else be lost. Pages leave out what they have.
        """
        wanted = frozenset(realms)
        # Both, always: the counter must be read even when the realms alone are reason enough to look.
        if not self._has_changed() and wanted == self.realms:
            return []
        self.realms = wanted
        found = [Fresh(*row) for row in fresh_ids(list(wanted), since=clock.now() - OVERLAP, most=MOST)]
        new = [fresh for fresh in found if fresh.id not in self.seen]
        self.seen = self._kept(found)
        return new

    def _has_changed(self) -> bool:
        if connection.vendor != "sqlite":
            connection.close_if_unusable_or_obsolete()
            return True
        if connection.connection is None:
            self.version = None  # counters of two connections can't be compared
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            version = int(cursor.fetchone()[0])
        changed, self.version = version != self.version, version
        return changed

    def _kept(self, found: Sequence[Fresh]) -> dict[UUID, None]:
        """What may turn up in the next look: this look's ids, and those noted from elsewhere that are as young."""
        floor = int((clock.now() - OVERLAP - OVERLAP).timestamp() * 1000)
        kept = {pk: None for pk in self.seen if pk.int >> 80 >= floor}
        return kept | dict.fromkeys(fresh.id for fresh in found)
