"""Writing buckets. Each write is one statement, so that parallel counters never lose one another's numbers."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from identity.audit.leases import Held
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.ids import uuid7, uuid7_floor
from identity.metrics import rules
from identity.metrics.models import MetricBucket
from identity.realms.models import Realm, RealmStatus
from identity.sessions.models import Session
from identity.sessions.queries import live

_TABLE = MetricBucket._meta.db_table
_INSERT = (
    f"INSERT INTO {_TABLE} (id, realm_id, name, start, scope_id, value) VALUES (%s, %s, %s, %s, %s, %s)"  # noqa: S608 - no value is interpolated
    " ON CONFLICT (realm_id, name, scope_id, start) DO UPDATE SET value = "
)
_ADD, _SET = f"{_INSERT}{_TABLE}.value + EXCLUDED.value", f"{_INSERT}EXCLUDED.value"


def _write(statement: str, realm_id: UUID, name: str, start: datetime, scope_id: UUID, value: int) -> None:
    field = MetricBucket._meta.get_field
    values = [
        field(column).get_db_prep_value(given, connection)
        for column, given in (
            ("id", uuid7()),
            ("realm_id", realm_id),
            ("name", name),
            ("start", start),
            ("scope_id", scope_id),
            ("value", value),
        )
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def add(realm_id: UUID, name: str, moment: datetime, scopes: Iterable[UUID]) -> None:
    """Count one thing that happened at `moment`, in the series of each scope. Inside the caller's transaction."""
    for scope_id in scopes:
        _write(_ADD, realm_id, name, rules.bucket_start(moment), scope_id, 1)


def put(realm_id: UUID, name: str, moment: datetime, scope_id: UUID, value: int) -> None:
    """Set the bucket of `moment` to what was measured. Inside the caller's transaction."""
    _write(_SET, realm_id, name, rules.bucket_start(moment), scope_id, value)


def measure_all(held: Held) -> None:
    """Periodic, by one leader: the realms' tokens of this and the last half hour, and how many sessions are active."""
    for realm in Realm.objects.filter(status=RealmStatus.ACTIVE):
        with realm_scope(realm):
            measure(realm, held)


def measure(realm: Realm, held: Held | None = None) -> None:
    """Measure one realm now. Idempotent: it sets what it has counted, it does not add."""
    moment = clock.now()
    buckets = [rules.bucket_start(moment - rules.BUCKET), rules.bucket_start(moment)]
    tokens = [(start, _count_tokens(realm.pk, start)) for start in buckets]
    active = live(Session.objects.exclude(user_id=None), realm, moment).count()
    with transaction.atomic():
        if held is not None:
            held.check()
        for start, number in tokens:
            if number:
                put(realm.pk, rules.TOKENS, start, realm.pk, number)
        put(realm.pk, rules.ACTIVE_SESSIONS, moment, realm.pk, active)


def _count_tokens(realm_id: UUID, start: datetime) -> int:
    return AuditEvent.objects.filter(
        realm_id=realm_id,
        type__in=rules.TOKEN_EVENTS,
        id__gte=uuid7_floor(start),
        id__lt=uuid7_floor(start + rules.BUCKET),
    ).count()
