"""Counting tries."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from identity.kernel import clock, ratelimit
from identity.kernel.clock import clock_at
from identity.kernel.context import NoRealm, no_realm, realm_scope
from identity.kernel.errors import RateLimited
from identity.kernel.ratelimit import Limit
from identity.realms.models import Realm

LIMIT = Limit("test", 3, timedelta(minutes=5))
T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.windows
def test_the_limit_bites_after_its_count_and_ends_with_its_window(realm_a: Realm) -> None:
    with realm_scope(realm_a):
        with clock_at(T0):
            for _ in range(3):
                ratelimit.require(LIMIT, "dana")
            with pytest.raises(RateLimited) as refused:
                ratelimit.require(LIMIT, "dana")
            assert refused.value.retry_after == 300
        with clock_at(T0 + timedelta(minutes=5)):
            ratelimit.require(LIMIT, "dana")


def test_ti_17_counters_of_one_realm_leave_the_other_alone(realm_a: Realm, realm_b: Realm) -> None:
    with realm_scope(realm_a), clock_at(T0):
        ratelimit.hit(LIMIT, "dana", amount=10)
    with realm_scope(realm_b), clock_at(T0):
        assert ratelimit.count(LIMIT, "dana") == 0
        ratelimit.require(LIMIT, "dana")


def test_rl_04_two_windows_of_one_name_are_independent(realm_a: Realm) -> None:
    longer = Limit("test", 3, timedelta(hours=1))
    with realm_scope(realm_a), clock_at(T0):
        ratelimit.hit(LIMIT, "dana", amount=2)
        assert ratelimit.count(longer, "dana") == 0


def test_without_a_realm_nothing_is_counted(db: None) -> None:
    with no_realm(), pytest.raises(NoRealm):
        ratelimit.hit(LIMIT, "dana")


def test_purging_removes_only_what_is_over(realm_a: Realm) -> None:
    with realm_scope(realm_a):
        with clock_at(T0):
            ratelimit.hit(LIMIT, "old")
        with clock_at(T0 + timedelta(hours=1)):
            ratelimit.hit(LIMIT, "new")
            assert ratelimit.expired(clock.now()).delete()[0] == 1
            assert ratelimit.count(LIMIT, "new") == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_rl_05_a_parallel_burst_is_counted_exactly(realm_a: Realm) -> None:
    barrier = threading.Barrier(8)
    seen: list[int] = []

    def burst() -> None:
        try:
            with realm_scope(realm_a), clock_at(T0):
                barrier.wait()
                seen.extend(ratelimit.hit(LIMIT, "dana") for _ in range(10))
        finally:
            connection.close()

    threads = [threading.Thread(target=burst) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 81))
