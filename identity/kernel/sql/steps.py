"""Stateful steps: one statement on PostgreSQL, the same parts in one transaction on SQLite (DECISIONS 23)."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from identity.kernel.context import WrongRealm, current_realm_id
from identity.kernel.sql.gathering import Gathered, current, open_savepoints, waiting
from identity.kernel.sql.statements import (
    Params,
    adapted,
    cursor_of,
    in_realm,
    real_connection,
    relaxed,
    rows_of,
    write,
)
from identity.kernel.tenancy import RealmOwned


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
    return bool(write(*_changing(model, pk, values, only)))


def change_soon(model: type[models.Model], pk: UUID, values: Params) -> None:
    """As `change_one`, for who does not ask whether the row was there: inside `gathered` it waits for the others."""
    found = waiting()
    if found is None:
        change_one(model, pk, values)
    else:
        found.changes.setdefault((model, pk), {}).update(values)


def _changing(
    model: type[models.Model], pk: UUID, values: Params, only: Mapping[str, str], place: str = ""
) -> tuple[str, dict[str, Any]]:
    names = _json_names(model)
    params: dict[str, Any] = {"realm": current_realm_id(), f"{place}pk": pk}
    for name, value in values.items():
        params[f"{place}new_{name}"] = orjson.dumps(value).decode() if name in names else value
    params |= {f"{place}old_{name}": value for name, value in only.items()}
    return _change(model, tuple(values), tuple(only), place), params


@cache
def _change(model: type[models.Model], names: tuple[str, ...], only: tuple[str, ...], place: str) -> str:
    table = model._meta.db_table
    fields = {each.attname: each for each in model._meta.local_concrete_fields}
    setting = ", ".join(
        f'"{fields[n].column}" = %({place}new_{n})s::{fields[n].db_type(real_connection())}' for n in names
    )
    terms = [in_realm(table), f"id = %({place}pk)s", *(f'"{fields[n].column}" = %({place}old_{n})s' for n in only)]
    return f"UPDATE {table} SET {setting} WHERE {' AND '.join(terms)} RETURNING id"  # noqa: S608 - texts of ours


def take(step: Step, *more: Insert) -> bool:
    """Do the step, with `more` rows, in one transaction.

    False when somebody else was first, or `only_if` does not hold: then nothing was written.

    On PostgreSQL it is one statement, so outside `atomic` it is a transaction by itself, without a BEGIN and a COMMIT
    that would each ask the server once more. On SQLite it opens `atomic`, and waits in the writers' queue. Inside
    `atomic` it is a part of that, without a savepoint of its own.
    """
    real = real_connection()
    if real.vendor == "postgresql":
        if not step.guard and not step.only_if and (found := waiting()) is not None:
            found.rows += (*step.rows, *more)
            return True
        return _take_at_once(step, (*step.rows, *more), real)
    with transaction.atomic(savepoint=False):
        return _take_in_turn(step, (*step.rows, *more), real)


@contextmanager
def gathered() -> Iterator[None]:
    """What `take` inserts and `change_soon` changes in this block becomes one statement of PostgreSQL, at its end.

    For a command that writes many rows which it does not read back. Inside `atomic` alone: so whoever ends the block by
    an exception has written nothing. Blocks in blocks are one. On SQLite each is written where it stands. Raises
    TransactionManagementError, and at its end whatever the statement does.
    """
    real = real_connection()
    if real.vendor != "postgresql" or current.get() is not None:
        yield
        return
    if not real.in_atomic_block:
        raise transaction.TransactionManagementError("Writes are gathered inside atomic.")
    found = Gathered(open_savepoints(), current_realm_id())
    token = current.set(found)
    try:
        yield
    finally:
        current.reset(token)
    if found.rows or found.changes:
        params: dict[str, Any] = {}
        changes = []
        for n, ((model, pk), values) in enumerate(found.changes.items()):
            statement, more = _changing(model, pk, values, {}, f"c{n}_")
            changes.append(statement)
            params |= more
        _take_at_once(Step(also=tuple(changes), params=params), tuple(found.rows), real)


def _take_in_turn(step: Step, rows: tuple[Insert, ...], real: BaseDatabaseWrapper) -> bool:
    params = adapted(step.params, real)
    with closing(cursor_of(real)) as cursor:
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
        for row in rows:
            _check_realm(row)
            insert, columns = _insert(row.model)
            given = [row.values.get(each.attname, _ABSENT) for each in columns]
            pairs = zip(columns, given, strict=True)
            cursor.execute(
                insert, [each.get_db_prep_save(each.get_default() if v is _ABSENT else v, real) for each, v in pairs]
            )
    return True


_ABSENT = object()


def _check_realm(row: Insert) -> None:
    """What saving a row of a realm checks. Raises WrongRealm."""
    realm_id = current_realm_id()
    if realm_id is not None and issubclass(row.model, RealmOwned) and row.values.get("realm_id", realm_id) != realm_id:
        raise WrongRealm(row.model._meta.label)


@cache
def _insert(model: type[models.Model]) -> tuple[str, tuple[models.Field[Any, Any], ...]]:
    """A row's INSERT and the columns whose values it takes. Django would put the same text together for each row."""
    columns = tuple(model._meta.local_concrete_fields)
    listed, values = ", ".join(f'"{each.column}"' for each in columns), ", ".join(["%s"] * len(columns))
    return f'INSERT INTO "{model._meta.db_table}" ({listed}) VALUES ({values})', columns  # noqa: S608 - texts of ours


