"""Writes of one command that wait for each other, and then go to PostgreSQL as one statement."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from identity.kernel.sql.statements import Params, real_connection


@dataclass(slots=True)
class Gathered:
    """What waits. savepoints: how deep the transaction was when it began. memory: see `block_memory`."""

    savepoints: int
    rows: list[Any] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    memory: dict[Any, Any] = field(default_factory=dict)

    def change(self, statement: str, params: Params) -> None:
        """Keep an UPDATE, whose parameters begin with `place()`."""
        self.changes.append(statement)
        self.params |= params

    def place(self) -> str:
        """What the parameters of the next UPDATE begin with."""
        return f"c{len(self.changes)}_"


current: ContextVar[Gathered | None] = ContextVar("gathered", default=None)


def waiting() -> Gathered | None:
    """What is being gathered, if a write may wait now: a savepoint of its own could take it back alone."""
    found = current.get()
    return found if found is not None and open_savepoints() == found.savepoints else None


def open_savepoints() -> int:
    """How many savepoints are open; `atomic(savepoint=False)` makes none."""
    return sum(name is not None for name in real_connection().savepoint_ids)


def block_memory() -> dict[Any, Any]:
    """What the block of the moment has read and need not read again; forgotten when it ends. Outside, nothing.

    Nor in a savepoint of its own: what is remembered of a row must not outlive the row, if that is taken back.
    """
    found = waiting()
    return found.memory if found is not None else {}
