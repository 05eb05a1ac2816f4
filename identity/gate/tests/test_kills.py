"""F-02: the worker is killed while a job runs; another one takes the job over, and it is done once."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from identity.audit.commands import order_export
from identity.audit.models import AuditEvent, AuditExport, AuditExportChunk
from identity.audit.queries import EventFilter
from identity.gate import queue
from identity.gate.actors import actor_for_user
from identity.gate.rules import wait_before_retry
from identity.kernel import clock
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient

ROOT = Path(__file__).resolve().parents[3]


def start_worker() -> subprocess.Popen[str]:
    """A worker process on the test's own database."""
    of = connection.settings_dict
    url = f"postgresql://{of['USER']}@{of['HOST']}:{of['PORT']}/{of['NAME']}"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.test", "DATABASE_URL": url}
    return subprocess.Popen(
        [sys.executable, "manage.py", "run_worker"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_f_02_a_job_whose_worker_is_killed_is_done_by_the_next_one(realm_a, owner_a):
    assert connection.vendor == "postgresql"
    RealmClient(realm_a).sign_in(owner_a)
    with realm_scope(realm_a):
        actor = actor_for_user(owner_a, session=Session.objects.get())
        export = order_export(actor, wanted=EventFilter(), file_format="csv", language="en")
    job = DBTaskResult.objects.get()
    worker = None
    try:
        # The export's row is held, so the job is at work and comes no further until its worker is killed.
        with transaction.atomic(), realm_scope(realm_a):
            assert AuditExport.objects.select_for_update().get(pk=export.pk)
            worker = start_worker()
            deadline = time.monotonic() + 60
            while DBTaskResult.objects.get().status != TaskResultStatus.RUNNING:
                assert worker.poll() is None, worker.communicate()[1][-3000:]
                assert time.monotonic() < deadline
                time.sleep(0.05)
            time.sleep(0.3)
            worker.kill()
            worker.wait()
    finally:
        if worker is not None:
            worker.kill()
            worker.communicate()
    job.refresh_from_db()
    assert job.status == TaskResultStatus.RUNNING
    assert not queue.work_next("next")
    with clock_at(clock.now() + queue.LEASE):
        assert queue.recover() == 1
    with clock_at(clock.now() + queue.LEASE + wait_before_retry(1)):
        assert queue.work_next("next")
    job.refresh_from_db()
    assert job.status == TaskResultStatus.SUCCESSFUL
    assert len(job.worker_ids) == 2
    with realm_scope(realm_a):
        assert AuditExport.objects.get().status == "ready"
        assert AuditExportChunk.objects.count() == 1
    assert AuditEvent.objects.filter(realm_id=realm_a.pk, type="audit.export_prepared").count() == 1
