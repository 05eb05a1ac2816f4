"""Statements of the hot path: joined reads that become row objects, and steps that are one statement on PostgreSQL.

A stateful step is a guarded UPDATE and the rows that follow from it (DECISIONS 23). On PostgreSQL it is one statement
with data-modifying CTEs; on SQLite the same parts run one after another inside BEGIN IMMEDIATE. Either way exactly one
of many concurrent callers changes the guarded row.
"""

from identity.kernel.sql.gathering import block_memory
from identity.kernel.sql.rows import Columns, as_time, as_uuid, split, stored
from identity.kernel.sql.statements import (
    fetch_all,
    fetch_one,
    in_realm,
    one_of,
    relaxed,
    release_connection,
    renew_connection,
    vendor,
    write,
)
from identity.kernel.sql.steps import Insert, Step, change_one, change_soon, gathered, insert_of, take

__all__ = [
    "Columns",
    "Insert",
    "Step",
    "as_time",
    "as_uuid",
    "block_memory",
    "change_one",
    "change_soon",
    "fetch_all",
    "fetch_one",
    "gathered",
    "in_realm",
    "insert_of",
    "one_of",
    "relaxed",
    "release_connection",
    "renew_connection",
    "split",
    "stored",
    "take",
    "vendor",
    "write",
]
