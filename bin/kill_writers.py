#!/usr/bin/env python3
"""Kills processes while they write, and counts what is left: acknowledged = audited = committed = counted (AU-01).

Two processes create people through the command that pages and files use, a third works through the outbox; again and
again one of the three gets SIGKILL at a random moment and is replaced. Afterwards every acknowledged person must exist,
each with exactly one event, and no event without its person; and the metrics must have counted each event once.

    bin/kill_writers.py --kills 1000        on an embedded database of its own, or on an empty one in DATABASE_URL
    bin/kill_postmaster.py --kills 3        the same, but it is PostgreSQL's server that is killed, and started again
"""

import argparse
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
if "DATABASE_URL" not in os.environ:
    os.environ["REALMKEEP_DATA"] = tempfile.mkdtemp(prefix="realmkeep-kills-")

import django  # noqa: E402 - the settings come first

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import InterfaceError, OperationalError, connection, connections  # noqa: E402 - the environment comes first
from django.db.models import Sum  # noqa: E402

from identity.accounts.commands import create_user  # noqa: E402
from identity.accounts.models import User  # noqa: E402
from identity.audit import outbox  # noqa: E402
from identity.audit.checks import breaches  # noqa: E402
from identity.audit.models import AuditEvent, Outbox  # noqa: E402
from identity.kernel.actor import system_actor  # noqa: E402
from identity.kernel.context import realm_scope  # noqa: E402
from identity.metrics.models import MetricBucket  # noqa: E402
from identity.metrics.rules import NEW_PEOPLE  # noqa: E402
from identity.realms.commands import create_realm  # noqa: E402
from identity.realms.models import Realm  # noqa: E402

LINE = 33  # a person's id in hexadecimal, and the end of the line


def write(realm: Realm, acknowledge: int, seed: int) -> None:
    """Create people and acknowledge each one once the command has returned."""
    actor = system_actor(realm.pk)
    for number in range(1_000_000):
        user = create_user(actor, email=f"p{seed}-{number}@example.com")
        os.write(acknowledge, f"{user.pk.hex}\n".encode())


def sweep(_realm: Realm, _acknowledge: int, _seed: int) -> None:
    """Work through the outbox as the worker does."""
    while True:
        if not outbox.drain():
            time.sleep(0.01)


def patient(work: Callable[[Realm, int, int], None]) -> Callable[[Realm, int, int], None]:
    """The same work by a process that goes on when the server is away for a moment."""

    def go_on(realm: Realm, acknowledge: int, seed: int) -> None:
        while True:
            try:
                work(realm, acknowledge, seed)
            except (OperationalError, InterfaceError):
                connection.close()
                time.sleep(0.02)
                seed += 1_000_000

    return go_on


def start(work: Callable[[Realm, int, int], None], realm: Realm, acknowledge: int, seed: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        with realm_scope(realm):
            work(realm, acknowledge, seed)
    finally:
        os._exit(1)


def kill_again_and_again(kills: int, realm: Realm, acknowledge: int) -> None:
    works = [write, write, sweep]
    children = [start(work, realm, acknowledge, -n) for n, work in enumerate(works)]
    acknowledged = os.fstat(acknowledge).st_size
    for n in range(kills):
        # Something has to be under way: wait for an acknowledgement, then a moment that hits any point of the next.
        while os.fstat(acknowledge).st_size == acknowledged:
            time.sleep(0.002)
        acknowledged = os.fstat(acknowledge).st_size
        time.sleep(random.uniform(0, 0.06))  # noqa: S311 - no secret depends on it
        chosen = random.randrange(len(children))  # noqa: S311
        os.kill(children[chosen], signal.SIGKILL)
        os.waitpid(children[chosen], 0)
        children[chosen] = start(works[chosen], realm, acknowledge, n + 1)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def kill_the_server(kills: int, realm: Realm, acknowledge: int, folder: Path, start_again: list[str]) -> None:
    """Kill the postmaster under the writers, at a random moment of their work, and start it again."""
    children = [start(patient(work), realm, acknowledge, -n) for n, work in enumerate((write, write, sweep))]
    for _ in range(kills):
        acknowledged = os.fstat(acknowledge).st_size
        while os.fstat(acknowledge).st_size < acknowledged + 5 * LINE:
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.2))  # noqa: S311 - no secret depends on it
        os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        # Its children notice by themselves; until the last one is gone, a new server refuses to start.
        deadline = time.monotonic() + 60
        while subprocess.run(start_again, capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                raise SystemExit("PostgreSQL did not start again")
            time.sleep(0.2)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def count(realm: Realm, acknowledged: set[str]) -> dict[str, Any]:
    """What is left, after the outbox was worked through."""
    with realm_scope(realm):
        people = {pk.hex for pk in User.objects.values_list("pk", flat=True)}
        events = [
            pk.hex
            for pk in AuditEvent.objects.filter(realm_id=realm.pk, type="user.created").values_list(
                "target_id", flat=True
            )
        ]
        # What failed because the server was away rests for some seconds before its next try.
        deadline = time.monotonic() + 30
        while outbox.drain() or (Outbox.objects.exists() and time.monotonic() < deadline):
            time.sleep(0.01)
        counted = MetricBucket.objects.filter(name=NEW_PEOPLE, scope_id=realm.pk).aggregate(sum=Sum("value"))["sum"]
    return {
        "acknowledged": len(acknowledged),
        "committed": len(people),
        "audited": len(events),
        "counted": int(counted or 0),
        "lost": len(acknowledged - people),
        "people without an event": len(people - set(events)),
        "events without a person": len(set(events) - people),
        "audited twice": len(events) - len(set(events)),
        "left in the outbox": Outbox.objects.filter(realm_id=realm.pk).count(),
        "broken guards": [finding.text for finding in breaches()],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--postmaster", type=Path, help="PostgreSQL's data folder: kill its server, not the writers")
    parser.add_argument("--start", type=shlex.split, default=[], help="the command that starts that server")
    options = parser.parse_args()
    kills = options.kills
    call_command("migrate", verbosity=0, skip_checks=True)
    realm = create_realm(system_actor(Realm().pk), slug="kills", name="Kills")
    connections.close_all()
    with tempfile.TemporaryFile() as acknowledgements:
        # O_APPEND: processes that write at once don't overwrite one another.
        number = os.open(f"/dev/fd/{acknowledgements.fileno()}", os.O_WRONLY | os.O_APPEND)
        if options.postmaster:
            kill_the_server(kills, realm, number, options.postmaster, options.start)
        else:
            kill_again_and_again(kills, realm, number)
        os.close(number)
        acknowledgements.seek(0)
        whole = acknowledgements.read()
    lines = [whole[at : at + LINE] for at in range(0, len(whole) - LINE + 1, LINE)]
    result = {"database": connection.vendor, "kills": kills, **count(realm, {line.decode().strip() for line in lines})}
    print(json.dumps(result, indent=2))
    whole_truth = result["audited"] == result["committed"] == result["counted"] >= result["acknowledged"] > 0
    faults = ("lost", "people without an event", "events without a person", "audited twice", "left in the outbox")
    return 0 if whole_truth and not any(result[name] for name in faults) and not result["broken guards"] else 1


if __name__ == "__main__":
    sys.exit(main())
