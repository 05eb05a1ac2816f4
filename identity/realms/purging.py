"""Emptying tables in batches: all of a deleted realm, and in each realm what has expired (DECISIONS 4, 29)."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import models, transaction

from identity.audit.leases import Held
from identity.audit.models import Outbox, SubjectKey
from identity.kernel import clock
from identity.kernel.checks import realm_owned_models
from identity.kernel.context import realm_scope
from identity.realms.models import Realm
from identity.realms.rules import PURGE_BATCH

Keep = Callable[[], None]
Expired = Callable[[datetime], models.QuerySet[Any]]
"""`expired(now)`: rows of the realm of the moment that nothing needs any more."""


@cache
def emptying_order() -> tuple[type[models.Model], ...]:
    """Every realm-owned table, those that point at others before those that are pointed at.

    So no delete cascades into rows that are not counted in its batch. In a circle the order does not matter: the
    collector follows the keys by itself. Found by introspection: a new table is purged without being told.
    """
    owned = realm_owned_models()
    # Not by `related_objects`, which leaves out keys without a name for the way back.
    pointing: dict[type[models.Model], list[type[models.Model]]] = {model: [] for model in owned}
    for model in sorted(owned, key=lambda each: each._meta.label):
        for key in model._meta.concrete_fields:
            if key.related_model in pointing and key.related_model is not model:
                pointing[key.related_model].append(model)
    ordered: list[type[models.Model]] = []
    visited: set[type[models.Model]] = set()

    def visit(model: type[models.Model]) -> None:
        if model in visited:
            return
        visited.add(model)
        for other in pointing[model]:
            visit(other)
        ordered.append(model)

    for model in pointing:
        visit(model)
    return tuple(ordered)


def rows_of_realm(realm: Realm) -> Iterator[models.QuerySet[Any]]:
    """All that is a deleted realm's, table by table. Its audit rows are not: they stay (DECISIONS 29).

    The keys of its people, and its own, go last. Without them, what the trail says about persons can't be read any more
    (DP-04).
    """
    yield Outbox.objects.filter(realm_id=realm.pk)
    for model in emptying_order():
        yield model._default_manager.all()
    yield SubjectKey.objects.filter(realm_id=realm.pk)


def delete_batch(rows: models.QuerySet[Any], size: int = PURGE_BATCH) -> int:
    """Delete up to `size` rows and what hangs on them, in the caller's transaction. Returns how many of `rows`."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:size])
    if keys:
        rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)


@dataclass(frozen=True, slots=True)
class Purge:
    """One kind of what expires, as it is counted in data.purged."""

    name: str
    expired: Expired


_purges: dict[str, Purge] = {}


def purge_when_expired(name: str, expired: Expired) -> None:
    """Called from config/wiring.py only, in the order in which they are to be purged."""
    if name in _purges:
        raise ValueError(f"{name!r} is purged already.")
    _purges[name] = Purge(name, expired)


def purges() -> list[Purge]:
    """All kinds, in order."""
    return list(_purges.values())


def in_turns() -> Iterator[Realm]:
    """The realms that are not deleted for good, in another order each time: a long turn of one starves nobody."""
    now = clock.now()
    realms = list(Realm.objects.filter(purged_at=None).exclude(purge_after__lte=now))
    secrets.SystemRandom().shuffle(realms)
    yield from realms


def empty_expired(realm: Realm, *, until: float, held: Held | None = None) -> dict[str, int]:
    """Delete what has expired in one realm, a transaction for each batch, until `until` (of time.monotonic).

    Returns how many of each kind.
    """
    counts: dict[str, int] = {}
    now = clock.now()
    with realm_scope(realm):
        for purge in purges():
            while time.monotonic() < until:
                with transaction.atomic():
                    if held is not None:
                        held.check()
                    done = delete_batch(purge.expired(now))
                if done:
                    counts[purge.name] = counts.get(purge.name, 0) + done
                if done < PURGE_BATCH:
                    break
    return counts
