"""Statements of the hot path on PostgreSQL: prepared once for each connection, then run by name.

The same server, protocol and values as through a cursor, without its layers: they cost more than our statements do.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from psycopg import Connection
from psycopg.adapt import AdaptersMap, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

_TEXT, _BINARY = Format.TEXT, Format.BINARY
_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
_ROW = tuple[Any, ...]

Dump = Callable[[Any], bytes | None]
_DUMPS: dict[type, tuple[Dump, Format]] = {
    type(None): (lambda _: None, _TEXT),
    UUID: (lambda value: value.int.to_bytes(16), _BINARY),
    str: (str.encode, _TEXT),
    bytes: (bytes, _BINARY),
    datetime: (lambda value: value.isoformat().encode(), _TEXT),
    int: (lambda value: b"%d" % value, _TEXT),
    bool: (lambda value: b"t" if value else b"f", _TEXT),
}
"""How values travel. The server knows each parameter's type from its place in the statement."""

_PLACE = re.compile(r"%\((\w+)\)s|%%")


class _Statement:
    """A statement that one connection has prepared."""

    __slots__ = ("loader", "name", "order", "ways")

    def __init__(self, name: bytes, order: tuple[str, ...], loader: Any) -> None:
        self.name, self.order, self.loader = name, order, loader
        self.ways: dict[tuple[type, ...], tuple[list[Dump], list[Format]]] = {}

    def way_of(self, kinds: tuple[type, ...]) -> tuple[list[Dump], list[Format]]:
        """How values of these types are sent. Few combinations occur: a value is of its column's type, or null."""
        found = [_DUMPS.get(kind) or _inherited(kind) for kind in kinds]
        way = self.ways[kinds] = [dump for dump, _ in found], [how for _, how in found]
        return way


_prepared: WeakKeyDictionary[Connection[Any], dict[str, _Statement]] = WeakKeyDictionary()


@cache
def numbered(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with `$1` for each named parameter, and the names in that order."""
    order: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        name = found.group(1)
        return "%" if name is None else f"${order.setdefault(name, len(order) + 1)}"

    text = _PLACE.sub(place, statement)
    return text.encode(), tuple(order)


class _Reading:
    """How values come back: as Django has it, but for times, whose zone is UTC already."""

    def __init__(self, raw: Connection[Any]) -> None:
        self.connection = raw
        self.adapters = AdaptersMap(raw.adapters)
        self.adapters.register_loader("timestamptz", TimestamptzLoader)


def _prepare(raw: Connection[Any], known: dict[str, _Statement], statement: str) -> _Statement:
    text, order = numbered(statement)
    name = b"realmkeep_%d" % len(known)
    result = raw.pgconn.prepare(name, text)
    if result.status not in _GOOD:
        raise error_from_result(result)
    made = known[statement] = _Statement(name, order, Transformer(_Reading(raw)))
    return made


def _begin(raw: Connection[Any]) -> None:
    """What psycopg says before the first statement of a transaction."""
    result = raw.pgconn.exec_(raw._get_tx_start_command())
    if result.status not in _GOOD:
        raise error_from_result(result)


def run(raw: Connection[Any], statement: str, params: Mapping[str, Any]) -> Sequence[_ROW]:
    """The rows of a statement: a transaction of its own in autocommit, else a part of the one that is open.

    Raises psycopg's errors, and TypeError for a value whose type never occurs on the hot path.
    """
    if not raw.autocommit and raw.pgconn.transaction_status == TransactionStatus.IDLE:
        _begin(raw)
    known = _prepared.get(raw)
    if known is None:
        known = _prepared[raw] = {}
    ours = known.get(statement) or _prepare(raw, known, statement)
    given = [params[name] for name in ours.order]
    kinds = tuple(map(type, given))
    dumps, formats = ours.ways.get(kinds) or ours.way_of(kinds)
    values = [dump(value) for dump, value in zip(dumps, given, strict=True)]
    result = raw.pgconn.exec_prepared(ours.name, values, formats)  # type: ignore[arg-type]  # None is null
    if result.status not in _GOOD:
        raise error_from_result(result)
    if result.ntuples == 0:
        return ()
    ours.loader.set_pgresult(result)
    rows: Sequence[_ROW] = ours.loader.load_rows(0, result.ntuples, tuple)
    return rows


def _inherited(kind: type) -> tuple[Dump, Format]:
    """What an enumeration or another subclass of such a type is sent as. Raises TypeError."""
    for base, how in tuple(_DUMPS.items()):
        if issubclass(kind, base):
            _DUMPS[kind] = how
            return how
    raise TypeError(f"No way to send a {kind.__name__}.")
