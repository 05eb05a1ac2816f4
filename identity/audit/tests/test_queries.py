"""Reading the trail: every filter, its edges, and the wall between realms."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.access.commands import create_role
from identity.audit import queries
from identity.audit.events import AuditExported
from identity.audit.feed import is_in_feed, quiet_types
from identity.audit.models import AuditEvent
from identity.audit.queries import EventFilter
from identity.audit.record import record
from identity.kernel.actor import Actor, ActorKind, system_actor
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.kernel.errors import NotFound, PermissionDenied
from identity.kernel.events import Outcome, Severity
from identity.kernel.ids import uuid7
from identity.kernel.origin import Origin
from identity.kernel.permissions import Permission
from identity.realms.models import Realm
from identity.security.events import AlertDismissed, AlertRaised

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def reader(realm_a: Realm) -> Actor:
    return Actor(
        kind=ActorKind.USER,
        realm_id=realm_a.pk,
        id=uuid7(),
        home_realm_id=realm_a.pk,
        session_id=uuid7(),
        request_id="req-1",
        permissions=frozenset({Permission.AUDIT_READ}),
        origin=Origin("203.0.113.7", "Firefox"),
        name="Rita Reader",
        email="rita@example.com",
    )


def ids(rows) -> list:
    return [row.pk for row in rows]


def test_events_come_newest_first(reader: Actor):
    rows = [record(reader, AuditExported(count=n)) for n in range(3)]
    assert ids(queries.find_events(reader, EventFilter(types=("audit.exported",)))) == ids(rows[::-1])


def test_reading_needs_the_permission(as_user_a: Actor):
    with pytest.raises(PermissionDenied) as refusal:
        queries.find_events(as_user_a)
    assert refusal.value.permission == Permission.AUDIT_READ


def test_another_realms_event_is_not_there(reader: Actor, realm_b: Realm):
    other = record(system_actor(realm_b.pk), AuditExported())
    assert other.pk not in ids(queries.find_events(reader))
    with pytest.raises(NotFound):
        queries.get_event(reader, event_id=other.pk)
    assert queries.events_by_id(reader.realm_id, [other.pk]) == []
    assert other.pk not in queries.newest_ids(reader.realm_id, since=NOON - timedelta(days=900), most=1000)


def test_filters_by_who_what_where_and_result(reader: Actor, realm_a: Realm):
    mine = record(reader, AuditExported(target_id=realm_a.pk))
    alert_id = uuid7()
    raised = record(system_actor(realm_a.pk), AlertRaised(target_id=alert_id, number=1, level="critical"))
    wanted = {
        EventFilter(types=("alert.raised",)): [raised],
        EventFilter(actor_id=reader.id): [mine],
        EventFilter(target_id=alert_id): [raised],
        EventFilter(about=(alert_id,)): [raised],
        EventFilter(session_id=reader.session_id): [mine],
        EventFilter(request_id="req-1"): [mine],
        EventFilter(address="203.0.113.7"): [mine],
        EventFilter(address="203.0.113.8"): [],
        EventFilter(severity=Severity.CRITICAL): [raised],
        EventFilter(actor_types=("user",)): [mine],
        EventFilter(outcomes=(Outcome.DENIED,)): [],
    }
    for asked, expected in wanted.items():
        assert ids(queries.find_events(reader, asked)) == ids(expected), asked


def test_an_alerts_own_severity_decides_not_that_of_its_type(reader: Actor, realm_a: Realm):
    medium = record(system_actor(realm_a.pk), AlertRaised(number=1, level="medium"))
    assert AlertRaised.severity is Severity.HIGH
    assert medium.pk in ids(queries.find_events(reader, EventFilter(severity=Severity.MEDIUM)))
    assert medium.pk not in ids(queries.find_events(reader, EventFilter(severity=Severity.HIGH)))


def test_an_event_without_a_severity_of_its_own_has_that_of_its_type(reader: Actor):
    row = record(reader, AlertDismissed(number=1))
    assert row.pk in ids(queries.find_events(reader, EventFilter(severity=Severity.LOW)))
    assert row.pk not in ids(queries.find_events(reader, EventFilter(severity=Severity.HIGH)))


def test_a_person_is_found_by_the_identifier_of_that_time(reader: Actor):
    row = record(reader, AuditExported())
    assert row.pk in ids(queries.find_events(reader, EventFilter(person=" RITA@example.com")))
    assert row.pk not in ids(queries.find_events(reader, EventFilter(person="rita@example.org")))


def test_dates_are_bounds_on_the_id(reader: Actor):
    with clock_at(NOON):
        row = record(reader, AuditExported())
    millisecond = timedelta(milliseconds=1)
    inside = EventFilter(since=NOON, until=NOON + millisecond)
    assert row.pk in ids(queries.find_events(reader, inside))
    for outside in (EventFilter(since=NOON + millisecond), EventFilter(until=NOON)):
        assert row.pk not in ids(queries.find_events(reader, outside))


def test_the_quiet_are_left_out_of_the_feed_and_kept_in_the_trail(reader: Actor):
    quiet = quiet_types()
    assert "token.issued" in quiet
    AuditEvent.objects.bulk_create([_row(reader, "token.issued")])
    assert queries.find_events(reader, EventFilter(types=("token.issued",))).count() == 1
    assert not queries.find_events(reader, EventFilter(quiet=False, types=("token.issued",))).exists()


def test_how_something_new_was_furnished_is_in_the_trail_and_not_in_the_feed(reader: Actor):
    since = datetime.now(UTC) - timedelta(minutes=1)
    told = record(reader, AuditExported())
    furnished = record(system_actor(reader.realm_id, provisioning=True), AuditExported())
    assert [is_in_feed(row) for row in (told, furnished)] == [True, False]
    assert ids(queries.find_events(reader, EventFilter(types=("audit.exported",)))) == [furnished.pk, told.pk]
    assert ids(queries.find_events(reader, EventFilter(types=("audit.exported",), quiet=False)))[0] == furnished.pk
    assert ids(queries.find_events(reader, EventFilter(types=("audit.exported",), feed=True))) == [told.pk]
    newest = queries.newest_ids(reader.realm_id, since=since, most=50)
    assert told.pk in newest
    assert furnished.pk not in newest


def _row(actor: Actor, event_type: str) -> AuditEvent:
    from identity.audit.record import columns_of
    from identity.kernel.events import registry

    return AuditEvent(**columns_of(actor, registry[event_type]()))


def test_neighbours_stay_inside_the_list(reader: Actor):
    rows = [record(reader, AuditExported(count=n)) for n in range(3)]
    record(reader, AlertDismissed(number=1))
    listed = EventFilter(types=("audit.exported",))
    assert queries.neighbours(reader, rows[1], listed) == (rows[2].pk, rows[0].pk)
    assert queries.neighbours(reader, rows[2], listed) == (None, rows[1].pk)


def test_related_events_are_of_the_same_request_or_session(reader: Actor, realm_a: Realm):
    one, two = record(reader, AuditExported(count=1)), record(reader, AuditExported(count=2))
    record(system_actor(realm_a.pk), AuditExported(count=3))
    assert ids(queries.related_events(reader, one)) == [two.pk]


def test_events_about_an_object_are_what_it_did_and_what_was_done_to_it(reader: Actor, realm_a: Realm):
    did = record(reader, AuditExported())
    had = record(system_actor(realm_a.pk), AlertRaised(target_id=reader.id))
    record(system_actor(realm_a.pk), AlertRaised(target_id=uuid7()))
    assert ids(queries.events_about(reader, object_id=reader.id)) == [had.pk, did.pk]


def test_everybody_sees_his_own_activity_and_nobody_elses(as_user_a: Actor, as_owner_a: Actor):
    mine = record(as_user_a, AuditExported())
    theirs = record(as_owner_a, AuditExported())
    shown = ids(queries.own_activity(as_user_a))
    assert mine.pk in shown
    assert theirs.pk not in shown


def test_a_visiting_operator_has_no_own_activity_there(realm_a: Realm, platform: Realm):
    visitor = Actor(kind=ActorKind.OPERATOR, realm_id=realm_a.pk, id=uuid7(), home_realm_id=platform.pk)
    with pytest.raises(PermissionDenied):
        queries.own_activity(visitor)


def test_chunks_give_every_row_once(reader: Actor):
    rows = [record(reader, AuditExported(count=n)) for n in range(7)]
    found = queries.find_events(reader, EventFilter(types=("audit.exported",)))
    for size in (1, 3, 7, 8):
        assert [row.pk for chunk in queries.in_chunks(found, size) for row in chunk] == ids(rows[::-1])


def test_newest_ids_are_the_newest_of_the_window(reader: Actor):
    rows = [record(reader, AuditExported(count=n)) for n in range(5)]
    since = rows[0].occurred_at - timedelta(seconds=1)
    newest = queries.newest_ids(reader.realm_id, since=since, most=2)
    assert newest == [rows[3].pk, rows[4].pk]


def test_counting_failures_is_bounded(reader: Actor):
    rows = [record(reader, AuditExported(count=n)) for n in range(5)]
    found = queries.count_failures(
        reader.realm_id, since=NOON - timedelta(days=900), until=rows[3].pk, types=("audit.exported",), most=3
    )
    assert ids(found) == [rows[3].pk, rows[2].pk, rows[1].pk]


def test_what_a_command_changed_reads_as_before_and_after(as_owner_a: Actor, realm_a: Realm):
    from identity.audit.reading import readable
    from identity.realms.commands import change_realm_settings

    with realm_scope(realm_a):
        create_role(as_owner_a, kind="application", name="buyer")
        change_realm_settings(as_owner_a, changes={"sign_up_open": False})
    row = AuditEvent.objects.filter(realm_id=realm_a.pk, type="realm.settings_changed").latest("id")
    assert readable([row])[0].changes == {"sign_up_open": (True, False)}