def _take_at_once(step: Step, rows: tuple[Insert, ...], real: BaseDatabaseWrapper) -> bool:
    tables = tuple((row.model, tuple(row.values)) for row in rows)
    statement = _statement(step.guard, step.only_if, step.also, tables)
    if step.relaxed and (column := relaxed()):
        statement = f"{statement} RETURNING {column}"
    params = dict(step.params)
    for row, (plain, documents) in zip(rows, _places(tables), strict=True):
        _check_realm(row)
        values = row.values
        for name, place in plain:
            params[place] = values[name]
        for name, place in documents:
            value = values[name]
            params[place] = None if value is None else orjson.dumps(value).decode()
    returned = rows_of(real, statement, params)
    return not (step.guard or step.only_if) or bool(returned)


Tables = tuple[tuple[type[models.Model], tuple[str, ...]], ...]
_Places = tuple[tuple[str, str], ...]


@cache
def _places(tables: Tables) -> list[tuple[_Places, _Places]]:
    """For each row: attribute names with the names of their parameters; apart, those of JSON documents."""
    found = []
    for index, (model, names) in enumerate(tables):
        pairs = [(name, f"r{index}_{name}") for name in names]
        documents = _json_names(model)
        found.append(
            (
                tuple(pair for pair in pairs if pair[0] not in documents),
                tuple(pair for pair in pairs if pair[0] in documents),
            )
        )
    return found


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
        return f"'{orjson.dumps(default).decode()}'::jsonb"
    if default == "":
        return "''"
    if isinstance(default, bool | int):
        return str(default)
    if isinstance(default, str) and default.isalnum():
        return f"'{default}'"
    raise ValueError(f"{each} needs a value.")


def insert_of(model: type[models.Model], values: Mapping[str, str]) -> str:
    """`INSERT INTO … SELECT` of one row, for PostgreSQL: a FROM may follow, which `values` take from.

    values: expressions and parameters by attribute name; the model's defaults for the rest. Raises ValueError for a
    default that no text can say.
    """
    columns: dict[str, str] = {}
    for each in model._meta.local_concrete_fields:
        if each.attname in values:
            # A parameter in a select list has no type of its own.
            columns[str(each.column)] = f"{values[each.attname]}::{each.db_type(real_connection())}"
        elif (literal := _literal(each)) is not None:
            columns[str(each.column)] = literal
    listed = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {model._meta.db_table} ({listed}) SELECT {', '.join(columns.values())}"


@cache
def _statement(
    guard: str,
    only_if: str,
    also: tuple[str, ...],
    tables: Tables,
) -> str:
    parts = [f"won AS ({guard} RETURNING id)"] if guard else []
    if only_if:
        parts = [f"won AS (SELECT 1 AS id WHERE {only_if})"]
    guarded = bool(parts)
    if guarded:
        also = tuple(f"{each} AND EXISTS (SELECT 1 FROM won)" for each in also)  # noqa: S608 - texts of ours
    parts += [f"also{n} AS ({each})" for n, each in enumerate(also)]
    for index, (model, names) in enumerate(tables):
        insert = insert_of(model, {name: f"%(r{index}_{name})s" for name in names})
        if not guarded and index == len(tables) - 1:
            return (f"WITH {', '.join(parts)} " if parts else "") + insert
        parts.append(f"row{index} AS ({insert}{' FROM won' if guarded else ''})")
    return f"WITH {', '.join(parts)} SELECT {'id FROM won' if guarded else '1'}"  # noqa: S608 - texts of ours; values are parameters
