"""Recording: with its change or not at all, nothing personal in clear, nothing secret anywhere."""

import json

import pytest
from django.db import transaction

from identity.accounts.commands import create_user
from identity.audit import publishing
from identity.audit.events import AuditExported
from identity.audit.models import AuditEvent, Outbox
from identity.audit.queries import person_hashes
from identity.audit.reading import readable
from identity.audit.record import LONGEST, record
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.events import Event
from identity.kernel.ids import uuid7_time
from identity.kernel.origin import Origin
from identity.realms.models import Realm
from identity.security.events import AlertRaised

EXPORTED = AuditExported(count=1)


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused(realm_a: Realm):
    with pytest.raises(RuntimeError, match="outside a transaction"):
        record(system_actor(realm_a.pk), EXPORTED)


@pytest.mark.django_db(transaction=True)
def test_an_event_is_rolled_back_with_its_change(realm_a: Realm):
    before = AuditEvent.objects.count()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(system_actor(realm_a.pk), EXPORTED)
        raise ZeroDivisionError
    assert AuditEvent.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_an_event_is_published_after_commit_and_never_after_a_rollback(realm_a: Realm, monkeypatch):
    told: list[AuditEvent] = []
    monkeypatch.setattr(publishing, "_publishers", [told.append])
    with transaction.atomic():
        row = record(system_actor(realm_a.pk), EXPORTED)
        assert told == []
    assert [each.pk for each in told] == [row.pk]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(system_actor(realm_a.pk), EXPORTED)
        raise ZeroDivisionError
    assert len(told) == 1


@pytest.mark.django_db(transaction=True)
def test_a_publisher_that_fails_holds_nobody_up(realm_a: Realm, monkeypatch, caplog):
    def broken(row: AuditEvent) -> None:
        raise OSError("the network is away")

    told: list[AuditEvent] = []
    monkeypatch.setattr(publishing, "_publishers", [broken, told.append])
    with transaction.atomic():
        record(system_actor(realm_a.pk), EXPORTED)
    assert len(told) == 1
    assert "could not be published" in caplog.text


@pytest.mark.django_db
def test_the_time_of_an_event_is_the_time_in_its_id(realm_a: Realm):
    row = record(system_actor(realm_a.pk), EXPORTED)
    assert row.occurred_at == uuid7_time(row.pk)


@pytest.mark.django_db
def test_each_durable_consumer_gets_one_outbox_row(realm_a: Realm):
    with realm_scope(realm_a):
        create_user(system_actor(realm_a.pk), email="new@example.com")
    event = AuditEvent.objects.get(type="user.created", realm_id=realm_a.pk)
    assert list(Outbox.objects.filter(event_id=event.pk).values_list("consumer", flat=True)) == ["metrics"]


def _actor(realm: Realm, **more: object) -> Actor:
    base = system_actor(realm.pk)
    return Actor(kind=base.kind, realm_id=realm.pk, origin=Origin("203.0.113.7", "Firefox"), **more)


@pytest.mark.django_db
def test_personal_fields_are_sealed_and_searchable_by_keyed_hash(realm_a: Realm, realm_b: Realm):
    event = AlertRaised(number=1, about="mia@example.com")
    row = record(_actor(realm_a), event)
    row.refresh_from_db()
    assert b"mia@example.com" not in bytes(row.pii)
    assert "mia@example.com" not in json.dumps(row.payload)
    assert readable([row])[0].personal == {"about": "mia@example.com", "ip": "203.0.113.7", "user_agent": "Firefox"}
    assert person_hashes(realm_a.pk, "Mia@Example.com ") != person_hashes(realm_b.pk, "mia@example.com")


@pytest.mark.django_db
def test_in_07_control_and_direction_characters_do_not_reach_a_line_of_the_trail(realm_a: Realm):
    forged = "mia\r\n2026-11-20 root signed in\x1b[31m\u202egnp.exe"
    row = record(_actor(realm_a), AlertRaised(number=1, about=forged))
    shown = readable([row])[0].personal["about"]
    assert not set(shown) & set("\r\n\x1b\u202e")
    assert shown.startswith("mia\ufffd\ufffd2026")


@pytest.mark.django_db
def test_in_07_a_megabyte_is_cut_and_flagged(realm_a: Realm):
    row = record(_actor(realm_a), AlertRaised(number=1, about="x" * 1_000_000))
    assert len(readable([row])[0].personal["about"]) == LONGEST
    assert row.payload["shortened"] == ["about"]


@pytest.mark.django_db
def test_an_event_may_carry_its_own_severity(realm_a: Realm):
    row = record(_actor(realm_a), AlertRaised(number=1, level="critical", about="mia"))
    assert readable([row])[0].severity == "critical"


@pytest.mark.django_db
def test_every_event_reads_as_a_sentence_in_which_nothing_is_left_open(realm_a: Realm):
    from identity.kernel.events import registry

    for cls in registry.values():
        event: Event = cls()
        sentence = readable([record(system_actor(realm_a.pk), event)])[0].sentence()
        assert sentence
        assert "{" not in sentence, f"{cls.type}: {sentence}"
