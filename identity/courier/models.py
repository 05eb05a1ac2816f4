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
    """`expired`: the code or link in it ended before it could be sent. `refused`: over a budget when it was queued."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUSED = "refused"


class Message(RealmOwned):
    """One mail or SMS. Address and context are sealed: codes and links must not be read from the table.

    What stays of a number once it is sent or given up: `hint` (its last digits), `prefix` (what budgets count under)
    and `to_hash`. `tries` says which provider was asked and what came of it; `reference` is what the one that took it
    calls the message.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    channel = models.CharField(max_length=8, default=Channel.EMAIL)
    template = models.CharField(max_length=60)
    language = models.CharField(max_length=16, default="en")
    user_id = models.UUIDField(null=True)
    to_sealed = models.BinaryField()
    to_hash = models.BinaryField(max_length=33, null=True)
    hint = models.CharField(max_length=24, blank=True, default="")
    prefix = models.CharField(max_length=8, blank=True, default="")
    context_sealed = models.BinaryField()
    status = models.CharField(max_length=10, default=MessageStatus.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True, default="")
    tries = models.JSONField(default=list)
    reference = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.CheckConstraint(condition=Q(status__in=MessageStatus.values), name="message_status_known")
        ]
        indexes = [
            models.Index(fields=["realm", "status", "id"], name="message_by_status"),
            models.Index(fields=["realm", "channel", "id"], name="message_by_channel"),
            models.Index(fields=["realm", "to_hash"], name="message_by_number", condition=Q(to_hash__isnull=False)),
            # What the worker asks for every second, of all realms at once: as small as the queue is.
            models.Index(fields=["id"], condition=Q(status="queued"), name="message_queued"),
        ]

    def __str__(self) -> str:
        return self.template


class SmsProviderKind(models.TextChoices):
    """How short messages leave."""

    TWILIO = "twilio"
    TWILIO_VERIFY = "twilio_verify"
    HTTP = "http"
    SNS = "sns"


class SmsProvider(RealmOwned):
    """One way out for short messages; the enabled one with the lowest position is tried first, then the next.

    `settings` holds nothing secret; what is secret lies sealed in `secrets_sealed`, a JSON object of names and values.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=16)
    settings = models.JSONField(default=dict)
    secrets_sealed = models.BinaryField(null=True)
    enabled = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("realm", models.functions.Lower("name"), name="sms_provider_name_in_realm"),
            models.CheckConstraint(condition=Q(kind__in=SmsProviderKind.values), name="sms_provider_kind_known"),
        ]

    def __str__(self) -> str:
        return self.name


__all__ = ["Message", "SmsProvider"]
