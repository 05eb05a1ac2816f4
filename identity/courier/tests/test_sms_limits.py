"""Budgets of short messages (LG-13): each scope, both realms, in parallel, and told once."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction
from django.test import override_settings

from conftest import make_realm
from identity.audit.models import AuditEvent
from identity.courier.commands import deliver_due, queue_message
from identity.courier.models import Message, MessageStatus
from identity.courier.queries import spend_today
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import PermissionDenied
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def number(n: int) -> str:
    """A German mobile number."""
    return f"+49151{n:08}"


def ask(realm: Realm, to: str, *, ip: str = "") -> str:
    """Queue a code; "" or the budget that refused it."""
    with realm_scope(realm), transaction.atomic():
        message = queue_message(
            realm, to=to, template="sign_in_code", context={"code": "123456"}, channel="sms", requested_from=ip
        )
    return message.last_error


def limit(realm: Realm, **settings: object) -> Realm:
    Realm.objects.filter(pk=realm.pk).update(settings={**realm.settings, **settings})
    return Realm.objects.get(pk=realm.pk)


def told(realm: Realm) -> list[tuple[str, str, int]]:
    found = AuditEvent.objects.filter(realm_id=realm.pk, type="sms.limit_reached").order_by("id")
    return [(event.payload["scope"], event.payload["prefix"], event.payload["limit"]) for event in found]


def test_lg_13_one_number_gets_so_many_a_day_and_again_the_next(realm_a: Realm) -> None:
    realm = limit(realm_a, sms_number_daily_limit=2)
    with clock.clock_at(NOON):
        assert [ask(realm, number(1)) for _ in range(5)] == ["", "", "number", "number", "number"]
        assert ask(realm, number(2)) == ""
        assert told(realm) == [("number", "+4915", 2)]
    with clock.clock_at(NOON + timedelta(days=1)):
        assert ask(realm, number(1)) == ""


def test_lg_13_what_is_refused_looks_like_any_other_and_is_never_sent(realm_a: Realm) -> None:
    realm = limit(realm_a, sms_number_daily_limit=1)
    assert ask(realm, number(1)) == ""
    assert ask(realm, number(1)) == "number"
    with realm_scope(realm):
        refused = Message.objects.get(status=MessageStatus.REFUSED)
        assert (bytes(refused.to_sealed), bytes(refused.context_sealed), refused.hint) == (b"", b"", "+49 … 001")
    assert deliver_due() == 1
    assert deliver_due() == 0


def test_lg_13_hammering_one_number_uses_up_nobody_elses_budget(realm_a: Realm) -> None:
    realm = limit(realm_a, sms_number_daily_limit=1, sms_prefix_daily_limit=3, sms_daily_limit=3)
    for _ in range(20):
        ask(realm, number(1), ip="198.51.100.7")
    assert [ask(realm, number(n), ip="198.51.100.7") for n in (2, 3)] == ["", ""]


def test_lg_13_sequential_numbers_end_at_the_ranges_budget(realm_a: Realm) -> None:
    realm = limit(realm_a, sms_prefix_daily_limit=3)
    assert [ask(realm, number(n)) for n in range(5)] == ["", "", "", "prefix", "prefix"]
    assert ask(realm, "+4930123456") == ""
    assert told(realm) == [("prefix", "+4915", 3)]


def test_lg_13_the_realms_day_ends(realm_a: Realm, realm_b: Realm) -> None:
    realm = limit(realm_a, sms_daily_limit=2)
    assert [ask(realm, number(n)) for n in range(3)] == ["", "", "realm"]
    assert told(realm) == [("realm", "+4915", 2)]
    assert ask(realm_b, number(1)) == ""
    assert told(realm_b) == []


def test_lg_13_no_budget_means_no_message(realm_a: Realm) -> None:
    assert ask(limit(realm_a, sms_daily_limit=0), number(1)) == "realm"


def test_lg_13_one_address_asking_for_many_numbers(realm_a: Realm) -> None:
    with override_settings(REALMKEEP_SMS_ADDRESS_DAILY_LIMIT=2):
        assert [ask(realm_a, number(n), ip="198.51.100.7") for n in range(3)] == ["", "", "address"]
        assert ask(realm_a, number(4), ip="198.51.100.8") == ""
        # RL-02: a /64 is one subscriber
        assert [ask(realm_a, number(n), ip=f"2a00:1450:4001::{n}") for n in range(5, 8)] == ["", "", "address"]
    (event, _) = AuditEvent.objects.filter(realm_id=realm_a.pk, type="sms.limit_reached")
    assert "198.51.100.7" not in repr(event.payload)


@pytest.mark.parametrize(("to", "blocked"), [(number(1), ["+4915"]), ("+979123456789", []), ("+19005551234", [])])
def test_lg_13_blocked_and_premium_ranges_get_nothing(realm_a: Realm, to: str, blocked: list[str]) -> None:
    realm = limit(realm_a, sms_prefixes_blocked=blocked)
    assert [ask(realm, to), ask(realm, to)] == ["blocked", "blocked"]
    assert len(told(realm)) == 1


def test_lg_13_the_installations_day_is_shared_and_told_in_both_places(
    platform: Realm, realm_a: Realm, realm_b: Realm
) -> None:
    with override_settings(REALMKEEP_SMS_DAILY_LIMIT=3):
        assert [ask(realm_a, number(n)) for n in range(2)] == ["", ""]
        assert [ask(realm_b, number(n)) for n in range(3)] == ["", "platform", "platform"]
        assert ask(realm_a, number(7)) == "platform"
    assert told(platform) == [("platform", "", 3)]
    assert told(realm_a) == [("platform", "+4915", 3)]
    assert told(realm_b) == [("platform", "+4915", 3)]


def test_lg_13_one_number_in_many_realms(platform: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity.courier.commands.spending.NUMBER_EVERYWHERE", 3)
    realms = [make_realm(f"r{n}", f"Realm {n}") for n in range(4)]
    assert [ask(realm, number(1)) for realm in realms] == ["", "", "", "everywhere"]
    assert ask(realms[3], number(2)) == ""
    assert told(platform) == []


def test_a_budget_that_is_raised_is_open_again_at_once(realm_a: Realm) -> None:
    realm = limit(realm_a, sms_daily_limit=1)
    assert [ask(realm, number(n)) for n in range(9)].count("realm") == 8
    assert ask(limit(realm, sms_daily_limit=2), number(1)) == ""


def test_a_message_that_is_rolled_back_costs_nothing(realm_a: Realm) -> None:
    realm = limit(realm_a, sms_daily_limit=1)
    with pytest.raises(RuntimeError), transaction.atomic():
        ask(realm, number(1))
        raise RuntimeError
    assert ask(realm, number(2)) == ""


def test_todays_spend_is_shown_by_range(realm_a: Realm, realm_b: Realm, as_owner_a: Actor, as_user_a: Actor) -> None:
    realm = limit(realm_a, sms_prefix_daily_limit=2)
    with clock.clock_at(NOON):
        ask(realm, number(9))
    with clock.clock_at(NOON + timedelta(days=1)):
        for n in range(3):
            ask(realm, number(n))
        ask(realm, "+4930123456")
        ask(realm_b, number(1))
        with realm_scope(realm):
            spend = spend_today(as_owner_a)
            with pytest.raises(PermissionDenied):
                spend_today(as_user_a)
    assert (spend.sent, spend.refused) == (3, 1)
    assert spend.prefixes == [("+4915", 2, 1), ("+4930", 1, 0)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_rl_05_threads_at_the_boundary_send_not_one_too_many() -> None:
    """Eight at a time for different numbers of one range: the budget holds to the message, and nobody deadlocks."""
    realm = limit(make_realm("burst", "Burst"), sms_prefix_daily_limit=20, sms_daily_limit=25)
    make_realm("platform", "Platform")
    barrier = threading.Barrier(8)
    results: list[str] = []
    errors: list[Exception] = []

    def burst(worker: int) -> None:
        try:
            barrier.wait(30)
            results.extend(ask(realm, number(worker * 100 + n), ip=f"198.51.100.{worker}") for n in range(6))
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=burst, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert (results.count(""), results.count("prefix")) == (20, 28)
    assert told(realm) == [("prefix", "+4915", 20)]
