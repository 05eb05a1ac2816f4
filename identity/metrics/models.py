"""Counted events in buckets of half an hour."""

from django.db import models

from identity.kernel.ids import uuid7
from identity.kernel.tenancy import RealmOwned


class MetricBucket(RealmOwned):
    """How often something happened in one half hour.

    `scope_id` is an application's id for its own series, or the realm's id for the total (a null would not be unique on
    every database).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=60)
    start = models.DateTimeField()
    scope_id = models.UUIDField()
    value = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "name", "scope_id", "start"], name="metric_bucket_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.start:%Y-%m-%d %H:%M}"


__all__ = ["MetricBucket"]
