"""Periodic work: one leader at a time, and a stale one is refused."""

from datetime import timedelta

import pytest
from django.db import transaction

from identity.audit import leases
from identity.kernel import clock
from identity.kernel.clock import clock_at
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _no_jobs(monkeypatch):
    monkeypatch.setattr(leases, "_jobs", {})


def test_of_two_processes_one_gets_the_lease():
    assert leases.take("sweep", "one") is not None
    assert leases.take("sweep", "two") is None


def test_a_holder_that_finished_decides_when_it_is_due_again():
    held = leases.take("sweep", "one")
    assert leases.finish(held, HOUR)
    assert leases.take("sweep", "two") is None
    with clock_at(clock.now() + HOUR):
        assert leases.take("sweep", "two") is not None


def test_a_dead_holder_is_replaced_and_refused_when_it_wakes_up():
    stale = leases.take("sweep", "one")
    with clock_at(clock.now() + leases.LONGEST_RUN):
        fresh = leases.take("sweep", "two")
        assert fresh.fence == stale.fence + 1
        with pytest.raises(leases.LostLease), transaction.atomic():
            stale.check()
        assert not leases.finish(stale, HOUR)
        with transaction.atomic():
            fresh.check()


def test_due_jobs_run_once_and_a_broken_one_stops_no_other(caplog):
    ran: list[str] = []

    def broken(held):
        raise ZeroDivisionError

    leases.add_job("broken", HOUR, broken)
    leases.add_job("works", HOUR, lambda held: ran.append(held.name))
    assert leases.run_due("one") == 1
    assert leases.run_due("two") == 0
    assert ran == ["works"]
    assert "broken failed" in caplog.text
    with clock_at(clock.now() + HOUR):
        leases.run_due("two")
    assert ran == ["works", "works"]


def test_a_job_in_each_realm_stops_at_the_realm_where_it_lost_the_lease(realm_a: Realm, realm_b: Realm):
    held = leases.take("each", "one")
    done = []

    def work(realm):
        done.append(realm.pk)
        with clock_at(clock.now() + leases.LONGEST_RUN):
            leases.take("each", "two")

    with pytest.raises(leases.LostLease):
        leases.in_each_realm(work)(held)
    assert len(done) == 1
