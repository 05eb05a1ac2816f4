"""One effect for one request, however often a client that lost the answer repeats it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from identity.kernel import clock
from identity.kernel.context import NoRealm, current_realm_id
from identity.kernel.crypto import keyed_hash
from identity.kernel.errors import Conflict
from identity.kernel.models import IdempotencyKey

KEPT = timedelta(hours=24)


def once(key: str, request: bytes, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do `act` once for `key`; later calls within a day get the stored answer.

    key: the client's Idempotency-Key, bound to its principal by the caller. request: what the key stands for; the same
    key for another request raises Conflict. The answer must hold no secret: it is stored in clear.
    """
    realm_id = current_realm_id()
    if realm_id is None:
        raise NoRealm("An idempotency key was used without a realm.")
    key_hash = keyed_hash("idempotency", realm_id, key)
    fingerprint = keyed_hash("idempotency-request", realm_id, request)
    try:
        with transaction.atomic():
            row = IdempotencyKey(
                key_hash=key_hash,
                fingerprint=fingerprint,
                created_at=clock.now(),
                expires_at=clock.now() + KEPT,
            )
            row.save(force_insert=True)
            row.response = act()
            row.save(update_fields=["response"])
            return dict(row.response)
    except IntegrityError:
        stored = IdempotencyKey.objects.filter(key_hash=key_hash).first()
        if stored is None:
            raise
    if bytes(stored.fingerprint) != fingerprint:
        raise Conflict(code="idempotency_key_reused")
    return dict(stored.response)


def expired(now: datetime) -> QuerySet[IdempotencyKey]:
    """Answers of this realm that nobody repeats any more: what a purge deletes. No check depends on that."""
    return IdempotencyKey.objects.filter(expires_at__lt=now)
