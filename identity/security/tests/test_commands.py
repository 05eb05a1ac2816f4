"""Acting on alerts: what it really hits, who may, and what the others see."""

from dataclasses import replace
from datetime import timedelta

import pytest

from identity.accounts.models import User, UserStatus
from identity.audit.models import AuditEvent
from identity.audit.reading import readable
from identity.kernel import clock
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.crypto import keyed_hash
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.events import Severity
from identity.kernel.ids import uuid7
from identity.kernel.permissions import Permission
from identity.realms.models import Realm
from identity.security.commands import (
    Signal,
    contain_address,
    contain_person,
    dismiss_alert,
    raise_alert,
    take_alert,
)
from identity.security.models import Alert, AlertStatus
from identity.security.queries import count_open, exposure_of, find_alerts, get_alert, open_alerts
from identity.security.rules import Detector
from identity.sessions.models import Session, SessionStatus

pytestmark = pytest.mark.django_db


def raised(realm: Realm, user: User | None, *, severity: Severity = Severity.HIGH, address: str = "") -> Alert:
    detector = Detector.PASSWORD_GUESSING if user else Detector.PASSWORD_SPRAYING
    now = clock.now()
    with realm_scope(realm):
        return raise_alert(
            system_actor(realm.pk),
            signal=Signal(
                detector=detector,
                severity=severity,
                topic=str(user.pk if user else address),
                at=now,
                evidence={"tries": 5, "first_at": now.isoformat(), "last_id": str(uuid7())},
                user_id=user.pk if user else None,
                address=address,
                address_hash=keyed_hash("audit-address", realm.pk, address) if address else None,
            ),
        )


def session_of(user: User, realm: Realm, ip: str = "203.0.113.9") -> Session:
    now = clock.now()
    with realm_scope(realm):
        session = Session(
            realm_id=realm.pk, key_hash=uuid7().bytes, user=user, ip=ip, created_at=now, last_seen_at=now,
            expires_at=now + timedelta(days=1),
        )  # fmt: skip
        session.save(force_insert=True)
    return session


@pytest.fixture
def alert(realm_a: Realm, user_a: User) -> Alert:
    return raised(realm_a, user_a)


def last_event(realm: Realm, kind: str) -> AuditEvent:
    return AuditEvent.objects.filter(realm_id=realm.pk, type=kind).latest("id")


def test_containing_locks_the_person_and_ends_what_is_signed_in(
    realm_a: Realm, user_a: User, owner_a: User, as_owner_a: Actor, alert: Alert
):
    mine = [session_of(user_a, realm_a) for _ in range(2)]
    other = session_of(owner_a, realm_a)
    with realm_scope(realm_a):
        done = contain_person(as_owner_a, alert_id=alert.pk, expected_sessions=2)
        assert (done.locked, done.sessions_ended) == (True, 2)
        assert User.objects.get(pk=user_a.pk).status == UserStatus.LOCKED
        assert set(Session.objects.filter(pk__in=[s.pk for s in mine]).values_list("status")) == {("ended",)}
        assert Session.objects.get(pk=other.pk).status == SessionStatus.ACTIVE
        closed = Alert.objects.get(pk=alert.pk)
    assert (closed.status, closed.closed_by) == (AlertStatus.CONTAINED, as_owner_a.id)
    event = last_event(realm_a, "alert.contained")
    assert event.payload | {"locked": True, "sessions_ended": 2} == event.payload
    assert readable([event])[0].sentence() == "Olivia Owner contained ALR-1: Dana Okafor"


def test_only_ending_sessions_leaves_the_account_open(realm_a: Realm, user_a: User, as_owner_a: Actor, alert: Alert):
    session_of(user_a, realm_a)
    with realm_scope(realm_a):
        done = contain_person(as_owner_a, alert_id=alert.pk, lock=False)
        assert (done.locked, done.sessions_ended) == (False, 1)
        assert User.objects.get(pk=user_a.pk).status == UserStatus.ACTIVE


def test_more_sessions_than_were_shown_stop_it(realm_a: Realm, user_a: User, as_owner_a: Actor, alert: Alert):
    session_of(user_a, realm_a)
    with realm_scope(realm_a):
        with pytest.raises(Conflict) as refusal:
            contain_person(as_owner_a, alert_id=alert.pk, expected_sessions=0)
        assert refusal.value.details == {"sessions": 1}
        assert User.objects.get(pk=user_a.pk).status == UserStatus.ACTIVE
        assert Session.objects.filter(user=user_a, status=SessionStatus.ACTIVE).count() == 1
        assert Alert.objects.get(pk=alert.pk).status == AlertStatus.OPEN


