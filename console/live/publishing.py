"""Telling other processes over Redis that something happened: ids only, after commit, quickly or not at all.

It writes what the channel layer of the listening processes reads. The layer itself can only be awaited, and a loop of
its own for each event would cost a web worker more than the event did.
"""

import logging
import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from console.live.groups import feed_group
from identity.audit.feed import is_in_feed, is_quiet_type
from identity.audit.models import AuditEvent

logger = logging.getLogger(__name__)

ENDS_AUTHORITY = frozenset(
    {
        "email.changed",
        "factor.removed",
        "factor.reset",
        "realm.deleted",
        "realm.suspended",
        "role.deleted",
        "role.permissions_changed",
        "role.requirements_changed",
        "role.unassigned",
        "grant.removed",
        "phone.change_reverted",
        "phone.changed",
        "phone.removed",
        "session.ended",
        "user.deleted",
        "user.disabled",
        "user.identifiers_changed",
        "user.locked",
        "visit.ended",
    }
)
"""Events after which an open socket may no longer be somebody's."""

PAUSE = 5.0
_client: Redis | None = None
_away_until = 0.0


def message_for(events: Iterable[tuple[UUID, str]]) -> dict[str, Any]:
    """What travels through a channel layer for some (id, type) of one realm."""
    listed = list(events)
    return {
        "type": "feed.events",
        "ids": [str(pk) for pk, event_type in listed if not is_quiet_type(event_type)],
        "recheck": any(event_type in ENDS_AUTHORITY for _, event_type in listed),
        "counts": any(event_type.startswith("alert.") for _, event_type in listed),
    }


def publish_event(row: AuditEvent) -> None:
    """A publisher of the audit room (config/wiring.py) where there is Redis; elsewhere the server tails the table."""
    global _client, _away_until
    if not (is_in_feed(row) or row.type in ENDS_AUTHORITY) or time.monotonic() < _away_until:
        return
    try:
        if _client is None:
            _client = Redis.from_url(settings.REDIS_URL, socket_timeout=0.25, socket_connect_timeout=0.25)
        layer = get_channel_layer()
        message = message_for([(row.pk, row.type)])
        prefix = settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"]
        _client.publish(f"{prefix}__group__{feed_group(row.realm_id)}", layer.serialize(message))
    except RedisError as error:
        # Nothing is lost: the servers look at the table every few seconds as well. No request waits for Redis.
        _away_until = time.monotonic() + PAUSE
        logger.warning("Redis is away, live consoles are told later: %s", type(error).__name__)
