"""Operator visits (DECISIONS 20): who may enter, for how long, what the visited realm's trail says."""

from datetime import timedelta
from uuid import uuid4

import pytest

from conftest import actor_of, make_user
from identity.access.commands import end_due_visits, end_visit, open_visit
from identity.access.models import OperatorVisit
from identity.access.queries import open_visit_of, visits_to
from identity.audit.models import AuditEvent
from identity.audit.reading import readable
from identity.audit.subjects import destroy_key
from identity.kernel import clock
from identity.kernel.actor import Actor, ActorKind, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.permissions import Permission
from identity.sessions.models import Session

pytestmark = pytest.mark.django_db

WHY = "Ticket 4711: their owner lost the phone"


@pytest.fixture
def visitor(platform, operator):
    """The operator's actor by a live session."""
    with realm_scope(platform):
        now = clock.now()
        row = Session.objects.create(
            key_hash=b"k" * 33,
            user=operator,
            sid=uuid4(),
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(hours=8),
        )
    actor = actor_of(operator)
    return Actor(
        kind=ActorKind.USER,
        realm_id=platform.pk,
        id=operator.pk,
        home_realm_id=platform.pk,
        session_id=row.pk,
        permissions=actor.permissions,
        name=actor.name,
        email=actor.email,
    )


def enter(actor, platform, realm, **fields):
    with realm_scope(platform):
        return open_visit(actor, realm_id=realm.pk, **{"reason": WHY, **fields})


def trail(realm, type_):
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("id"))


def open_in(realm, actor):
    return open_visit_of(realm, actor.id, actor.session_id)


def test_ac_16_a_visit_is_told_in_the_visited_realm(platform, realm_a, visitor):
    visit = enter(visitor, platform, realm_a)
    assert open_in(realm_a, visitor) == visit
    assert visit.ends_at - visit.opened_at == timedelta(minutes=60)
    (said,) = trail(realm_a, "visit.opened")
    assert said.actor_type == "operator"
    assert (said.actor_id, said.actor_realm) == (visitor.id, platform.pk)
    assert said.payload["visit_id"] == str(visit.pk)
    assert said.payload["minutes"] == 60
    assert WHY not in str(said.payload), "a reason can name a person: it is sealed"
    with realm_scope(realm_a):
        assert WHY in readable([said])[0].sentence()
        assert "Otto Operator" in readable([said])[0].sentence()
    assert not trail(platform, "visit.opened")


def test_erasing_an_operator_at_home_erases_him_where_he_visited(platform, realm_a, visitor):
    enter(visitor, platform, realm_a)
    (said,) = trail(realm_a, "visit.opened")
    assert destroy_key(platform.pk, visitor.id)
    with realm_scope(realm_a):
        sentence = readable([said])[0].sentence()
    assert "Otto Operator" not in sentence
    assert "An operator" in sentence


def test_ac_01_only_operators_of_the_platform_enter(platform, realm_a, realm_b, as_owner_a, operator):
    with realm_scope(realm_a), pytest.raises(PermissionDenied):
        open_visit(as_owner_a, realm_id=realm_b.pk, reason=WHY)
    forged = Actor(
        kind=ActorKind.USER,
        realm_id=realm_a.pk,
        id=as_owner_a.id,
        home_realm_id=realm_a.pk,
        session_id=uuid4(),
        permissions=frozenset(Permission),
    )
    with realm_scope(realm_a), pytest.raises(PermissionDenied):
        open_visit(forged, realm_id=realm_b.pk, reason=WHY)
    auditor = make_user(platform, "auditor@example.com", role="Auditor")
    with realm_scope(platform), pytest.raises(PermissionDenied):
        open_visit(actor_of(auditor), realm_id=realm_b.pk, reason=WHY)
    for realm in (realm_a, realm_b):
        assert not trail(realm, "visit.opened")


@pytest.mark.parametrize(
    ("fields", "field"), [({"reason": " "}, "reason"), ({"minutes": 61}, "minutes"), ({"minutes": 0}, "minutes")]
)
def test_a_visit_needs_a_reason_and_is_short(platform, realm_a, visitor, fields, field):
    with pytest.raises(Invalid) as refusal:
        enter(visitor, platform, realm_a, **fields)
    assert refusal.value.field == field
    assert open_in(realm_a, visitor) is None


def test_the_platform_and_unknown_realms_are_not_entered(platform, visitor, realm_a):
    with pytest.raises(Conflict):
        enter(visitor, platform, platform)
    with realm_scope(platform), pytest.raises(NotFound):
        open_visit(visitor, realm_id=uuid4(), reason=WHY)


