"""SQLite: append-only, whatever is tried; and what no database can refuse is noticed (AU-05)."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from identity.audit.checks import findings
from identity.audit.events import AuditExported
from identity.audit.models import AuditEvent
from identity.audit.record import record
from identity.kernel.actor import system_actor
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(realm_a: Realm) -> AuditEvent:
    return record(system_actor(realm_a.pk), AuditExported())


def test_a_fresh_table_is_as_it_was_made():
    assert findings() == []


REFUSED = {
    "update": "UPDATE identity_auditevent SET type = 'x' WHERE id = %s",
    "delete": "DELETE FROM identity_auditevent WHERE id = %s",
    "insert or replace": "INSERT OR REPLACE INTO identity_auditevent SELECT * FROM identity_auditevent WHERE id = %s",
    "replace": "REPLACE INTO identity_auditevent SELECT * FROM identity_auditevent WHERE id = %s",
    "insert or ignore": "INSERT OR IGNORE INTO identity_auditevent SELECT * FROM identity_auditevent WHERE id = %s",
    "update or replace": "UPDATE OR REPLACE identity_auditevent SET outcome = 'x' WHERE id = %s",
    "upsert": "INSERT INTO identity_auditevent SELECT * FROM identity_auditevent WHERE id = %s"
    " ON CONFLICT (id) DO UPDATE SET type = 'x'",
    "update from": "UPDATE identity_auditevent SET type = 'x' FROM identity_realm WHERE identity_auditevent.id = %s",
    "rowid": "INSERT OR REPLACE INTO identity_auditevent (rowid, id)"
    " SELECT 1, id FROM identity_auditevent WHERE id = %s",
}


@pytest.mark.parametrize("name", REFUSED)
def test_au_05_no_statement_changes_or_removes_an_event(row: AuditEvent, name: str):
    before = AuditEvent.objects.filter(pk=row.pk).values().get()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(REFUSED[name], [row.pk.hex])
    assert AuditEvent.objects.filter(pk=row.pk).values().get() == before


def test_au_05_the_orm_can_neither_change_nor_delete(row: AuditEvent):
    row.type = "x"
    for act in (
        row.save,
        lambda: row.save(force_update=True),
        row.delete,
        lambda: AuditEvent.objects.filter(pk=row.pk).update(type="x"),
        lambda: AuditEvent.objects.filter(pk=row.pk).delete(),
        lambda: AuditEvent.objects.bulk_update([row], ["type"]),
        lambda: AuditEvent.objects.bulk_create([row], update_conflicts=True, update_fields=["type"],
                                               unique_fields=["id"]),
    ):  # fmt: skip
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            act()
    assert AuditEvent.objects.get(pk=row.pk).type == "audit.exported"


TAMPERED = {
    "a dropped trigger": ["DROP TRIGGER audit_no_delete"],
    "a dropped index": ["DROP INDEX audit_realm"],
    "a trigger that does nothing": [
        "DROP TRIGGER audit_no_update",
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON identity_auditevent BEGIN SELECT 1; END",
    ],
    "a trigger added": [
        "CREATE TRIGGER quiet BEFORE INSERT ON identity_auditevent BEGIN SELECT RAISE(IGNORE); END",
    ],
    "a column added": ["ALTER TABLE identity_auditevent ADD COLUMN more text"],
}


@pytest.mark.parametrize("name", TAMPERED)
def test_au_05_what_cannot_be_refused_is_noticed(name: str):
    with connection.cursor() as cursor:
        for statement in TAMPERED[name]:
            cursor.execute(statement)
    assert any(finding.is_breach for finding in findings())


@pytest.mark.django_db(transaction=True)
def test_au_05_a_definition_rewritten_behind_the_databases_back_is_noticed():
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'audit_no_delete'")
        original = cursor.fetchone()[0]
        try:
            cursor.execute("PRAGMA writable_schema = ON")
            cursor.execute(
                "UPDATE sqlite_master SET sql = replace(sql, 'ABORT', 'IGNORE') WHERE name = 'audit_no_delete'"
            )
            assert any("missing or altered" in finding.text for finding in findings())
        finally:
            cursor.execute("UPDATE sqlite_master SET sql = %s WHERE name = 'audit_no_delete'", [original])
            cursor.execute("PRAGMA writable_schema = OFF")
    assert findings() == []


@pytest.mark.django_db(transaction=True)
def test_au_05_a_table_rebuild_is_noticed():
    """Django's own rebuild keeps columns and drops WITHOUT ROWID, triggers and indexes without a word."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("CREATE TABLE copied AS SELECT * FROM identity_auditevent")
        cursor.execute("DROP TABLE identity_auditevent")
        cursor.execute("ALTER TABLE copied RENAME TO identity_auditevent")
        found = findings()
        cursor.execute("ROLLBACK")
    assert {finding.code for finding in found} >= {"definition", "columns"}
    assert findings() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("pragma", "code"), [("recursive_triggers = OFF", "recursive_triggers"),
                                              ("synchronous = NORMAL", "durability")])  # fmt: skip
def test_a_connection_without_its_pragmas_is_noticed(pragma: str, code: str):
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {pragma}")
        assert code in {finding.code for finding in findings()}
    finally:
        connection.close()


def test_the_model_and_the_table_agree_column_by_column(monkeypatch):
    field = AuditEvent._meta.get_field("outcome")
    monkeypatch.setattr(field, "null", True)
    assert [finding.code for finding in findings()] == ["columns"]
