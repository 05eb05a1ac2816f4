"""Queued messages."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from identity.kernel.ids import uuid7
from identity.kernel.tenancy import RealmOwned


class Channel(models.TextChoices):
    """How a message travels. `late`: a wish that the worker turns into a message, or into none (see courier.late)."""

    EMAIL = "email"
    SMS = "sms"
    LATE = "late"


class MessageStatus(models.TextChoices):
    """`expired`: the code or link in it ended before it could be sent, so it never is."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"


class Message(RealmOwned):
    """One mail or SMS. Address and context are sealed: codes and links must not be read from the table."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    channel = models.CharField(max_length=8, default=Channel.EMAIL)
    template = models.CharField(max_length=60)
    language = models.CharField(max_length=16, default="en")
    user_id = models.UUIDField(null=True)
    to_sealed = models.BinaryField()
    context_sealed = models.BinaryField()
    status = models.CharField(max_length=10, default=MessageStatus.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.CheckConstraint(condition=Q(status__in=MessageStatus.values), name="message_status_known")
        ]
        indexes = [
            models.Index(fields=["realm", "status", "id"], name="message_by_status"),
            # What the worker asks for every second, of all realms at once: as small as the queue is.
            models.Index(fields=["id"], condition=Q(status="queued"), name="message_queued"),
        ]

    def __str__(self) -> str:
        return self.template


__all__ = ["Message"]
