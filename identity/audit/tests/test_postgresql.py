"""PostgreSQL with two roles: the server's own can add to the trail and read it, and nothing else (AU-02, AU-04)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

pytestmark = pytest.mark.postgres
ROOT = Path(__file__).resolve().parents[3]
NAME, OWNER, APP = "two_roles", "rk_owner", "rk_app"


LISTENER = """
import contextlib, io, json, sys, traceback
import django
from django.db import connection
django.setup()
for line in sys.stdin:
    connection.close()
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(json.loads(line), {})
        print(json.dumps(["", said.getvalue()]), flush=True)
    except BaseException:
        print(json.dumps([traceback.format_exc(), ""]), flush=True)
"""
"""A process of the server's role that runs what it is told: starting one takes longer than what most tests ask."""


@dataclass(frozen=True)
class Server:
    """A database whose tables belong to one role and are used by another."""

    owner_url: str
    app_url: str
    listeners: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "REALMKEEP_", "REDIS_"))}
        return kept | {
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "DATABASE_URL": self.app_url,
            "MIGRATE_DATABASE_URL": self.owner_url,
        }

    def manage(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment() | more, capture_output=True, text=True, check=False
        )

    def python(self, code: str, *, url: str = "") -> str:
        """What the code prints, run as the server's role or as the one of this URL."""
        url = url or self.app_url
        if url not in self.listeners:
            self.listeners[url] = subprocess.Popen(
                [sys.executable, "-c", LISTENER],
                cwd=ROOT,
                env=self.environment() | {"DATABASE_URL": url},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        told, heard = self.listeners[url].stdin, self.listeners[url].stdout
        assert told is not None
        assert heard is not None
        told.write(json.dumps(code) + "\n")
        told.flush()
        failure, said = json.loads(heard.readline())
        assert not failure, failure[-3000:]
        return str(said).strip()

    def stop(self) -> None:
        """Ends the processes that listen."""
        for listener in self.listeners.values():
            listener.communicate()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Migrated by `manage.py migrate` as the owner, with one event in it."""
    url = os.environ["TEST_POSTGRES_URL"]
    parts = conninfo_to_dict(url)

    def as_role(role: str) -> str:
        return f"postgresql://{role}@{parts['host']}:{parts['port']}/{NAME}"

    def drop(admin: psycopg.Connection[Any]) -> None:
        admin.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        for role in (OWNER, APP):
            admin.execute(f"DROP ROLE IF EXISTS {role}")

    with psycopg.connect(url, autocommit=True) as admin:
        drop(admin)
        admin.execute(f"CREATE ROLE {OWNER} LOGIN")
        admin.execute(f"CREATE ROLE {APP} LOGIN")
        admin.execute(f"CREATE DATABASE {NAME} OWNER {OWNER}")
    made = Server(as_role(OWNER), as_role(APP))
    try:
        migrated = made.manage("migrate", "--verbosity", "0", "--skip-checks")
        assert migrated.returncode == 0, migrated.stderr[-3000:]
        made.python(
            "from django.db import transaction\n"
            "from identity.audit.events import AuditExported\n"
            "from identity.audit.record import record\n"
            "from identity.kernel.actor import system_actor\n"
            "from identity.kernel.ids import uuid7\n"
            "with transaction.atomic(): record(system_actor(uuid7()), AuditExported(count=1))\n"
        )
        yield made
    finally:
        made.stop()
        with psycopg.connect(url, autocommit=True) as admin:
            drop(admin)


@pytest.fixture
def app(server: Server) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.app_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def owner(server: Server) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.owner_url, autocommit=True) as connection:
        yield connection


def partition() -> str:
    return f"identity_auditevent_{datetime.now(UTC):%Y%m}"


def test_au_02_the_servers_sessions_commit_durably(server: Server):
    assert server.python("from identity.audit.checks import findings\nprint(findings())") == "[]"
    weak = server.app_url + "?options=-c%20synchronous_commit%3Doff"
    told = server.python("from identity.audit.checks import breaches\nprint(breaches())", url=weak)
    assert "synchronous_commit is off" in told


REFUSED = {
    "update": "UPDATE identity_auditevent SET type = 'x'",
    "delete": "DELETE FROM identity_auditevent",
    "truncate": "TRUNCATE identity_auditevent",
    "alter": "ALTER TABLE identity_auditevent ADD COLUMN more text",
    "drop": "DROP TABLE identity_auditevent",
    "rename": "ALTER TABLE identity_auditevent RENAME TO other",
    "disable trigger": "ALTER TABLE identity_auditevent DISABLE TRIGGER ALL",
    "drop trigger": "DROP TRIGGER audit_no_change ON identity_auditevent",
    "create trigger": "CREATE TRIGGER x BEFORE INSERT ON identity_auditevent FOR EACH ROW"
    " EXECUTE FUNCTION identity_audit_refuse()",
    "create rule": "CREATE RULE x AS ON INSERT TO identity_auditevent DO INSTEAD NOTHING",
    "replication role": "SET session_replication_role = replica",
    "replace the function": "CREATE OR REPLACE FUNCTION identity_audit_refuse() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN RETURN NEW; END $$",
    "set role": f"SET ROLE {OWNER}",
    "upsert": "INSERT INTO identity_auditevent SELECT * FROM identity_auditevent"
    " ON CONFLICT (id) DO UPDATE SET type = 'x'",
    "merge": "MERGE INTO identity_auditevent a USING identity_auditevent b ON a.id = b.id"
    " WHEN MATCHED THEN UPDATE SET type = 'x'",
    "copy from a program": "COPY identity_auditevent FROM PROGRAM 'true'",
    "lock": "LOCK identity_auditevent IN ACCESS EXCLUSIVE MODE",
    "for update": "SELECT id FROM identity_auditevent FOR UPDATE",
    "detach": "ALTER TABLE identity_auditevent DETACH PARTITION {partition}",
    "update a partition": "UPDATE {partition} SET type = 'x'",
    "delete from a partition": "DELETE FROM {partition}",
    "truncate a partition": "TRUNCATE {partition}",
    "insert into a partition": "INSERT INTO {partition} SELECT * FROM identity_auditevent",
    "read a partition": "SELECT * FROM {partition}",
    "a partition of its own": "CREATE TABLE mine PARTITION OF identity_auditevent DEFAULT",
    "a month far ahead": "SELECT identity_audit_partition('2099-01-01')",
}


@pytest.mark.parametrize("name", REFUSED)
def test_au_04_the_servers_role_is_refused(app: psycopg.Connection[Any], name: str):
    before = app.execute("SELECT id, type FROM identity_auditevent").fetchall()
    assert before
    with pytest.raises(psycopg.errors.DatabaseError):
        app.execute(REFUSED[name].format(partition=partition()))
    assert app.execute("SELECT id, type FROM identity_auditevent").fetchall() == before


ORM = """
from django.db import DatabaseError, transaction
from identity.audit.models import AuditEvent
row = AuditEvent.objects.first(); row.type = "x"
acts = [
    lambda: row.save(), lambda: row.delete(), lambda: AuditEvent.objects.all().delete(),
    lambda: AuditEvent.objects.update(type="x"), lambda: AuditEvent.objects.bulk_update([row], ["type"]),
    lambda: AuditEvent.objects.bulk_create([row], update_conflicts=True, update_fields=["type"], unique_fields=["id"]),
]
refused = 0
for act in acts:
    try:
        with transaction.atomic(): act()
    except DatabaseError: refused += 1
print(refused, "of", len(acts), AuditEvent.objects.filter(type="x").count())
"""


def test_au_04_the_orm_is_refused(server: Server):
    assert server.python(ORM) == "6 of 6 0"


def test_au_04_nothing_cascades_into_the_trail(owner: psycopg.Connection[Any]):
    found = owner.execute(
        "SELECT conname FROM pg_constraint WHERE contype = 'f'"
        " AND (conrelid = 'identity_auditevent'::regclass OR confrelid = 'identity_auditevent'::regclass)"
    ).fetchall()
    assert found == []


def test_even_the_owner_does_not_change_rows_by_accident(owner: psycopg.Connection[Any]):
    for statement in (
        "UPDATE identity_auditevent SET type = 'x'",
        "DELETE FROM identity_auditevent",
        "TRUNCATE identity_auditevent",
        f"TRUNCATE {partition()}",
        f"UPDATE {partition()} SET type = 'x'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            owner.execute(statement)


TAMPERED = {
    "a trigger off": ("ALTER TABLE identity_auditevent DISABLE TRIGGER audit_no_change",
                      "ALTER TABLE identity_auditevent ENABLE ALWAYS TRIGGER audit_no_change"),
    "a trigger that replication skips": ("ALTER TABLE {p} ENABLE TRIGGER audit_no_truncate",
                                         "ALTER TABLE {p} ENABLE ALWAYS TRIGGER audit_no_truncate"),
    "a privilege more": (f"GRANT DELETE ON identity_auditevent TO {APP}",
                         f"REVOKE DELETE ON identity_auditevent FROM {APP}"),
    "a privilege on a partition": (f"GRANT UPDATE ON {{p}} TO {APP}", f"REVOKE UPDATE ON {{p}} FROM {APP}"),
    "a rule": ("CREATE RULE quiet AS ON INSERT TO identity_auditevent DO INSTEAD NOTHING",
               "DROP RULE quiet ON identity_auditevent"),
    "a column more": ("ALTER TABLE identity_auditevent ADD COLUMN more text",
                      "ALTER TABLE identity_auditevent DROP COLUMN more"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_what_the_owner_can_do_is_noticed(server: Server, owner: psycopg.Connection[Any], name: str):
    act, undo = (statement.format(p=partition()) for statement in TAMPERED[name])
    owner.execute(act)
    try:
        told = server.python("from identity.audit.checks import breaches\nprint(len(breaches()))")
        assert int(told) >= 1
    finally:
        owner.execute(undo)
    assert server.python("from identity.audit.checks import findings\nprint(findings())") == "[]"


def test_with_one_role_for_all_the_server_warns(server: Server):
    told = server.python(
        "from identity.audit.checks import findings\nprint([(f.code, f.is_breach) for f in findings()])",
        url=server.owner_url,
    )
    assert told == "[('one_role', False)]"


def test_the_servers_role_makes_the_next_months_and_no_others(server: Server, owner: psycopg.Connection[Any]):
    assert server.python("from identity.audit.partitions import months_left\nprint(months_left())") == "12"
    last = owner.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'identity_auditevent'::regclass"
        " ORDER BY 1 DESC LIMIT 1"
    ).fetchone()
    owner.execute(f"ALTER TABLE identity_auditevent DETACH PARTITION {last[0]}")
    owner.execute(f"DROP TABLE {last[0]}")
    assert server.python("from identity.audit.partitions import top_up\nprint(top_up())") == f"['{last[0]}']"
    assert server.python("from identity.audit.partitions import top_up\nprint(top_up())") == "[]"
    assert server.python("from identity.audit.checks import findings\nprint(findings())") == "[]"


def test_too_few_months_ahead_are_a_warning(server: Server):
    code = (
        "from datetime import timedelta\n"
        "from identity.kernel import clock\n"
        "from identity.audit.readiness import Level, checks\n"
        "with clock.clock_at(clock.now() + timedelta(days=335)):\n"
        "    print([(c.name, c.level.name) for c in checks() if c.level])\n"
    )
    assert server.python(code) == "[('audit.partitions', 'WARNING')]"


def test_an_event_of_a_month_without_partition_fails_closed(server: Server):
    code = (
        "from datetime import timedelta\n"
        "from django.db import IntegrityError, transaction\n"
        "from identity.audit.events import AuditExported\n"
        "from identity.audit.record import record\n"
        "from identity.kernel import clock\n"
        "from identity.kernel.actor import system_actor\n"
        "from identity.kernel.ids import uuid7\n"
        "with clock.clock_at(clock.now() + timedelta(days=900)):\n"
        "    try:\n"
        "        with transaction.atomic(): record(system_actor(uuid7()), AuditExported())\n"
        "    except IntegrityError: print('refused')\n"
    )
    assert server.python(code) == "refused"


def test_an_id_that_does_not_match_its_time_is_refused(app: psycopg.Connection[Any]):
    with pytest.raises(psycopg.errors.CheckViolation, match="audit_id_is_time"):
        app.execute(
            "INSERT INTO identity_auditevent (id, realm_id, type, schema_version, occurred_at, actor_type, request_id,"
            " target_type, outcome, payload) SELECT overlay(id::text placing 'abc' from 34)::uuid, realm_id, type, 1,"
            " occurred_at + interval '1 second', actor_type, '', '', outcome, payload FROM identity_auditevent"
        )


def test_migrate_refuses_two_databases(server: Server):
    other = server.owner_url.rsplit("/", 1)[0] + "/postgres"
    result = server.manage("migrate", "--skip-checks", MIGRATE_DATABASE_URL=other)
    assert result.returncode != 0
    assert "must name the same database" in result.stderr