@pytest.mark.parametrize("missing", [Permission.ALERTS_ACT, Permission.SESSIONS_END, Permission.USERS_DISABLE])
def test_containing_needs_each_of_its_permissions(
    realm_a: Realm, user_a: User, as_owner_a: Actor, alert: Alert, missing: Permission
):
    actor = replace(as_owner_a, permissions=as_owner_a.permissions - {missing})
    with realm_scope(realm_a):
        with pytest.raises(PermissionDenied) as refusal:
            contain_person(actor, alert_id=alert.pk)
        assert refusal.value.permission == missing
        assert User.objects.get(pk=user_a.pk).status == UserStatus.ACTIVE
        assert Alert.objects.get(pk=alert.pk).status == AlertStatus.OPEN


def test_ti_02_another_realms_alert_is_not_there(realm_b: Realm, as_owner_b: Actor, alert: Alert, realm_a: Realm):
    for act in (contain_person, dismiss_alert, take_alert, get_alert):
        with realm_scope(realm_b), pytest.raises(NotFound):
            act(as_owner_b, alert_id=alert.pk)
    with realm_scope(realm_b):
        assert list(find_alerts(as_owner_b)) == []
    with realm_scope(realm_a):
        assert Alert.objects.get(pk=alert.pk).status == AlertStatus.OPEN


def test_a_closed_alert_is_not_acted_on_twice(realm_a: Realm, as_owner_a: Actor, alert: Alert):
    with realm_scope(realm_a):
        dismiss_alert(as_owner_a, alert_id=alert.pk, note="a drill")
        for act in (contain_person, dismiss_alert, take_alert):
            with pytest.raises(Conflict):
                act(as_owner_a, alert_id=alert.pk)
    event = last_event(realm_a, "alert.dismissed")
    assert readable([event])[0].personal["note"] == "a drill"
    assert "drill" not in str(event.payload)


def test_containing_an_address_ends_the_sessions_from_there(
    realm_a: Realm, user_a: User, owner_a: User, as_owner_a: Actor
):
    alert = raised(realm_a, None, address="203.0.113.9")
    ended = [session_of(user_a, realm_a), session_of(owner_a, realm_a)]
    elsewhere = session_of(user_a, realm_a, ip="198.51.100.1")
    with realm_scope(realm_a):
        done = contain_address(as_owner_a, alert_id=alert.pk, expected_sessions=2)
        assert (done.locked, done.sessions_ended) == (False, 2)
        assert {Session.objects.get(pk=s.pk).status for s in ended} == {SessionStatus.ENDED}
        assert Session.objects.get(pk=elsewhere.pk).status == SessionStatus.ACTIVE


def test_an_alert_about_an_address_has_no_person_to_contain(realm_a: Realm, as_owner_a: Actor, alert: Alert):
    about_address = raised(realm_a, None, address="203.0.113.9")
    with realm_scope(realm_a):
        with pytest.raises(Invalid):
            contain_person(as_owner_a, alert_id=about_address.pk)
        with pytest.raises(Invalid):
            contain_address(as_owner_a, alert_id=alert.pk)


def test_taking_says_who_is_on_it_once(realm_a: Realm, as_owner_a: Actor, alert: Alert):
    with realm_scope(realm_a):
        for _ in range(2):
            assert take_alert(as_owner_a, alert_id=alert.pk).taken_by == as_owner_a.id
    assert AuditEvent.objects.filter(realm_id=realm_a.pk, type="alert.taken").count() == 1


def test_nobody_acts_without_the_permission(realm_a: Realm, as_user_a: Actor, alert: Alert):
    with realm_scope(realm_a):
        for act in (dismiss_alert, take_alert, contain_person, contain_address):
            with pytest.raises(PermissionDenied):
                act(as_user_a, alert_id=alert.pk)
        for read in (find_alerts, open_alerts, count_open):
            with pytest.raises(PermissionDenied):
                read(as_user_a)


def test_the_queue_has_the_gravest_first_and_numbers_are_the_realms_own(
    realm_a: Realm, realm_b: Realm, user_a: User, owner_a: User, user_b: User, as_owner_a: Actor
):
    medium = raised(realm_a, user_a, severity=Severity.MEDIUM)
    critical = raised(realm_a, owner_a, severity=Severity.CRITICAL)
    assert raised(realm_b, user_b).number == 1
    with realm_scope(realm_a):
        assert [alert.pk for alert in open_alerts(as_owner_a)] == [critical.pk, medium.pk]
        assert count_open(as_owner_a) == {Severity.MEDIUM: 1, Severity.CRITICAL: 1}
    assert (medium.number, critical.number) == (1, 2)


def test_what_it_would_hit_is_counted_exactly_and_only_what_is_live(
    realm_a: Realm, user_a: User, as_owner_a: Actor, alert: Alert
):
    session_of(user_a, realm_a)
    gone = session_of(user_a, realm_a)
    with realm_scope(realm_a):
        Session.objects.filter(pk=gone.pk).update(expires_at=clock.now() - timedelta(seconds=1))
        exposure = exposure_of(as_owner_a, alert)
    assert (exposure.sessions, exposure.refresh_families, exposure.is_locked) == (1, 0, False)
