"""Counting: each event once, in its realm and its application, and series without holes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from identity.audit import outbox
from identity.audit.models import AuditEvent
from identity.audit.record import columns_of, record
from identity.kernel.actor import Actor, anonymous_actor, system_actor
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.kernel.errors import PermissionDenied
from identity.kernel.permissions import Permission
from identity.metrics import queries, rules
from identity.metrics.counting import measure
from identity.metrics.models import MetricBucket
from identity.metrics.reactions import on_counted_event
from identity.oauth.events import TokenIssued
from identity.realms.models import Realm
from identity.signin.events import SignInFailed, SignInSucceeded

NOON = datetime(2026, 11, 20, 12, 10, tzinfo=UTC)
HALF = rules.BUCKET


def signed_in(realm: Realm, at: datetime, application_id=None, *, failed: bool = False) -> AuditEvent:
    event = SignInFailed(reason="wrong_password", application_id=application_id) if failed else SignInSucceeded(
        application_id=application_id
    )  # fmt: skip
    with realm_scope(realm), clock_at(at), transaction.atomic():
        return record(anonymous_actor(realm.pk), event)


# --- rules --------------------------------------------------------------------------------------------------------


def test_a_bucket_begins_at_the_half_hour():
    assert rules.bucket_start(NOON) == NOON.replace(minute=0)
    assert rules.bucket_start(NOON.replace(minute=30)) == NOON.replace(minute=30)


def test_a_series_has_a_point_for_each_step_and_adds_up_finer_ones():
    start = NOON.replace(minute=0)
    values = [(start, 2), (start + HALF, 3), (start + 4 * HALF, 1)]
    hourly = rules.filled(values, since=start, until=start + 6 * HALF, step=2 * HALF)
    assert [point.value for point in hourly] == [5, 0, 1]


def test_a_gauge_keeps_its_value_and_knows_nothing_before_its_first():
    start = NOON.replace(minute=0)
    points = rules.filled([(start + HALF, 4)], since=start, until=start + 4 * HALF, step=HALF, gauge=True)
    assert [(point.start, point.value) for point in points] == [(start + n * HALF, 4) for n in (1, 2, 3)]


@pytest.mark.parametrize(("now", "before", "change"), [(12, 10, 20.0), (5, 10, -50.0), (7, 0, None), (0, 4, -100.0)])
def test_a_change_needs_something_to_compare_with(now: int, before: int, change: float | None):
    assert rules.change_percent(now, before) == change


def test_a_rate_needs_tries():
    assert rules.success_rate(0, 0) is None
    assert rules.success_rate(9, 1) == 90


# --- reactions ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_sign_in_counts_for_its_realm_and_its_application(realm_a: Realm, realm_b: Realm, app_a, as_owner_a: Actor):
    application, _secret = app_a
    signed_in(realm_a, NOON, application.pk)
    signed_in(realm_a, NOON + timedelta(minutes=5))
    signed_in(realm_a, NOON, application.pk, failed=True)
    signed_in(realm_b, NOON)
    outbox.drain()
    with realm_scope(realm_a):
        since, until = NOON - HALF, NOON + HALF
        counted = queries.totals(as_owner_a, names=[rules.SIGNINS, rules.FAILURES], since=since, until=until)
        assert counted == {rules.SIGNINS: 2, rules.FAILURES: 1}
        (use,) = queries.top_applications(as_owner_a, since=since, until=until)
        assert (use.application_id, use.signins, use.failures, use.success) == (application.pk, 1, 1, 50)
        points = queries.series(
            as_owner_a, name=rules.SIGNINS, since=NOON, until=until, step=HALF, scope_id=application.pk
        )
        assert sum(point.value for point in points) == 1


@pytest.mark.django_db(transaction=True)
def test_a_reaction_that_fails_after_counting_has_not_counted(realm_a: Realm, monkeypatch):
    signed_in(realm_a, NOON)

    def count_and_fail(event: AuditEvent) -> None:
        on_counted_event(event)
        raise ZeroDivisionError

    broken = outbox.Subscription("metrics", count_and_fail, frozenset({"signin.succeeded"}))
    monkeypatch.setitem(outbox._subscriptions, "metrics", broken)
    outbox.drain()
    with realm_scope(realm_a):
        assert not MetricBucket.objects.filter(name=rules.SIGNINS).exists()
    monkeypatch.undo()
    with clock_at(datetime.now(UTC) + timedelta(minutes=5)):
        outbox.drain()
    with realm_scope(realm_a):
        assert MetricBucket.objects.get(name=rules.SIGNINS).value == 1


# --- measuring ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_measuring_again_sets_and_does_not_add(realm_a: Realm, as_owner_a: Actor):
    with realm_scope(realm_a), clock_at(NOON):
        for _ in range(3):
            AuditEvent(**columns_of(system_actor(realm_a.pk), TokenIssued())).save(force_insert=True)
        measure(realm_a)
        measure(realm_a)
        counted = queries.totals(as_owner_a, names=[rules.TOKENS], since=NOON - HALF, until=NOON + HALF)
    assert counted == {rules.TOKENS: 3}


# --- who may see --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_figures_need_their_permissions(realm_a: Realm, as_owner_a: Actor):
    nobody = replace(as_owner_a, permissions=frozenset({Permission.CONSOLE_OPEN}))
    with realm_scope(realm_a):
        for ask in (
            lambda: queries.totals(nobody, names=[rules.SIGNINS], since=NOON, until=NOON),
            lambda: queries.series(nobody, name=rules.SIGNINS, since=NOON, until=NOON),
            lambda: queries.signins_series(nobody, until=NOON, hours=1, step=HALF),
            lambda: queries.top_applications(nobody, since=NOON, until=NOON),
        ):
            with pytest.raises(PermissionDenied):
                ask()


@pytest.mark.django_db
def test_another_realms_figures_are_not_there(realm_a: Realm, realm_b: Realm, as_owner_b: Actor, app_a):
    application, _secret = app_a
    signed_in(realm_a, NOON, application.pk)
    outbox.drain()
    with realm_scope(realm_b):
        assert queries.totals(as_owner_b, names=[rules.SIGNINS], since=NOON - HALF, until=NOON + HALF) == {
            rules.SIGNINS: 0
        }
        points = queries.series(as_owner_b, name=rules.SIGNINS, since=NOON, until=NOON + HALF, scope_id=application.pk)
        assert sum(point.value for point in points) == 0
