"""What a load balancer needs to know: can this process write, and would what it writes be kept."""

import time
from dataclasses import dataclass
from enum import IntEnum

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from identity.audit.checks import Finding, findings

GUARDS_EVERY = 30.0
"""The guards are looked at this often at most: a balancer asks each second, and nothing there changes by itself."""

_migrated = False
_looked_at = 0.0
_found: list[Finding] = []


class Level(IntEnum):
    """The worse, the higher."""

    OK = 0
    WARNING = 1
    FAILED = 2


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was asked."""

    name: str
    level: Level
    text: str = "ok"


def checks() -> list[Check]:
    """All of them; after the first failure the rest would only fail as well."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        database = Check("database", Level.OK)
        migrations = _migrations()
        if migrations.level is Level.FAILED:
            return [database, migrations]
        return [database, migrations, *_audit()]
    except DatabaseError:
        return [Check("database", Level.FAILED, "away")]


def _migrations() -> Check:
    """Asked until it is true once: a process never meets an older schema than it started with."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if missing:
            return Check("migrations", Level.FAILED, f"{missing} not applied")
        _migrated = True
    return Check("migrations", Level.OK)


def _audit() -> list[Check]:
    global _looked_at, _found
    if not _looked_at or time.monotonic() - _looked_at > GUARDS_EVERY:
        _found, _looked_at = findings(), time.monotonic()
    if not _found:
        return [Check("audit", Level.OK)]
    return [
        Check(f"audit.{finding.code}", Level.FAILED if finding.is_breach else Level.WARNING, finding.text)
        for finding in _found
    ]
