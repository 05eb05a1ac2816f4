"""Tables of the kernel: rate counters and idempotency keys."""

from django.db import models

from identity.kernel.ids import uuid7
from identity.kernel.tenancy import RealmOwned


class RateCounter(RealmOwned):
    """How often something was tried in one window: the authoritative counter, since Redis may be away."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key_hash = models.BinaryField(max_length=33)
    window_start = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "key_hash", "window_start"], name="rate_counter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.count} since {self.window_start:%H:%M}"


class IdempotencyKey(RealmOwned):
    """The answer that a repeated request gets instead of a second effect (F-14)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key_hash = models.BinaryField(max_length=33)
    fingerprint = models.BinaryField(max_length=33)
    response = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["realm", "key_hash"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"


__all__ = ["IdempotencyKey", "RateCounter"]
