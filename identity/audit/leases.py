"""Periodic work by one leader: a lease in the database says who runs a job and when it is due again.

Each job has a row of its own. `expires_at` is until when the holder may work, and after the work when the job is due
next. Whoever finds it past takes the lease with a higher fence; a stale holder that wakes up late fails its fence.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from identity.audit.models import Lease
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.transactions import for_write

logger = logging.getLogger(__name__)

LONGEST_RUN = timedelta(minutes=5)


class LostLease(Exception):
    """Another process has taken this work over: what was about to be written must not be."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease in hand."""

    name: str
    holder: str
    fence: int

    def check(self) -> None:
        """Inside the transaction of the work: raises LostLease unless this holder still leads, and keeps it so."""
        row = for_write(Lease.objects.filter(pk=self.name)).first()
        if row is None or row.holder != self.holder or row.fence != self.fence:
            raise LostLease(self.name)


@dataclass(frozen=True, slots=True)
class Job:
    """Work that recurs. `run` gets the lease, and checks it in each transaction that must not happen twice."""

    name: str
    every: timedelta
    run: Callable[[Held], object]


_jobs: dict[str, Job] = {}


def add_job(name: str, every: timedelta, run: Callable[[Held], object]) -> None:
    """Called from config/wiring.py only."""
    if name in _jobs:
        raise ValueError(f"There is a job {name!r} already.")
    _jobs[name] = Job(name, every, run)


def in_each_realm(work: Callable[[Any], object]) -> Callable[[Held], None]:
    """A job that does `work(realm)` in every realm that is not purged or due for it, each in its own transaction."""

    def run(held: Held) -> None:
        realms = apps.get_model("identity", "Realm").objects.filter(purged_at=None)
        for realm in realms.exclude(purge_after__lte=clock.now()):
            with realm_scope(realm), transaction.atomic():
                held.check()
                work(realm)

    return run


def jobs() -> list[Job]:
    """All periodic work."""
    return list(_jobs.values())


def take(name: str, holder: str, length: timedelta = LONGEST_RUN) -> Held | None:
    """Take the lease if it is due. Of several processes that try at once exactly one gets it."""
    now = clock.now()
    with transaction.atomic():
        Lease.objects.bulk_create([Lease(name=name, holder="", expires_at=now)], ignore_conflicts=True)
        rows = Lease.objects.filter(pk=name, expires_at__lte=now)
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        row = rows.first()
        if row is None:
            return None
        row.holder, row.fence, row.expires_at = holder, row.fence + 1, now + length
        row.save(update_fields=["holder", "fence", "expires_at"])
        return Held(name, holder, row.fence)


def finish(held: Held, next_in: timedelta) -> bool:
    """Set when the work is due again. Returns False when the lease was lost meanwhile."""
    with transaction.atomic():
        changed = Lease.objects.filter(pk=held.name, holder=held.holder, fence=held.fence).update(
            expires_at=clock.now() + next_in
        )
    return changed == 1


def run_due(holder: str) -> int:
    """Run each job whose time has come and that nobody else is at. Returns how many were run."""
    not_due = set(Lease.objects.filter(expires_at__gt=clock.now()).values_list("pk", flat=True))
    count = 0
    for job in jobs():
        if job.name in not_due:
            continue
        held = take(job.name, holder)
        if held is None:
            continue
        try:
            job.run(held)
            count += 1
        except LostLease:
            logger.warning("%s was taken over by another process", job.name)
            continue
        except Exception:
            # The next round tries again; one broken job must not stop the others.
            logger.exception("The periodic job %s failed", job.name)
        finish(held, job.every)
    return count
