"""The worker: reactions, mail, tasks and periodic work, each in a thread of its own, until it is told to stop."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils.crypto import get_random_string

from identity.audit import leases, outbox
from identity.audit.checks import log_findings
from identity.courier.commands import deliver_due
from identity.gate.queue import work_next

logger = logging.getLogger("realmkeep.worker")

SWEEP_SECONDS = 0.2
MAIL_SECONDS = 0.5
TASK_SECONDS = 0.5
PERIODIC_SECONDS = 5.0
GRACE_SECONDS = 9.0
LONGEST_PAUSE = 10.0


class Loop(threading.Thread):
    """Repeats one kind of work. A failure (a database that restarts) is logged and tried again, ever more slowly."""

    def __init__(self, name: str, work: Callable[[], object], pause: float, stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self.work, self.pause, self.stopped = work, pause, stop

    def run(self) -> None:
        """Until told to stop. What was begun is finished: each unit of work is one transaction."""
        failures = 0
        while not self.stopped.is_set():
            try:
                connection.close_if_unusable_or_obsolete()
                did_something = bool(self.work())
                failures = 0
            except Exception:
                logger.exception("%s failed", self.name)
                connection.close()
                did_something, failures = False, failures + 1
            if not did_something:
                self.stopped.wait(min(self.pause * 2**failures, LONGEST_PAUSE))
        connection.close()


def periodic_work(worker_id: str) -> Callable[[], bool]:
    """Run what is due; never at once again, however much was done."""

    def run() -> bool:
        leases.run_due(worker_id)
        return False

    return run


class Command(BaseCommand):
    """`manage.py run_worker`; several may run at once, on one machine or on many."""

    help = "Run reactions, mail, background tasks and periodic work until SIGTERM or SIGINT."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--once` is for tests and for catching up by hand."""
        parser.add_argument("--once", action="store_true", help="Work through what is due now, then stop.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the loops and wait for the signal."""
        worker_id = f"{socket.gethostname()[:30]}-{os.getpid()}-{get_random_string(8)}"
        works: list[tuple[str, Callable[[], object], float]] = [
            ("reactions", outbox.drain, SWEEP_SECONDS),
            ("mail", deliver_due, MAIL_SECONDS),
            ("tasks", partial(work_next, worker_id), TASK_SECONDS),
            ("periodic work", periodic_work(worker_id), PERIODIC_SECONDS),
        ]
        if options["once"]:
            for _name, work, _pause in works:
                while work():
                    pass
            return
        log_findings()
        stop = threading.Event()

        def end(_signum: int, _frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        loops = [Loop(name, work, pause, stop) for name, work, pause in works]
        for loop in loops:
            loop.start()
        # With a timeout, since a wait without one does not hear signals on every platform.
        while not stop.wait(1.0):
            for number, loop in enumerate(loops):
                if not loop.is_alive():
                    logger.error("%s ended by itself and is started again", loop.name)
                    loops[number] = Loop(loop.name, loop.work, loop.pause, stop)
                    loops[number].start()
        deadline = time.monotonic() + GRACE_SECONDS
        for loop in loops:
            loop.join(max(0.0, deadline - time.monotonic()))
        late = [loop.name for loop in loops if loop.is_alive()]
        if late:
            # Daemon threads end with the process; a transaction that did not commit is done again by the next worker.
            logger.warning("Still busy after %s s, ending all the same: %s", GRACE_SECONDS, ", ".join(late))
