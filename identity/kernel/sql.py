"""Statements of the hot path: joined reads that become row objects, and steps that are one statement on PostgreSQL.

A stateful step is a guarded UPDATE and the rows that follow from it (DECISIONS 23). On PostgreSQL it is one statement
with data-modifying CTEs; on SQLite the same parts run one after another inside BEGIN IMMEDIATE. Either way exactly one
of many concurrent callers changes the guarded row.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models.base import ModelState
from django.utils.dateparse import parse_datetime

from identity.kernel import prepared
from identity.kernel.context import current_realm_id

M = TypeVar("M", bound=models.Model)
Params = Mapping[str, Any]


def _real() -> BaseDatabaseWrapper:
    """The connection itself: Django's `connection` looks it up anew at each of a hundred uses in one statement."""
    return connections[DEFAULT_DB_ALIAS]


def renew_connection() -> None:
    """What Django does before each request: a connection that failed or is too old is closed."""
    _real().close_if_unusable_or_obsolete()


def release_connection() -> None:
    """What Django does after each request. What the next request will find out can wait for it."""
    real = _real()
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
    if real.needs_rollback or real.execute_wrappers or real.queries_logged:
        return None
    return real.connection if settings.REALMKEEP_PREPARED_STATEMENTS else None


def _cursor(real: Any) -> Any:
    """A cursor; on PostgreSQL one that binds on the server, as a prepared statement does."""
    if real.vendor != "postgresql":
        return real.cursor()
    real.close_if_health_check_failed()
    real.ensure_connection()
    return real._prepare_cursor(ServerBindingCursor(real.connection))  # type: ignore[call-arg]  # the stubs know no cursor classes


def _rows(real: Any, statement: str, params: Params) -> Sequence[Sequence[Any]]:
    """What a statement returns."""
    with real.wrap_database_errors:
        if (raw := _unwatched(real)) is not None:
            return prepared.run(raw, statement, params)
        with closing(_cursor(real)) as cursor:
            cursor.execute(statement, _adapted(params, real))
            rows: Sequence[Sequence[Any]] = cursor.fetchall() if cursor.description else ()
            return rows


def _adapted(params: Params, real: Any) -> dict[str, Any]:
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
    rows = _rows(_real(), statement, params)
    return rows[0] if rows else None


def fetch_all(statement: str, params: Params) -> list[Sequence[Any]]:
    """All rows of a SELECT."""
    return list(_rows(_real(), statement, params))


def write(statement: str, params: Params) -> list[Sequence[Any]]:
    """What one writing statement returns (RETURNING), or nothing.

    On PostgreSQL it is a transaction by itself, like `take`; on SQLite it waits in the writers' queue of `atomic`.
    """
    real = _real()
    if real.vendor == "postgresql":
        return list(_rows(real, statement, params))
    with transaction.atomic():
        return list(_rows(real, statement, params))


def relaxed() -> str:
    """A column for RETURNING: let this write reach the disk a moment after its commit. Nothing to add on SQLite.

    For what may be lost when the server falls: tries that were counted, a code that nobody redeemed yet. Never inside
    `atomic`, whose commit may be an event's.
    """
    real = _real()
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


# --- reading ---------------------------------------------------------------------------------------------------------


def vendor() -> str:
    """Which of the two databases this is, for the few texts that differ."""
    return connection.vendor


def as_uuid(value: Any) -> UUID | None:
    """A UUID column outside a row object."""
    return UUID(value) if isinstance(value, str) else value


