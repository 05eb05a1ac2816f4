"""Durable consumers: who reacts to which event, and the sweeper that works through what is left for them."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.apps import apps
from django.db import connection, models, transaction

from identity.audit.models import AuditEvent, Outbox
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.events import Event, registry

logger = logging.getLogger(__name__)

Handler = Callable[[AuditEvent], None]

MAX_ATTEMPTS = 12
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One consumer's handler for some event types. Handlers are idempotent and run inside one transaction."""

    consumer: str
    handler: Handler
    types: frozenset[str]


_subscriptions: dict[str, Subscription] = {}
_by_type: dict[str, tuple[str, ...]] = {}


def subscribe(consumer: str, handler: Handler, events: Iterable[type[Event] | str] | None = None) -> None:
    """Called from config/wiring.py only. A consumer subscribes once, to event classes or wire names; None means all.

    Raises ValueError for a consumer that is subscribed already, and for a name that no event has.
    """
    if consumer in _subscriptions:
        raise ValueError(f"The consumer {consumer!r} is subscribed already.")
    wanted = registry if events is None else (event if isinstance(event, str) else event.type for event in events)
    types = frozenset(wanted)
    if unknown := types - registry.keys():
        raise ValueError(f"{consumer!r} waits for events that nobody says: {', '.join(sorted(unknown))}.")
    _subscriptions[consumer] = Subscription(consumer, handler, types)
    _by_type.clear()


def consumers_of(event_type: str) -> tuple[str, ...]:
    """The consumers that get an outbox row for this event type."""
    if event_type not in _by_type:
        _by_type[event_type] = tuple(sorted(s.consumer for s in _subscriptions.values() if event_type in s.types))
    return _by_type[event_type]


def drain(limit: int = 200) -> int:
    """Work through up to `limit` due rows, oldest first, each in a transaction of its own. Returns how many succeeded.

    At least once, never lost: the row is deleted in the transaction that does the work; a failure waits longer each
    time and stays visible with its reason.
    """
    due = models.Q(not_before=None) | models.Q(not_before__lte=clock.now())
    ids = list(
        Outbox.objects.filter(due, attempts__lt=MAX_ATTEMPTS).order_by("id").values_list("pk", flat=True)[:limit]
    )
    return sum(_deliver(pk) for pk in ids)


def _deliver(pk: object) -> bool:
    row: Outbox | None = None
    try:
        with transaction.atomic():
            rows = Outbox.objects.filter(pk=pk)
            if connection.features.has_select_for_update_skip_locked:
                rows = rows.select_for_update(skip_locked=True)
            row = rows.first()
            if row is None:
                return False
            subscription = _subscriptions.get(row.consumer)
            event = AuditEvent.objects.filter(pk=row.event_id).first()
            realm = apps.get_model("identity", "Realm").objects.filter(pk=row.realm_id).first()
            if subscription is not None and event is not None and realm is not None:
                with realm_scope(realm):
                    subscription.handler(event)
            row.delete()
            return True
    except Exception as error:
        if row is None:
            raise
        logger.exception("%s could not work on an event", row.consumer)
        wait = min(FIRST_WAIT * 2**row.attempts, LONGEST_WAIT)
        with transaction.atomic():
            Outbox.objects.filter(pk=pk).update(
                attempts=row.attempts + 1, not_before=clock.now() + wait, last_error=type(error).__name__
            )
        return False
