"""How statements of the hot path run: on PostgreSQL as prepared ones, on SQLite through a cursor."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import ServerBindingCursor

from identity.kernel import prepared

Params = Mapping[str, Any]


def real_connection() -> BaseDatabaseWrapper:
    """The connection itself: Django's `connection` looks it up anew at each of a hundred uses in one statement."""
    return connections[DEFAULT_DB_ALIAS]


def renew_connection() -> None:
    """What Django does before each request: a connection that failed or is too old is closed."""
    real_connection().close_if_unusable_or_obsolete()


def release_connection() -> None:
    """What Django does after each request. What the next request will find out can wait for it."""
    real = real_connection()
    if real.errors_occurred or (real.close_at is not None and time.monotonic() >= real.close_at):
        real.close_if_unusable_or_obsolete()


def _unwatched(real: Any) -> Any:
    """The driver's connection, if a statement may run on it by name: PostgreSQL, and nobody watching.

    Prepared statements: planning a join of six tables costs more than running it by primary keys.
    """
    if real.vendor != "postgresql":
        return None
    if real.connection is None or not real.health_check_done:
        real.close_if_health_check_failed()
        real.ensure_connection()
    # Who watches statements, as tests and the debugger do, sees those of Django's cursor alone. It also refuses what
    # comes after a failure in the same transaction.
    if real.needs_rollback or real.execute_wrappers or real.force_debug_cursor:
        return None
    return real.connection if settings.REALMKEEP_PREPARED_STATEMENTS else None


def cursor_of(real: Any) -> Any:
    """A cursor; on PostgreSQL one that binds on the server, as a prepared statement does."""
    if real.vendor != "postgresql":
        return real.cursor()
    real.close_if_health_check_failed()
    real.ensure_connection()
    return real._prepare_cursor(ServerBindingCursor(real.connection))  # type: ignore[call-arg]  # the stubs know no cursor classes


def rows_of(real: Any, statement: str, params: Params) -> Sequence[Sequence[Any]]:
    """What a statement returns."""
    with real.wrap_database_errors:
        if (raw := _unwatched(real)) is not None:
            return prepared.run(raw, statement, params)
        with closing(cursor_of(real)) as cursor:
            cursor.execute(statement, adapted(params, real))
            rows: Sequence[Sequence[Any]] = cursor.fetchall() if cursor.description else ()
            return rows


def adapted(params: Params, real: Any) -> dict[str, Any]:
    """Values as the driver takes them: psycopg knows UUIDs and times, SQLite stores text."""
    if real.vendor == "postgresql":
        return dict(params)
    out: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, UUID):
            out[name] = value.hex
        elif isinstance(value, datetime):
            out[name] = real.ops.adapt_datetimefield_value(value)
        else:
            out[name] = value
    return out


def fetch_one(statement: str, params: Params) -> Sequence[Any] | None:
    """The first row of a SELECT, or None."""
    rows = rows_of(real_connection(), statement, params)
    return rows[0] if rows else None


def fetch_all(statement: str, params: Params) -> list[Sequence[Any]]:
    """All rows of a SELECT."""
    return list(rows_of(real_connection(), statement, params))


def write(statement: str, params: Params) -> list[Sequence[Any]]:
    """What one writing statement returns (RETURNING), or nothing.

    On PostgreSQL it is a transaction by itself, like `take`; on SQLite it waits in the writers' queue of `atomic`.
    """
    real = real_connection()
    if real.vendor == "postgresql":
        return list(rows_of(real, statement, params))
    with transaction.atomic():
        return list(rows_of(real, statement, params))


def relaxed() -> str:
    """A column for RETURNING: let this write reach the disk a moment after its commit. Nothing to add on SQLite.

    For what may be lost when the server falls: tries that were counted, a code that nobody redeemed yet. Never inside
    `atomic`, whose commit may be an event's.
    """
    real = real_connection()
    if real.vendor != "postgresql" or real.in_atomic_block:
        return ""
    return "set_config('synchronous_commit', 'off', true)"


def one_of(name: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """`%(name_0)s, %(name_1)s` and its parameters, for an IN list whose length is a matter of configuration."""
    params = {f"{name}_{index}": value for index, value in enumerate(values)}
    return ", ".join(f"%({key})s" for key in params), params


def in_realm(alias: str) -> str:
    """The realm's condition on a row that another condition finds by its key; needs the parameter `realm`.

    `IS TRUE` hides it from the planner's choice of an index. Without statistics, as in a new database, it takes any
    index that begins with the realm for as good as the primary key, keeps that plan, and reads all rows of the realm.
    """
    return f"({alias}.realm_id = %(realm)s) IS TRUE"


def vendor() -> str:
    """Which of the two databases this is, for the few texts that differ."""
    return connection.vendor
