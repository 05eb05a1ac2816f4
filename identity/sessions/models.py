"""Sessions, and which applications were used by them."""

from django.db import models
from django.db.models import Q

from identity.kernel.ids import uuid7
from identity.kernel.states import Stated
from identity.kernel.tenancy import RealmOwned


class SessionStatus(models.TextChoices):
    """An ended session is a row that no request, token or socket accepts any more."""

    ACTIVE = "active"
    ENDED = "ended"


class DeviceStatus(models.TextChoices):
    """`new`: signed in on, and nobody has said yet whose it is. `denied`: the person said that it is not his; it is
    never known again.
    """

    NEW = "new"
    KNOWN = "known"
    DENIED = "denied"


class Device(RealmOwned):
    """A browser that one person signed in from: known by a signed cookie's id, described by coarse signals."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey("identity.User", on_delete=models.CASCADE, related_name="devices")
    key_hash = models.BinaryField(max_length=33)
    label = models.CharField(max_length=100, blank=True, default="")
    status = models.CharField(max_length=10, default=DeviceStatus.KNOWN)
    country = models.CharField(max_length=2, blank=True, default="")
    ip = models.GenericIPAddressField(null=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    trusted_until = models.DateTimeField(null=True)
    """Until when this browser stands for the second step; null: it never does."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "user", "key_hash"], name="device_key_of_user"),
            models.CheckConstraint(condition=Q(status__in=DeviceStatus.values), name="device_status_known"),
        ]

    def __str__(self) -> str:
        return self.label or str(self.pk)


class Session(RealmOwned, Stated):
    """A browser session of one realm (DECISIONS 16). Its key is hashed: reading the table signs nobody in (DP-08)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key_hash = models.BinaryField(max_length=33)
    user = models.ForeignKey("identity.User", null=True, on_delete=models.CASCADE, related_name="sessions")
    sid = models.UUIDField(null=True)
    data = models.JSONField(default=dict)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True, default="")
    device = models.ForeignKey(Device, null=True, on_delete=models.SET_NULL, related_name="sessions")
    country = models.CharField(max_length=2, blank=True, default="")
    authenticated_at = models.DateTimeField(null=True)
    amr = models.JSONField(default=list)
    acr = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    end_reason = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "key_hash"], name="session_key_in_realm"),
            models.UniqueConstraint(fields=["realm", "sid"], name="session_sid_in_realm"),
            models.CheckConstraint(condition=Q(status__in=SessionStatus.values), name="session_status_known"),
        ]
        indexes = [
            models.Index(fields=["realm", "user", "status", "id"], name="session_by_user"),
            models.Index(fields=["realm", "status", "id"], name="session_by_status"),
            models.Index(fields=["realm", "ip", "id"], name="session_by_ip"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class SessionApplication(RealmOwned):
    """An application got tokens through a session."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="applications")
    application = models.ForeignKey("identity.Application", on_delete=models.CASCADE, related_name="+")
    first_used_at = models.DateTimeField()
    last_used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "session", "application"], name="session_application_once")
        ]
        indexes = [models.Index(fields=["realm", "application", "session"], name="session_application_by_app")]

    def __str__(self) -> str:
        return f"{self.application_id} by {self.session_id}"


__all__ = ["Device", "Session", "SessionApplication"]
