"""Factors as django-otp's devices: one registry for all of them, scoped to the realm."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django_otp.models import (
    CooldownMixin,
    Device,
    DeviceManager,
    GenerateNotAllowed,
    SideChannelDevice,
    ThrottlingMixin,
    VerifyNotAllowed,
)

from identity.kernel import clock
from identity.kernel.ids import uuid7
from identity.kernel.tenancy import RealmManager, RealmOwned
from identity.mfa.hashing import message_code_matches

MOST_DELAY = 30
"""Seconds that wrong codes can hold a device at most."""
MOST_TRIES = 5
"""Wrong codes after which the one that was sent is dead."""


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

    def seconds_to_wait(self) -> int:
        """Seconds until the next message may go; 0 when it may."""
        if self.last_generated_timestamp is None:
            return 0
        passed = (clock.now() - self.last_generated_timestamp).total_seconds()
        return max(0, int(self.get_cooldown_duration() - passed))

    def cooldown_set(self, commit: bool = True) -> None:
        """django-otp's, by our clock."""
        self.last_generated_timestamp = clock.now()
        if commit:
            self.save(update_fields=["last_generated_timestamp"])

    def generate_is_allowed(self) -> tuple[bool, dict[str, Any] | None]:
        """django-otp's question, by our clock."""
        wait = self.seconds_to_wait()
        return (True, None) if not wait else (False, {"reason": GenerateNotAllowed.COOLDOWN_DURATION_PENDING})

    def verify_is_allowed(self) -> tuple[bool, dict[str, Any] | None]:
        """Waits after wrong codes, 1, 2, 4 … seconds, but never longer than 30.

        django-otp's wait has no such end: who knows the password could keep the device's owner out.
        """
        if self.throttling_failure_count and self.throttling_failure_timestamp is not None:
            delay = min(self.get_throttle_factor() * 2 ** min(self.throttling_failure_count - 1, 10), MOST_DELAY)
            until = self.throttling_failure_timestamp + timedelta(seconds=delay)
            if clock.now() < until:
                return False, {
                    "reason": VerifyNotAllowed.N_FAILED_ATTEMPTS,
                    "failure_count": self.throttling_failure_count,
                    "locked_until": until,
                }
        return True, None

    def verify_token(self, token: str) -> bool:
        """Whether this is the code that was sent last, still in time; it is used up. Call it on a locked row.

        django-otp keeps the code in clear and compares it as it is; ours is a keyed hash. After MOST_TRIES wrong ones
        the code is dead.
        """
        if not self.verify_is_allowed()[0]:
            return False
        stored, now = self.token_hash, clock.now()
        right = (
            stored is not None and now < self.valid_until and message_code_matches(self.pk, token or "", bytes(stored))
        )
        if right:
            self.token_hash, self.valid_until, self.last_used_at = None, now, now
            self.throttling_failure_count, self.throttling_failure_timestamp = 0, None
            self.last_generated_timestamp = None
        else:
            self.throttling_failure_count += 1
            self.throttling_failure_timestamp = now
            if self.throttling_failure_count % MOST_TRIES == 0:
                self.token_hash = None
        self.save(
            update_fields=[
                "token_hash",
                "valid_until",
                "last_used_at",
                "last_generated_timestamp",
                "throttling_failure_count",
                "throttling_failure_timestamp",
            ]
        )
        return right


__all__ = ["AuthenticatorDevice", "MessageDevice"]
