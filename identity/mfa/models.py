"""Factors as django-otp's devices: one registry for all of them, scoped to the realm."""

from django.db import models
from django.db.models import Q
from django_otp.models import CooldownMixin, Device, DeviceManager, SideChannelDevice, ThrottlingMixin

from identity.kernel import clock
from identity.kernel.ids import uuid7
from identity.kernel.tenancy import RealmManager, RealmOwned


class FactorManager(RealmManager, DeviceManager):
    """django-otp's `devices_for_user`, in the realm of the moment."""


class FactorKind(models.TextChoices):
    """What a person can show besides a password. `passkey` also covers security keys."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODES = "recovery_codes"
    SMS = "sms"
    EMAIL = "email"


class AuthenticatorDevice(RealmOwned, Device):
    """The registry's row of one allauth authenticator; deleting that deletes this, and sessions verified by it drop."""

    kind = models.CharField(max_length=16)
    authenticator = models.OneToOneField("mfa.Authenticator", on_delete=models.CASCADE, related_name="device")
    created_at = models.DateTimeField(default=clock.now)
    last_counter = models.BigIntegerField(null=True)
    """The last time step whose code was accepted (RFC 6238, 5.2), or the last signature counter of a passkey."""

    objects = FactorManager()  # type: ignore[misc]
    all_realms = models.Manager()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(fields=["realm", "authenticator"], name="authenticator_device_once"),
            models.CheckConstraint(
                condition=Q(kind__in=[FactorKind.TOTP, FactorKind.PASSKEY, FactorKind.RECOVERY_CODES]),
                name="authenticator_device_kind_known",
            ),
        ]
        indexes = [models.Index(fields=["realm", "user"], name="authenticator_device_by_user")]

    def __str__(self) -> str:
        return self.name


class MessageDevice(RealmOwned, ThrottlingMixin, CooldownMixin, SideChannelDevice):
    """Codes sent to a number or an address. The code is kept as a keyed hash, never in `token` (DP-01)."""

    uid = models.UUIDField(default=uuid7, editable=False)
    kind = models.CharField(max_length=16)
    to_sealed = models.BinaryField()
    to_hash = models.BinaryField(max_length=33)
    hint = models.CharField(max_length=40)
    valid_until = models.DateTimeField(default=clock.now)
    token_hash = models.BinaryField(max_length=33, null=True)
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True)

    objects = FactorManager()  # type: ignore[misc]
    all_realms = models.Manager()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(fields=["realm", "user", "kind", "to_hash"], name="message_device_once"),
            models.CheckConstraint(
                condition=Q(kind__in=[FactorKind.SMS, FactorKind.EMAIL]), name="message_device_kind_known"
            ),
            models.CheckConstraint(condition=Q(token=None), name="message_device_token_never_clear"),
        ]
        indexes = [models.Index(fields=["realm", "user"], name="message_device_by_user")]

    def __str__(self) -> str:
        return self.hint

    def get_throttle_factor(self) -> int:
        """Seconds after the first wrong code, doubled with each (django-otp)."""
        return 1

    def get_cooldown_duration(self) -> int:
        """Seconds between two messages."""
        return 45


__all__ = ["AuthenticatorDevice", "MessageDevice"]
