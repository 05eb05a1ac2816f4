"""The worker's side of the queue: claims under a lease, later tries, giving up, and taking over from the dead.

The library's own worker leaves a job `RUNNING` for ever when its process is killed, and tries nothing twice. Here a
claim is a lease that the worker renews while it works. A lease that ran out is another worker's to take, and whoever
wakes up late fails the lease's fence before it can write (F-02, F-03).
"""

import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, models, transaction
from django.tasks import TaskContext, TaskResultStatus
from django_tasks_db.models import DBTaskResult, get_date_max

from identity.audit.leases import Held, LostLease
from identity.audit.models import Lease
from identity.gate import jobs
from identity.gate.rules import MAX_ATTEMPTS, wait_before_retry
from identity.kernel import clock
from identity.kernel.jobs import run_job
from identity.kernel.transactions import for_write

logger = logging.getLogger("realmkeep.jobs")

LEASE = timedelta(seconds=30)
BEAT_SECONDS = 8.0
WORKER_GONE = "WorkerGone"
_ENDED = ["status", "finished_at", "exception_class_path", "traceback", "return_value"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A row of the queue in hand."""

    row: DBTaskResult
    held: Held


def _lease_name(row: DBTaskResult) -> str:
    return f"task:{row.pk}"


def claim(worker_id: str) -> Claim | None:
    """Take the next job that is due. Of several workers that ask at once each gets another one."""
    now = clock.now()
    due = models.Q(run_after=get_date_max()) | models.Q(run_after__lte=now)
    # A look before the transaction: on SQLite one each half second would be in every writer's way.
    ready = DBTaskResult.objects.filter(due, status=TaskResultStatus.READY)
    if not ready.exists():
        return None
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            ready = ready.select_for_update(skip_locked=True)
        row = ready.first()
        if row is None:
            return None
        row.claim(worker_id)
        held = Held(_lease_name(row), worker_id, len(row.worker_ids))
        Lease.objects.update_or_create(
            name=held.name, defaults={"holder": worker_id, "fence": held.fence, "expires_at": now + LEASE}
        )
    return Claim(row, held)


def work_next(worker_id: str) -> bool:
    """Claim one job and run it to an end, a later try, or its failure. Returns whether there was one."""
    claimed = claim(worker_id)
    if claimed is None:
        return False
    row, held = claimed.row, claimed.held
    try:
        finish = _run(row, held)
        with transaction.atomic():
            held.check()
            finish()
    except LostLease:
        logger.warning("Job %s was taken over by another worker", row.pk)
    return True


def _run(row: DBTaskResult, held: Held) -> Callable[[], None]:
    """Run it, and say how its row ends. Raises LostLease."""
    try:
        with _renewed(held), jobs.kept_by(held.check):
            if row.task_path == run_job.module_path and _envelope_of(row) is not None:
                run_job.call(TaskContext(task_result=row.task_result), envelope=_envelope_of(row))
            else:
                jobs.run(row.pk, None)  # some other task, or no envelope: refused as forged
    except LostLease:
        raise
    except jobs.Refused as refusal:
        return partial(_end, row, TaskResultStatus.FAILED, type(refusal).__qualname__, refusal.reason)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again later, then given up
        # Where it failed, but not with which values: an error's text may hold somebody's address (DP-07).
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.warning("Job %s failed: %s\n%s", row.pk, type(error).__qualname__, where)
        return partial(_retry_or_fail, row, type(error).__qualname__, where)
    return partial(_end, row, TaskResultStatus.SUCCESSFUL)


def _envelope_of(row: DBTaskResult) -> Any:
    """What stands in the row for an envelope; None when even its shape is wrong."""
    match row.args_kwargs:
        case {"args": [], "kwargs": {"envelope": envelope}}:
            return envelope
    return None


def _retry_or_fail(row: DBTaskResult, error: str, where: str = "") -> None:
    attempts = len(row.worker_ids)
    if attempts >= MAX_ATTEMPTS:
        jobs.tell_failed(row.pk, _envelope_of(row), attempts=attempts, error=error)
        _end(row, TaskResultStatus.FAILED, error, where)
        return
    row.status = TaskResultStatus.READY
    row.run_after = clock.now() + wait_before_retry(attempts)
    row.exception_class_path, row.traceback = error, where
    row.save(update_fields=["status", "run_after", "exception_class_path", "traceback"])
    # Nobody's, but not forgotten: the fence of whoever may still be at it must go on failing.
    Lease.objects.filter(pk=_lease_name(row)).update(holder="")


def _end(row: DBTaskResult, status: TaskResultStatus, error: str = "", where: str = "") -> None:
    row.status, row.finished_at, row.return_value = status, clock.now(), None
    row.exception_class_path, row.traceback = error, where
    row.save(update_fields=_ENDED)
    Lease.objects.filter(pk=_lease_name(row)).delete()


def recover(_held: Held | None = None) -> int:
    """Take back jobs whose worker has died: those that are running and whose lease ran out. Returns how many."""
    now, count = clock.now(), 0
    running = DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING).values_list("pk", flat=True)
    for pk in list(running):
        with transaction.atomic():
            row = for_write(DBTaskResult.objects.filter(pk=pk, status=TaskResultStatus.RUNNING)).first()
            if row is None:
                continue
            lease = for_write(Lease.objects.filter(pk=_lease_name(row))).first()
            until = lease.expires_at if lease is not None else (row.started_at or now) + LEASE
            if until > now:
                continue
            logger.warning("Job %s is taken back: its worker is gone", row.pk)
            _retry_or_fail(row, WORKER_GONE)
            count += 1
    return count


@contextmanager
def _renewed(held: Held) -> Iterator[None]:
    """Renew the lease while the block works. A thread of its own: the work may wait for a lock or compute for long."""
    done = threading.Event()
    thread = threading.Thread(target=_renew, args=(held, done), name="job lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _renew(held: Held, done: threading.Event) -> None:
    try:
        while not done.wait(BEAT_SECONDS):
            try:
                with transaction.atomic():
                    Lease.objects.filter(pk=held.name, holder=held.holder, fence=held.fence).update(
                        expires_at=clock.now() + LEASE
                    )
            except Exception:
                # The next beat comes in time: the lease is longer than three of them.
                logger.exception("The lease of %s could not be renewed", held.name)
                connection.close()
    finally:
        connection.close()
