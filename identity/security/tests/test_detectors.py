"""From failed sign-ins and reused tokens to alerts: raised once, merged, escalated, never across realms."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from identity.accounts.models import User
from identity.audit import outbox
from identity.audit.models import AuditEvent
from identity.audit.record import record
from identity.kernel.actor import Actor, ActorKind, anonymous_actor
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.kernel.events import Event, Severity
from identity.kernel.origin import Origin
from identity.oauth.events import RefreshReused
from identity.realms.models import Realm
from identity.security import rules
from identity.security.commands import dismiss_alert
from identity.security.models import Alert, AlertStatus
from identity.security.queries import address_of
from identity.signin.events import SignInFailed, SignInSucceeded

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def say(realm: Realm, event: Event, *, at: datetime = NOON, ip: str = "203.0.113.9") -> AuditEvent:
    with realm_scope(realm), clock_at(at):
        return record(anonymous_actor(realm.pk, origin=Origin(ip, "Chrome on Linux")), event)


@pytest.fixture
def fail() -> Callable[..., None]:
    """`times` failed sign-ins, a second apart, and the reactions to them."""

    def fail(realm: Realm, user: User | None, times: int = 1, *, at: datetime = NOON, **more: str) -> None:
        identifier = more.pop("identifier", user.email if user else "nobody@example.com")
        for n in range(times):
            event = SignInFailed(
                target_id=user.pk if user else None,
                subject_id=user.pk if user else None,
                identifier=identifier,
                reason="wrong_password",
            )
            say(realm, event, at=at + timedelta(seconds=n), **more)
        outbox.drain()

    return fail


def alerts(realm: Realm) -> list[Alert]:
    with realm_scope(realm):
        return list(Alert.objects.order_by("number"))


def events(realm: Realm, kind: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=kind).order_by("id"))


def test_four_failures_are_a_person_who_mistypes(realm_a: Realm, user_a: User, fail):
    fail(realm_a, user_a, rules.PERSON_TRIES - 1)
    assert alerts(realm_a) == []


def test_five_failures_raise_one_alert_about_the_person(realm_a: Realm, user_a: User, realm_b: Realm, fail):
    fail(realm_a, user_a, rules.PERSON_TRIES)
    (alert,) = alerts(realm_a)
    assert (alert.number, alert.detector, alert.severity, alert.status) == (1, "password_guessing", "medium", "open")
    assert alert.user_id == user_a.pk
    assert alert.evidence["tries"] == 5
    assert alert.raised_at == NOON + timedelta(seconds=4)
    (raised,) = events(realm_a, "alert.raised")
    assert (raised.target_id, raised.payload["level"], raised.actor_type) == (alert.pk, "medium", ActorKind.SYSTEM)
    assert alerts(realm_b) == []


def test_more_failures_merge_into_the_open_alert_and_make_it_graver(realm_a: Realm, user_a: User, fail):
    fail(realm_a, user_a, rules.PERSON_TRIES)
    fail(realm_a, user_a, 1, at=NOON + timedelta(minutes=1))
    (alert,) = alerts(realm_a)
    assert alert.evidence["tries"] == 6
    assert events(realm_a, "alert.escalated") == []
    fail(realm_a, user_a, rules.PERSON_TRIES_HIGH, at=NOON + timedelta(minutes=2))
    (alert,) = alerts(realm_a)
    assert alert.severity == Severity.HIGH
    assert len(events(realm_a, "alert.raised")) == len(events(realm_a, "alert.escalated")) == 1


def test_failures_far_apart_are_no_situation(realm_a: Realm, user_a: User, fail):
    for n in range(rules.PERSON_TRIES + 3):
        fail(realm_a, user_a, 1, at=NOON + n * timedelta(minutes=3))
    assert alerts(realm_a) == []


def test_a_success_after_failures_from_there_makes_it_graver(realm_a: Realm, user_a: User, fail):
    fail(realm_a, user_a, rules.PERSON_TRIES)
    say(realm_a, SignInSucceeded(target_id=user_a.pk, subject_id=user_a.pk), at=NOON + timedelta(seconds=30))
    outbox.drain()
    (alert,) = alerts(realm_a)
    assert (alert.severity, alert.evidence["got_in"]) == (Severity.HIGH, 1)


def test_a_success_from_elsewhere_is_the_person_himself(realm_a: Realm, user_a: User, fail):
    fail(realm_a, user_a, rules.PERSON_TRIES)
    moment = NOON + timedelta(seconds=30)
    say(realm_a, SignInSucceeded(target_id=user_a.pk, subject_id=user_a.pk), at=moment, ip="198.51.100.1")
    outbox.drain()
    (alert,) = alerts(realm_a)
    assert (alert.severity, alert.evidence["got_in"]) == (Severity.MEDIUM, 0)


def test_one_address_with_many_names_is_an_alert_about_the_address(realm_a: Realm, fail):
    for n in range(rules.ADDRESS_TRIES):
        fail(realm_a, None, identifier=f"person{n % 4}@example.com", at=NOON + timedelta(seconds=n))
    (alert,) = alerts(realm_a)
    assert (alert.detector, alert.severity, alert.user_id) == ("password_spraying", "high", None)
    assert alert.evidence["people"] == 4
    assert "203.0.113.9" not in str(alert.evidence)
    with realm_scope(realm_a):
        assert address_of(alert) == "203.0.113.9"


def test_names_that_nobody_has_raise_no_alert_about_a_person(realm_a: Realm, fail):
    fail(realm_a, None, 30)
    assert alerts(realm_a) == []


def test_the_same_person_in_another_realm_is_another_person(
    realm_a: Realm, realm_b: Realm, user_a: User, user_b: User, fail
):
    fail(realm_a, user_a, 3)
    fail(realm_b, user_b, 3)
    assert alerts(realm_a) == alerts(realm_b) == []


def test_after_a_dismissal_only_new_failures_count(realm_a: Realm, user_a: User, as_owner_a: Actor, fail):
    fail(realm_a, user_a, rules.PERSON_TRIES)
    with realm_scope(realm_a), clock_at(NOON + timedelta(seconds=10)):
        dismiss_alert(as_owner_a, alert_id=alerts(realm_a)[0].pk)
    fail(realm_a, user_a, rules.PERSON_TRIES - 1, at=NOON + timedelta(seconds=20))
    assert [alert.status for alert in alerts(realm_a)] == [AlertStatus.DISMISSED]
    fail(realm_a, user_a, 1, at=NOON + timedelta(seconds=40))
    assert [(alert.number, alert.status) for alert in alerts(realm_a)] == [(1, "dismissed"), (2, "open")]


def test_a_reused_refresh_token_raises_an_alert_at_once(realm_a: Realm, user_a: User, app_a):
    application, _secret = app_a
    event = RefreshReused(target_id=user_a.pk, subject_id=user_a.pk, application_id=application.pk)
    for _ in range(2):
        say(realm_a, event)
    outbox.drain()
    (alert,) = alerts(realm_a)
    assert (alert.detector, alert.severity, alert.application_id) == ("refresh_reuse", "high", application.pk)
    assert alert.evidence["tries"] == 2


def test_a_repeated_delivery_changes_nothing(realm_a: Realm, user_a: User, fail):
    from identity.security.reactions import on_suspicious_event

    fail(realm_a, user_a, rules.PERSON_TRIES)
    before = alerts(realm_a)[0].evidence
    with realm_scope(realm_a):
        on_suspicious_event(events(realm_a, "signin.failed")[-1])
    (alert,) = alerts(realm_a)
    assert alert.evidence == before
    assert len(events(realm_a, "alert.raised")) == 1


def test_ds_07_a_flood_is_counted_to_a_bound(realm_a: Realm, user_a: User, fail, monkeypatch):
    monkeypatch.setattr(rules, "MOST_COUNTED", 8)
    fail(realm_a, user_a, 12)
    assert alerts(realm_a)[0].evidence["tries"] == 8
