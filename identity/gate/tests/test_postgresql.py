"""The queue on PostgreSQL: workers that claim at once, and the cases that must hold on both databases."""

import threading

import pytest
from django.db import connection
from django.tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from identity.gate import queue
from identity.gate.tests.test_jobs import (  # noqa: F401 - fixtures, and cases that run here once more
    ask,
    poison,
    ran,
    test_a_job_that_runs_twice_does_its_work_once,
    test_a_poison_job_is_tried_again_ever_later_and_ends_as_failed,
    test_ac_07_who_lost_his_role_loses_the_power_of_what_he_asked_for,
    test_f_02_a_job_whose_worker_died_is_taken_back_and_done,
    test_f_03_a_worker_that_wakes_up_late_can_not_write,
    test_ti_11_a_job_that_was_altered_in_the_queue_has_no_effect,
    test_what_is_rolled_back_was_never_asked,
)

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_of_workers_that_claim_at_once_each_gets_another_job(ran, realm_a, as_owner_a):  # noqa: F811 - a fixture
    assert connection.vendor == "postgresql"
    rows = {ask(as_owner_a, realm_a).pk for _ in range(8)}
    barrier = threading.Barrier(8)
    claimed = []

    def claim(number: int) -> None:
        try:
            barrier.wait()
            claimed.append(queue.claim(f"w{number}"))
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.row.pk for each in claimed if each} == rows
    assert set(DBTaskResult.objects.values_list("status", flat=True)) == {TaskResultStatus.RUNNING}
