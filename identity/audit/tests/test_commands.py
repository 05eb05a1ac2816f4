"""Exports and remembered refusals."""

import pytest

from identity.audit.commands import export_events, record_refusal
from identity.audit.events import AuditExported
from identity.audit.models import AuditEvent
from identity.audit.queries import EventFilter
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor, anonymous_actor
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.kernel.errors import Invalid, PermissionDenied
from identity.kernel.permissions import Permission
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db


def exported(realm: Realm) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type="audit.exported").order_by("id"))


def test_an_export_is_recorded_with_its_count_and_is_not_in_itself(as_owner_a: Actor, realm_a: Realm, realm_b: Realm):
    with realm_scope(realm_a):
        record(as_owner_a, AuditExported(count=99))
        export = export_events(as_owner_a, wanted=EventFilter(types=("audit.exported",)), file_format="csv")
    rows = [row for chunk in export.chunks for row in chunk]
    assert export.count == len(rows) == 1
    assert rows[0].payload["count"] == 99
    assert exported(realm_a)[-1].payload == {"count": 1, "format": "csv"}
    assert not exported(realm_b)


def test_an_export_needs_its_own_permission(realm_a: Realm, as_owner_a: Actor):
    reader = Actor(
        kind=as_owner_a.kind,
        realm_id=realm_a.pk,
        id=as_owner_a.id,
        home_realm_id=realm_a.pk,
        permissions=frozenset({Permission.AUDIT_READ}),
    )
    with realm_scope(realm_a), pytest.raises(PermissionDenied) as refusal:
        export_events(reader, wanted=EventFilter(), file_format="csv")
    assert refusal.value.permission == Permission.AUDIT_EXPORT
    assert not exported(realm_a)


def test_an_export_that_is_too_big_is_refused(as_owner_a: Actor, realm_a: Realm, monkeypatch):
    monkeypatch.setattr("identity.audit.commands.MOST_EXPORTED", 1)
    with realm_scope(realm_a), pytest.raises(Invalid):
        export_events(as_owner_a, wanted=EventFilter(), file_format="json")
    assert not exported(realm_a)


def denied(realm: Realm) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type="access.denied"))


def test_a_refusal_is_recorded_once_a_minute_for_each_permission(as_user_a: Actor, realm_a: Realm):
    with realm_scope(realm_a):
        moment = clock.now().replace(second=1)
        with clock_at(moment):
            for _ in range(3):
                record_refusal(as_user_a, permission="users:read", path="/console/users")
            record_refusal(as_user_a, permission="keys:read", path="/console/keys")
        assert [row.payload["permission"] for row in denied(realm_a)] == ["users:read", "keys:read"]
        assert {row.outcome for row in denied(realm_a)} == {"denied"}


def test_an_anonymous_refusal_leaves_no_row(realm_a: Realm):
    with realm_scope(realm_a):
        assert record_refusal(anonymous_actor(realm_a.pk), permission="users:read", path="/") is None
    assert not denied(realm_a)