def test_an_operators_session_is_in_one_realm_at_a_time(platform, realm_a, realm_b, visitor):
    first = enter(visitor, platform, realm_a)
    second = enter(visitor, platform, realm_b)
    assert open_in(realm_a, visitor) is None
    assert open_in(realm_b, visitor) == second
    (said,) = trail(realm_a, "visit.ended")
    assert (said.payload["how"], said.payload["visit_id"]) == ("another_visit", str(first.pk))
    third = enter(visitor, platform, realm_b)
    assert open_in(realm_b, visitor) == third


def test_another_session_of_the_operator_is_not_in(platform, realm_a, visitor):
    enter(visitor, platform, realm_a)
    assert open_visit_of(realm_a, visitor.id, uuid4()) is None
    assert open_visit_of(realm_a, uuid4(), visitor.session_id) is None


def test_a_visit_is_over_after_its_time_without_any_sweeper(platform, realm_a, visitor):
    visit = enter(visitor, platform, realm_a, minutes=10)
    with clock.clock_at(visit.ends_at - timedelta(seconds=1)):
        assert open_in(realm_a, visitor) == visit
    with clock.clock_at(visit.ends_at):
        assert open_in(realm_a, visitor) is None
        with realm_scope(realm_a):
            assert end_due_visits(system_actor(realm_a.pk)) == 1
            assert end_due_visits(system_actor(realm_a.pk)) == 0
    (said,) = trail(realm_a, "visit.ended")
    assert said.payload["how"] == "timer"


def test_a_visit_ends_with_the_operators_session(platform, realm_a, visitor):
    enter(visitor, platform, realm_a)
    with realm_scope(realm_a):
        assert end_due_visits(system_actor(realm_a.pk)) == 0
    with realm_scope(platform):
        Session.objects.filter(pk=visitor.session_id).update(status="ended")
    with realm_scope(realm_a):
        assert end_due_visits(system_actor(realm_a.pk)) == 1
    assert trail(realm_a, "visit.ended")[0].payload["how"] == "sign_out"
    assert open_in(realm_a, visitor) is None


def test_the_operator_leaves_by_the_button_of_either_console(platform, realm_a, visitor):
    visit = enter(visitor, platform, realm_a)
    inside = Actor(
        kind=ActorKind.OPERATOR,
        realm_id=realm_a.pk,
        id=visitor.id,
        home_realm_id=platform.pk,
        session_id=visitor.session_id,
        visit_id=visit.pk,
    )
    with realm_scope(realm_a):
        end_visit(inside, realm_id=realm_a.pk, visit_id=visit.pk)
        end_visit(inside, realm_id=realm_a.pk, visit_id=visit.pk)
    (said,) = trail(realm_a, "visit.ended")
    assert (said.actor_id, said.actor_realm, said.payload["how"]) == (visitor.id, platform.pk, "button")
    again = enter(visitor, platform, realm_a)
    with realm_scope(platform):
        end_visit(visitor, realm_id=realm_a.pk, visit_id=again.pk)
    assert open_in(realm_a, visitor) is None


def test_ti_02_nobody_else_ends_or_sees_a_visit(platform, realm_a, realm_b, visitor, as_owner_a, as_owner_b, as_user_a):
    visit = enter(visitor, platform, realm_a)
    for realm, actor in ((realm_a, as_owner_a), (realm_b, as_owner_b), (realm_a, as_user_a)):
        with realm_scope(realm), pytest.raises(NotFound):
            end_visit(actor, realm_id=realm_a.pk, visit_id=visit.pk)
    with realm_scope(platform), pytest.raises(NotFound):
        end_visit(visitor, realm_id=realm_b.pk, visit_id=visit.pk)
    assert open_in(realm_a, visitor) == visit
    with realm_scope(realm_b), pytest.raises(NotFound):
        visits_to(as_owner_b, realm=realm_a)
    with realm_scope(realm_a):
        assert visits_to(as_owner_a, realm=realm_a) == [visit]
        with pytest.raises(PermissionDenied):
            visits_to(as_user_a, realm=realm_a)
    with realm_scope(platform):
        assert visits_to(visitor, realm=realm_a) == [visit]


def test_another_operator_who_may_suspend_realms_can_end_it(platform, realm_a, visitor):
    visit = enter(visitor, platform, realm_a)
    colleague = actor_of(make_user(platform, "second@example.com", role="Operator", name="Olga Operator"))
    auditor = actor_of(make_user(platform, "auditor@example.com", role="Auditor"))
    with realm_scope(platform):
        with pytest.raises(PermissionDenied):
            end_visit(auditor, realm_id=realm_a.pk, visit_id=visit.pk)
        end_visit(colleague, realm_id=realm_a.pk, visit_id=visit.pk)
    (said,) = trail(realm_a, "visit.ended")
    assert (said.actor_id, said.actor_realm) == (colleague.id, platform.pk)


def test_only_the_system_closes_the_books(realm_a, as_owner_a):
    with realm_scope(realm_a), pytest.raises(PermissionDenied):
        end_due_visits(as_owner_a)
    assert OperatorVisit.all_realms.count() == 0
