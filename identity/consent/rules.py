"""Pure decisions about consent: what a decision leaves in force, and whether it covers a request."""

from collections.abc import Collection, Iterable
from datetime import datetime

OFFLINE = "offline_access"


def merged_scopes(before: Iterable[str], asked: Collection[str], granted: Collection[str]) -> list[str]:
    """The scopes in force after a decision: of what was asked only what was granted; what was not asked stays."""
    kept = [name for name in before if name not in asked and name not in granted]
    return sorted({*kept, *granted})


def merged_attributes(
    before: Iterable[str], mapped: Iterable[tuple[str, str]], *, asked: Collection[str], granted: Collection[str]
) -> list[str]:
    """The custom attributes in force after a decision, likewise. mapped: each with the scope that releases it now."""
    scope_of = dict(mapped)
    kept = [name for name in before if scope_of.get(name) not in {*asked, *granted}]
    return sorted({*kept, *(name for name, scope in scope_of.items() if scope in granted)})


def covers(
    scopes: Collection[str],
    *,
    offline: bool,
    offline_until: datetime | None,
    wanted: Iterable[str],
    now: datetime,
    attributes: Collection[str] = (),
    released: Iterable[str] = (),
) -> bool:
    """Whether a consent in force answers a request without asking again.

    released: the custom attributes that the wanted scopes release now. One that is not among `attributes` was mapped
    to its scope after the person was asked, so nobody has allowed it.
    """
    if not set(released) <= set(attributes):
        return False
    for name in wanted:
        if name == OFFLINE:
            if not offline or (offline_until is not None and offline_until <= now):
                return False
        elif name not in scopes:
            return False
    return True