def as_time(value: Any) -> datetime | None:
    """A time column outside a row object. SQLite keeps times without a zone; they are UTC."""
    moment: datetime | None = parse_datetime(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _truth(value: Any) -> Any:
    return None if value is None else bool(value)


def _bytes(value: Any) -> Any:
    return None if value is None else bytes(value)


def _converter(target: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    if isinstance(target, models.ForeignKey):
        target = target.target_field
    if isinstance(target, models.JSONField):
        return _json
    if isinstance(target, models.BinaryField):
        return _bytes
    if connection.vendor == "postgresql":
        return None
    if isinstance(target, models.UUIDField):
        return as_uuid
    if isinstance(target, models.DateTimeField):
        return as_time
    if isinstance(target, models.BooleanField):
        return _truth
    return None


class Columns[Row: models.Model]:
    """Some columns of one table in a joined SELECT, and how they become a row object (its other fields deferred)."""

    def __init__(self, model: type[Row], alias: str, names: Collection[str]) -> None:
        self.model = model
        self.alias = alias
        self.names = tuple(names)
        self._wanted = frozenset(names)

    @cached_property
    def _fields(self) -> list[models.Field[Any, Any]]:
        """In the model's order, which is the one that `from_db` takes values in."""
        return [each for each in self.model._meta.concrete_fields if each.primary_key or each.attname in self._wanted]

    @cached_property
    def _names(self) -> list[str]:
        return [each.attname for each in self._fields]

    @cached_property
    def _key(self) -> int:
        return next(at for at, each in enumerate(self._fields) if each.primary_key)

    @cached_property
    def _converters(self) -> list[tuple[str, Callable[[Any], Any]]]:
        return [(each.attname, convert) for each in self._fields if (convert := _converter(each)) is not None]

    @cached_property
    def sql(self) -> str:
        """The select list."""
        return ", ".join(f"{self.alias}.{each.column}" for each in self._fields)

    @cached_property
    def width(self) -> int:
        """How many columns there are."""
        return len(self._fields)

    def load(self, values: Sequence[Any]) -> Row | None:
        """The row object; None if the join found nothing."""
        if values[self._key] is None:
            return None
        # As `Model.from_db` leaves it, without asking each of the columns that were not read: of a user, thirty.
        row = self.model.__new__(self.model)
        kept = row.__dict__
        kept.update(zip(self._names, values, strict=True))
        for name, convert in self._converters:
            kept[name] = convert(kept[name])
        return _as_saved(row)


def split(values: Sequence[Any], *parts: Columns[Any]) -> tuple[list[Any], Sequence[Any]]:
    """The row objects of `parts`, in order, and the values after them."""
    at = 0
    rows = []
    for part in parts:
        rows.append(part.load(values[at : at + part.width]))
        at += part.width
    return rows, values[at:]


# --- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Insert:
    """A row to be: its table and the values that are not the model's defaults, by attribute name."""

    model: type[models.Model]
    values: Params


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A stateful step.

    guard: an UPDATE that changes at most one row, and only for the first caller; empty for a plain insert. only_if,
    instead of a guard: what must hold for the insert. also, only beside a guard: further UPDATEs, each ending in a
    WHERE clause. rows: what is inserted with it. relaxed, only for a plain insert: see `relaxed`.
    """

    guard: str = ""
    only_if: str = ""
    params: Params = field(default_factory=dict)
    also: tuple[str, ...] = ()
    rows: tuple[Insert, ...] = ()
    relaxed: bool = False


def change_one(model: type[models.Model], pk: UUID, values: Params, **only: str) -> bool:
    """Change a row of the realm of the moment, if it is there and its other columns are what `only` says.

    As `filter(pk=pk, **only).update(**values)`, which takes longer to be put together than to be done.
    """
    if connection.vendor != "postgresql":
        rows = model._default_manager.filter(pk=pk, **only)
        with transaction.atomic(savepoint=False):
            return rows.update(**values) == 1
    names = _json_names(model)
    params: dict[str, Any] = {"realm": current_realm_id(), "pk": pk}
    for name, value in values.items():
        params[f"new_{name}"] = json.dumps(value) if name in names else value
    params |= {f"old_{name}": value for name, value in only.items()}
    return bool(write(_change(model, tuple(values), tuple(only)), params))


@cache
def _change(model: type[models.Model], names: tuple[str, ...], only: tuple[str, ...]) -> str:
    table = model._meta.db_table
    fields = {each.attname: each for each in model._meta.local_concrete_fields}
    setting = ", ".join(f'"{fields[n].column}" = %(new_{n})s::{fields[n].db_type(_real())}' for n in names)
    terms = [in_realm(table), "id = %(pk)s", *(f'"{fields[n].column}" = %(old_{n})s' for n in only)]
    return f"UPDATE {table} SET {setting} WHERE {' AND '.join(terms)} RETURNING id"  # noqa: S608 - texts of ours


def stored[Row: models.Model](model: type[Row], values: Params) -> Row:
    """The row object of a row that a step wrote with these values, by attribute name, as `save` leaves it."""
    row = model.__new__(model)
    kept = row.__dict__
    for each in model._meta.local_concrete_fields:
        name = each.attname
        kept[name] = values[name] if name in values else each.get_default()
    return _as_saved(row)


def _as_saved[Row: models.Model](row: Row) -> Row:
    row._state = state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    return row


def take(step: Step) -> bool:
    """Do the step in one transaction; False when somebody else was first, or `only_if` does not hold: then nothing was
    written.

    On PostgreSQL it is one statement, so outside `atomic` it is a transaction by itself, without a BEGIN and a COMMIT
    that would each ask the server once more. On SQLite it opens `atomic`, and waits in the writers' queue. Inside
    `atomic` it is a part of that, without a savepoint of its own.
    """
    real = _real()
    if real.vendor == "postgresql":
        return _take_at_once(step, real)
    with transaction.atomic(savepoint=False):
        return _take_in_turn(step, real)


def _take_in_turn(step: Step, real: BaseDatabaseWrapper) -> bool:
    params = _adapted(step.params, real)
    with closing(_cursor(real)) as cursor:
        if step.guard:
            cursor.execute(step.guard, params)
            if cursor.rowcount != 1:
                return False
        if step.only_if:
            cursor.execute(f"SELECT 1 WHERE {step.only_if}", params)
            if cursor.fetchone() is None:
                return False
        for statement in step.also:
            cursor.execute(statement, params)
    for row in step.rows:
        row.model(**row.values).save(force_insert=True)
    return True


def _take_at_once(step: Step, real: BaseDatabaseWrapper) -> bool:
    statement = _statement(
        step.guard, step.only_if, step.also, tuple((row.model, tuple(row.values)) for row in step.rows)
    )
    if step.relaxed and (column := relaxed()):
        statement = f"{statement} RETURNING {column}"
    params = dict(step.params)
    for index, row in enumerate(step.rows):
        names = _json_names(row.model)
        for name, value in row.values.items():
            params[f"r{index}_{name}"] = json.dumps(value) if name in names and value is not None else value
    returned = _rows(real, statement, params)
    return not (step.guard or step.only_if) or bool(returned)


@cache
def _json_names(model: type[models.Model]) -> frozenset[str]:
    fields = model._meta.local_concrete_fields
    return frozenset(each.attname for each in fields if isinstance(each, models.JSONField))


def _literal(each: models.Field[Any, Any]) -> str | None:
    """A column's default as SQL; None if it stays null. Raises ValueError for what has to be named."""
    default = each.get_default()
    if default is None and each.null:
        return None
    if isinstance(each, models.JSONField) and default in ([], {}):
        return f"'{json.dumps(default)}'::jsonb"
    if default == "":
        return "''"
    if isinstance(default, bool | int):
        return str(default)
    if isinstance(default, str) and default.isalnum():
        return f"'{default}'"
    raise ValueError(f"{each} needs a value.")


@cache
def _statement(
    guard: str,
    only_if: str,
    also: tuple[str, ...],
    tables: tuple[tuple[type[models.Model], tuple[str, ...]], ...],
) -> str:
    parts = [f"won AS ({guard} RETURNING id)"] if guard else []
    if only_if:
        parts = [f"won AS (SELECT 1 AS id WHERE {only_if})"]
    guarded = bool(parts)
    parts += [f"also{n} AS ({each} AND EXISTS (SELECT 1 FROM won))" for n, each in enumerate(also)]  # noqa: S608 - ours
    for index, (model, names) in enumerate(tables):
        columns: dict[str, str] = {}
        for each in model._meta.local_concrete_fields:
            column = str(each.column)
            if each.attname in names:
                # A parameter in a select list has no type of its own.
                columns[column] = f"%(r{index}_{each.attname})s::{each.db_type(_real())}"
            elif (literal := _literal(each)) is not None:
                columns[column] = literal
        listed, values = ", ".join(f'"{name}"' for name in columns), ", ".join(columns.values())
        insert = f"INSERT INTO {model._meta.db_table} ({listed}) SELECT {values}"
        if not guarded and index == len(tables) - 1:
            return (f"WITH {', '.join(parts)} " if parts else "") + insert
        parts.append(f"row{index} AS ({insert}{' FROM won' if guarded else ''})")
    return f"WITH {', '.join(parts)} SELECT id FROM won"  # noqa: S608 - texts of ours; values are parameters
