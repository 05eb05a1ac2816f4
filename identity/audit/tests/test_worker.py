"""The worker: does what is due, stops when it is told to, and survives a database that is away."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from identity.accounts.commands import create_user
from identity.audit.models import Lease, Outbox
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.management.commands.run_worker import Loop
from identity.metrics.models import MetricBucket
from identity.metrics.rules import NEW_PEOPLE
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]


def test_once_works_through_what_is_due(realm_a: Realm):
    with realm_scope(realm_a):
        create_user(system_actor(realm_a.pk), email="new@example.com")
    call_command("run_worker", "--once")
    assert not Outbox.objects.exists()
    with realm_scope(realm_a):
        assert MetricBucket.objects.get(name=NEW_PEOPLE, scope_id=realm_a.pk).value == 1
    assert Lease.objects.filter(name="metrics.measure").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_worker_reacts_and_ends_cleanly_within_its_grace(realm_a: Realm, number: signal.Signals):
    name = connection.settings_dict["NAME"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.test", "DATABASE_URL": f"sqlite:///{name}"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_worker"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        with realm_scope(realm_a):
            create_user(system_actor(realm_a.pk), email="new@example.com")
        deadline = time.monotonic() + 60
        while Outbox.objects.exists():
            assert process.poll() is None, process.communicate()[1][-3000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        began = time.monotonic()
        process.send_signal(number)
        _, told = process.communicate(timeout=15)
        assert process.returncode == 0
        assert time.monotonic() - began < 10
        assert "Traceback" not in told
    finally:
        process.kill()
        process.wait()


def test_a_database_that_is_away_ends_no_loop(caplog):
    stop = threading.Event()
    calls = []

    def work() -> bool:
        calls.append(1)
        if len(calls) < 3:
            raise OperationalError("the server closed the connection")
        stop.set()
        return False

    loop = Loop("reactions", work, 0.01, stop)
    loop.start()
    loop.join(10)
    assert len(calls) == 3
    assert "reactions failed" in caplog.text
