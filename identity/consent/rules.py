"""Pure decisions about consent: what a decision leaves in force, and whether it covers a request."""

from collections.abc import Collection, Iterable
from datetime import datetime

OFFLINE = "offline_access"


def merged_scopes(before: Iterable[str], asked: Collection[str], granted: Collection[str]) -> list[str]:
    """The scopes in force after a decision: of what was asked only what was granted; what was not asked stays."""
    kept = [name for name in before if name not in asked and name not in granted]
    return sorted({*kept, *granted})


def covers(
    scopes: Collection[str], *, offline: bool, offline_until: datetime | None, wanted: Iterable[str], now: datetime
) -> bool:
    """Whether a consent in force answers a request without asking again."""
    for name in wanted:
        if name == OFFLINE:
            if not offline or (offline_until is not None and offline_until <= now):
                return False
        elif name not in scopes:
            return False
    return True
