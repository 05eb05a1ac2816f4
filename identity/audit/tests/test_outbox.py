"""The sweeper: at least once, never lost, and one failure holds up nobody else."""

from datetime import timedelta

import pytest
from django.db import transaction

from identity.audit import outbox
from identity.audit.events import AuditExported
from identity.audit.models import AuditEvent, Outbox
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.clock import clock_at
from identity.kernel.context import current_realm_id
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def consumer(monkeypatch):
    """A consumer of its own, in a registry of its own."""
    monkeypatch.setattr(outbox, "_subscriptions", {})
    monkeypatch.setattr(outbox, "_by_type", {})
    seen: list[tuple[str, object]] = []

    class Consumer:
        fails = False

        def __call__(self, event: AuditEvent) -> None:
            if self.fails:
                raise ZeroDivisionError
            seen.append((event.type, current_realm_id()))

    made = Consumer()
    made.seen = seen  # type: ignore[attr-defined]
    outbox.subscribe("probe", made, [AuditExported])
    return made


def say(realm: Realm) -> AuditEvent:
    with transaction.atomic():
        return record(system_actor(realm.pk), AuditExported())


def test_work_is_done_once_in_its_realm_and_the_row_is_gone(realm_a: Realm, consumer):
    say(realm_a)
    assert outbox.drain() == 1
    assert consumer.seen == [("audit.exported", realm_a.pk)]
    assert not Outbox.objects.filter(consumer="probe").exists()
    assert outbox.drain() == 0


def test_a_failure_stays_visible_waits_and_is_tried_again(realm_a: Realm, consumer):
    say(realm_a)
    consumer.fails = True
    assert outbox.drain() == 0
    row = Outbox.objects.get(consumer="probe")
    assert (row.attempts, row.last_error) == (1, "ZeroDivisionError")
    assert outbox.drain() == 0
    assert Outbox.objects.get(consumer="probe").attempts == 1, "it waits first"
    consumer.fails = False
    with clock_at(clock.now() + timedelta(minutes=5)):
        assert outbox.drain() == 1
    assert len(consumer.seen) == 1


def test_a_failure_holds_up_nobody_else(realm_a: Realm, realm_b: Realm, consumer):
    say(realm_a)
    say(realm_b)
    failing = realm_a.pk

    def handler(event: AuditEvent) -> None:
        if event.realm_id == failing:
            raise ZeroDivisionError

    outbox._subscriptions["probe"] = outbox.Subscription("probe", handler, frozenset({"audit.exported"}))
    assert outbox.drain() == 1
    assert Outbox.objects.get(consumer="probe").realm_id == failing


def test_what_was_done_half_is_rolled_back_with_the_row_kept(realm_a: Realm, consumer):
    event = say(realm_a)

    def handler(row: AuditEvent) -> None:
        record(system_actor(row.realm_id), AuditExported(count=7))
        raise ZeroDivisionError

    outbox._subscriptions["probe"] = outbox.Subscription("probe", handler, frozenset())
    outbox.drain()
    assert Outbox.objects.filter(event_id=event.pk).exists()
    assert not AuditEvent.objects.filter(payload__count=7).exists()


def test_a_consumer_subscribes_once_and_only_to_events_that_exist(consumer):
    with pytest.raises(ValueError, match="already"):
        outbox.subscribe("probe", consumer, [])
    with pytest.raises(ValueError, match="nobody says"):
        outbox.subscribe("other", consumer, ["pigs.flown"])
