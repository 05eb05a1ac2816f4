"""Alerts."""

from django.db import models
from django.db.models import Q

from identity.kernel.ids import uuid7
from identity.kernel.tenancy import RealmOwned


class AlertStatus(models.TextChoices):
    """`contained`: something was done about it; `dismissed`: it was expected."""

    OPEN = "open"
    CONTAINED = "contained"
    DISMISSED = "dismissed"


class Alert(RealmOwned):
    """Something that needs a decision. `evidence` holds counts and event ids, never personal data in clear.

    `topic` tells one situation from the next (detector and person or address): one open alert for each.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.PositiveIntegerField()
    detector = models.CharField(max_length=40)
    severity = models.CharField(max_length=10)
    status = models.CharField(max_length=10, default=AlertStatus.OPEN)
    topic_hash = models.BinaryField(max_length=33)
    user = models.ForeignKey("identity.User", null=True, on_delete=models.SET_NULL, related_name="+")
    application = models.ForeignKey("identity.Application", null=True, on_delete=models.SET_NULL, related_name="+")
    address_sealed = models.BinaryField(null=True)
    address_hash = models.BinaryField(max_length=33, null=True)
    evidence = models.JSONField(default=dict)
    raised_at = models.DateTimeField()
    last_signal_at = models.DateTimeField()
    taken_by = models.UUIDField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.UUIDField(null=True)
    close_note = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "number"], name="alert_number_in_realm"),
            models.UniqueConstraint(
                fields=["realm", "topic_hash"], condition=Q(status=AlertStatus.OPEN), name="alert_open_once"
            ),
            models.CheckConstraint(condition=Q(status__in=AlertStatus.values), name="alert_status_known"),
        ]
        indexes = [models.Index(fields=["realm", "status", "id"], name="alert_by_status")]

    def __str__(self) -> str:
        return f"ALR-{self.number}"


__all__ = ["Alert"]
