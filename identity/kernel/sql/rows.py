"""Joined reads that become row objects."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.base import ModelState
from django.utils.dateparse import parse_datetime


def as_uuid(value: Any) -> UUID | None:
    """A UUID column outside a row object."""
    return UUID(value) if isinstance(value, str) else value


def as_time(value: Any) -> datetime | None:
    """A time column outside a row object. SQLite keeps times without a zone; they are UTC."""
    moment: datetime | None = parse_datetime(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str) else value


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
    def named(self) -> str:
        """The select list of a part of a statement, whose columns the rest of it can tell apart: `s_id`, …"""
        return ", ".join(f"{self.alias}.{each.column} AS {self.alias}_{each.column}" for each in self._fields)

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


def stored[Row: models.Model](model: type[Row], values: Mapping[str, Any]) -> Row:
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
