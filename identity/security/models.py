"""Alerts."""

from django.db import models
from django.db.models import Q

from identity.kernel import clock
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


class ReviewStatus(models.TextChoices):
    """What the person said about a sign-in that looked unlike him."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DENIED = "denied"


HELD = "held"
"""In a review's outcome: address and browser of a sign-in that is held, which has neither session nor device."""


class SignInReview(RealmOwned):
    """ "Was this you?": one sign-in that the person is asked about by mail and on his pages."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey("identity.User", on_delete=models.CASCADE, related_name="sign_in_reviews")
    session = models.ForeignKey("identity.Session", null=True, on_delete=models.SET_NULL, related_name="+")
    device = models.ForeignKey("identity.Device", null=True, on_delete=models.SET_NULL, related_name="+")
    reasons = models.JSONField(default=list)
    """new_device, new_country, impossible_travel."""
    country = models.CharField(max_length=2, blank=True, default="")
    token_hash = models.BinaryField(max_length=33)
    status = models.CharField(max_length=10, default=ReviewStatus.OPEN)
    signed_in_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    outcome = models.JSONField(default=dict)
    """Counts of what a denial ended and undid."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "token_hash"], name="sign_in_review_token_in_realm"),
            models.CheckConstraint(condition=Q(status__in=ReviewStatus.values), name="sign_in_review_status_known"),
        ]
        indexes = [models.Index(fields=["realm", "user", "id"], name="sign_in_review_by_user")]

    def __str__(self) -> str:
        return f"sign-in of {self.user_id}"

    @property
    def is_over(self) -> bool:
        """Whether it was answered, or waits no more."""
        return self.status != ReviewStatus.OPEN or self.expires_at <= clock.now()


__all__ = ["Alert", "SignInReview"]
