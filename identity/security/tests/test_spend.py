"""The spend alarm (LG-13): a used-up budget of short messages becomes an alert."""

import pytest
from django.db import transaction
from django.test import override_settings

from identity.audit.models import AuditEvent
from identity.audit.outbox import drain
from identity.courier.commands import queue_message
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.realms.models import Realm
from identity.security.models import Alert
from identity.security.queries import evidence_of, find_alerts
from identity.security.reactions import on_sms_limit_reached
from identity.security.rules import Detector

pytestmark = pytest.mark.django_db


def spend(realm: Realm, count: int, *, ip: str = "", **settings: int) -> Realm:
    Realm.objects.filter(pk=realm.pk).update(settings={**realm.settings, **settings})
    realm = Realm.objects.get(pk=realm.pk)
    with realm_scope(realm):
        for n in range(count):
            with transaction.atomic():
                queue_message(realm, to=f"+49151{n:08}", template="test", context={}, channel="sms", requested_from=ip)
    return realm


def alerts(realm: Realm) -> list[tuple[str, str, str]]:
    with realm_scope(realm):
        found = Alert.objects.filter(detector=Detector.SMS_BUDGET).order_by("id")
        return [(alert.evidence["scope"], alert.severity, alert.status) for alert in found]


def test_lg_13_a_used_up_day_is_an_alert_of_its_realm(realm_a: Realm, realm_b: Realm, as_owner_a: Actor) -> None:
    realm = spend(realm_a, 4, sms_daily_limit=2)
    drain()
    assert alerts(realm) == [("realm", "high", "open")]
    assert alerts(realm_b) == []
    with realm_scope(realm):
        alert = find_alerts(as_owner_a).get()
        assert len(evidence_of(as_owner_a, alert).events) == 1
        # Told twice, raised once
        on_sms_limit_reached(AuditEvent.objects.get(realm_id=realm.pk, type="sms.limit_reached"))
    assert len(alerts(realm)) == 1


def test_lg_13_a_range_and_an_address_raise_their_own(realm_a: Realm) -> None:
    realm = spend(realm_a, 3, sms_prefix_daily_limit=2)
    with override_settings(REALMKEEP_SMS_ADDRESS_DAILY_LIMIT=1):
        spend(realm, 2, ip="198.51.100.7", sms_prefix_daily_limit=300)
    drain()
    assert alerts(realm) == [("prefix", "medium", "open"), ("address", "medium", "open")]


def test_one_numbers_limit_is_no_alert(realm_a: Realm) -> None:
    realm = spend(realm_a, 1, sms_number_daily_limit=1)
    spend(realm, 1)
    drain()
    assert alerts(realm) == []


def test_lg_13_the_installations_budget_alerts_the_operators(platform: Realm, realm_a: Realm) -> None:
    with override_settings(REALMKEEP_SMS_DAILY_LIMIT=1):
        spend(realm_a, 2)
    drain()
    assert alerts(platform) == [("platform", "high", "open")]
    assert alerts(realm_a) == [("platform", "high", "open")]
