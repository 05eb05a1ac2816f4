"""Self-check of the audit table: is what stands in the database still what `ddl` made (AU-02, AU-04, AU-05)?

No SQL can stop the owner of a database from dropping a trigger; this is what notices, at start-up, after migrate and
in /readyz.
"""

import logging
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection

from identity.audit import ddl, partitions
from identity.audit.models import AuditEvent

logger = logging.getLogger(__name__)

TABLE = AuditEvent._meta.db_table
_WHOLE_TABLE = (
    "(c.oid = to_regclass(%s)"
    " OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(%s)))"
)  # the parent and every partition
DURABLE = frozenset({"on", "remote_apply"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What differs. A breach means that rows could be changed or lost; a warning, that a second net is missing."""

    code: str
    text: str
    is_breach: bool = True


def findings() -> list[Finding]:
    """Everything that is not as it should be; empty when all is well or the table was not made yet."""
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return []
        found = _columns(cursor)
        found += _sqlite(cursor) if connection.vendor == "sqlite" else _postgresql(cursor)
    return found


def breaches() -> list[Finding]:
    """The findings that must keep traffic away."""
    return [finding for finding in findings() if finding.is_breach]


def log_findings() -> None:
    """At start-up. Never raises: a database that is away is /readyz's to tell."""
    try:
        for finding in findings():
            logger.log(
                logging.CRITICAL if finding.is_breach else logging.WARNING, "audit %s: %s", finding.code, finding.text
            )
    except DatabaseError as error:
        logger.warning("The audit table could not be checked: %s", type(error).__name__)
    finally:
        connection.close()


def _columns(cursor: Any) -> list[Finding]:
    """Django does not manage the table, so makemigrations would not see that the model has moved away from it."""
    described = {
        column.name: bool(column.null_ok) for column in connection.introspection.get_table_description(cursor, TABLE)
    }
    types = _column_types(cursor)
    out = []
    for field in AuditEvent._meta.concrete_fields:
        name = str(field.column)
        if name not in described:
            out.append(Finding("columns", f"column {name} is missing"))
        elif described[name] != field.null:
            out.append(Finding("columns", f"column {name}: null is {described[name]}, the model says {field.null}"))
        elif types[name] != _model_type(field):
            out.append(Finding("columns", f"column {name} is {types[name]}, the model says {_model_type(field)}"))
    known = {field.column for field in AuditEvent._meta.concrete_fields}
    return out + [Finding("columns", f"column {name} is unknown") for name in sorted(set(described) - known)]


def _model_type(field: Any) -> str:
    name = str(field.db_type(connection)).lower()
    return name.replace("varchar", "character varying") if connection.vendor == "postgresql" else name


def _column_types(cursor: Any) -> dict[str, str]:
    if connection.vendor == "sqlite":
        cursor.execute(f"PRAGMA table_info({TABLE})")
        return {str(row[1]): str(row[2]).lower() for row in cursor.fetchall()}
    cursor.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
        [TABLE],
    )
    return {str(name): str(kind) for name, kind in cursor.fetchall()}


def _sqlite(cursor: Any) -> list[Finding]:
    """The stored statements, word by word: a table rebuild drops WITHOUT ROWID and triggers without a message."""
    cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL", [TABLE])
    stored = {str(row[0]) for row in cursor.fetchall()}
    out = [
        Finding("definition", f"missing or altered: {statement[:60]}…")
        for statement in ddl.SQLITE
        if statement not in stored
    ]
    out += [Finding("definition", f"added: {statement[:60]}…") for statement in sorted(stored - set(ddl.SQLITE))]
    cursor.execute("PRAGMA recursive_triggers")
    if cursor.fetchone()[0] != 1:
        out.append(Finding("recursive_triggers", "REPLACE would not fire the delete trigger"))
    cursor.execute("PRAGMA synchronous")
    if cursor.fetchone()[0] < 2:
        out.append(Finding("durability", "synchronous is below FULL: a power cut could lose acknowledged events"))
    return out


def _postgresql(cursor: Any) -> list[Finding]:
    out: list[Finding] = []
    cursor.execute("SHOW synchronous_commit")
    level = str(cursor.fetchone()[0])
    if level not in DURABLE:
        out.append(Finding("durability", f"synchronous_commit is {level}: a crash could lose acknowledged events"))
    cursor.execute("SHOW session_replication_role")
    if cursor.fetchone()[0] != "origin":
        out.append(Finding("triggers", "session_replication_role is not origin"))
    out += _privileges(cursor)
    out += _triggers(cursor)
    cursor.execute(
        "SELECT convalidated FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = 'audit_id_is_time'",
        [TABLE],
    )
    if cursor.fetchone() != (True,):
        out.append(Finding("definition", "the check that ties occurred_at to the id is missing"))
    cursor.execute("SELECT count(*) FROM pg_rules WHERE tablename LIKE 'identity\\_auditevent%%'")
    if cursor.fetchone()[0]:
        out.append(Finding("definition", "a rewrite rule stands on the table"))
    left = partitions.months_left()
    if left is not None and left < partitions.WARN_BELOW:
        out.append(Finding("partitions", f"only {left} future months have a partition", is_breach=False))
    return out


def _privileges(cursor: Any) -> list[Finding]:
    """The server's own role should own nothing: with one role for all, an intruder could drop the triggers."""
    cursor.execute(
        "SELECT pg_has_role(current_user, c.relowner, 'MEMBER') FROM pg_class c WHERE c.oid = to_regclass(%s)", [TABLE]
    )
    if cursor.fetchone()[0]:
        return [
            Finding(
                "one_role",
                "the server's database role owns the audit table; set MIGRATE_DATABASE_URL to an owner of its own",
                is_breach=False,
            )
        ]
    out = []
    cursor.execute(
        "SELECT c.relname, p FROM pg_class c CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) p"  # noqa: S608 - constants
        f" WHERE {_WHOLE_TABLE}"
        " AND has_table_privilege(c.oid, p)",
        [TABLE, TABLE],
    )
    out += [Finding("privileges", f"the server may {privilege} {table}") for table, privilege in cursor.fetchall()]
    return out


def _triggers(cursor: Any) -> list[Finding]:
    """Both guards on the parent and on every partition, enabled ALWAYS, calling a function that still refuses."""
    out = []
    cursor.execute(
        "SELECT c.relname, g.name FROM pg_class c"  # noqa: S608 - constants
        " CROSS JOIN (VALUES ('audit_no_change'), ('audit_no_truncate')) g(name)"
        f" WHERE {_WHOLE_TABLE}"
        " AND NOT EXISTS (SELECT 1 FROM pg_trigger t"
        " WHERE t.tgrelid = c.oid AND t.tgname = g.name AND t.tgenabled = 'A')",
        [TABLE, TABLE],
    )
    out += [Finding("triggers", f"{table} lacks {name}, or it is not always on") for table, name in cursor.fetchall()]
    cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'identity_audit_refuse'")
    sources = [str(row[0]) for row in cursor.fetchall()]
    if len(sources) != 1 or "RAISE EXCEPTION 'audit is append-only" not in sources[0]:
        out.append(Finding("triggers", "the function that refuses changes is not the one that was made"))
    return out
