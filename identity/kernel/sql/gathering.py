"""Writes of one command that wait for each other, and then go to PostgreSQL as one statement."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models

from identity.kernel.context import current_realm_id
from identity.kernel.sql.statements import real_connection

Row = tuple[type[models.Model], UUID]


@dataclass(slots=True)
class Gathered:
    """What waits. savepoints, realm_id: how deep the transaction was when it began, and in which realm.

    changes: what each row's columns become; one statement changes a row once. memory: see `block_memory`.
    """

    savepoints: int
    realm_id: UUID | None
    rows: list[Any] = field(default_factory=list)
    changes: dict[Row, dict[str, Any]] = field(default_factory=dict)
    memory: dict[Any, Any] = field(default_factory=dict)


current: ContextVar[Gathered | None] = ContextVar("gathered", default=None)


def waiting() -> Gathered | None:
    """What is being gathered, if a write may wait now: not in a savepoint of its own, nor in another realm.

    The one could take it back alone, and the whole statement is of one realm.
    """
    found = current.get()
    if found is None or found.realm_id != current_realm_id() or open_savepoints() != found.savepoints:
        return None
    return found


def open_savepoints() -> int:
    """How many savepoints are open; `atomic(savepoint=False)` makes none."""
    return sum(name is not None for name in real_connection().savepoint_ids)


def block_memory() -> dict[Any, Any]:
    """What the block of the moment has read and need not read again; forgotten when it ends.

    Outside, nothing; nor in a savepoint, which could take back what was made there.
    """
    found = waiting()
    return found.memory if found is not None else {}
