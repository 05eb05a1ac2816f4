"""A realm that is remembered between requests, and proven fresh by the first query of each.

Every protocol request needs its realm, and a query of its own for that is a quarter of what the cheapest of them cost.
So a process remembers realms, and whoever uses a remembered one asks for MARK in a query that it makes anyway: another
process may have suspended the realm or changed a setting a moment ago.
"""

from threading import Lock

from identity.realms.models import Realm

MARK = (
    "(SELECT CAST(fresh.version AS varchar(20)) || fresh.status FROM identity_realm fresh WHERE fresh.id = %(realm)s)"
)
"""A column: what the realm's row is now. Every command that changes a realm raises its version."""

_MOST = 1000
_remembered: dict[tuple[str, str], Realm] = {}
_lock = Lock()


class StaleRealm(Exception):
    """The realm has changed since it was remembered: begin again with the row as it is."""


def require_fresh(realm: Realm, mark: str) -> None:
    """Raises StaleRealm unless `mark`, just read, is the realm's."""
    if mark != f"{realm.version}{realm.status}":
        raise StaleRealm


def remembered(host: str, prefix: str) -> Realm | None:
    """The realm that was found at this host and path prefix before, perhaps stale; None if there was none."""
    return _remembered.get((host, prefix))


def remember(host: str, prefix: str, realm: Realm) -> None:
    """Keep it. Hosts are what clients write, so the memory is bounded: it is emptied rather than grown (DS-08)."""
    with _lock:
        if len(_remembered) >= _MOST:
            _remembered.clear()
        _remembered[(host, prefix)] = realm


def forget(host: str, prefix: str) -> None:
    """It was stale."""
    with _lock:
        _remembered.pop((host, prefix), None)
