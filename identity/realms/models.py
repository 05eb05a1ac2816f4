"""The realm: one tenant."""

from typing import Any

from django.db import models
from django.db.models import Q

from identity.kernel.ids import uuid7
from identity.kernel.states import Stated

PLATFORM_SLUG = "platform"


class RealmStatus(models.TextChoices):
    """`suspended` refuses everybody at once; `deleting` is suspended and waits for its purge (DECISIONS 29)."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETING = "deleting"


class Realm(Stated):
    """One tenant. Its slug is never renamed and never used again (TI-22): the row outlives the realm's deletion."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.CharField(max_length=63, unique=True)
    name = models.CharField(max_length=100)
    host = models.CharField(max_length=253, null=True, unique=True)
    settings = models.JSONField(default=dict)
    branding = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    purge_after = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(slug="") & ~Q(host=""), name="realm_names_never_blank"),
            models.CheckConstraint(condition=Q(status__in=RealmStatus.values), name="realm_status_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Whether anybody may do anything in it."""
        return self.status == RealmStatus.ACTIVE

    @property
    def is_platform(self) -> bool:
        """Whether it is the realm of the operators."""
        return self.slug == PLATFORM_SLUG

    def setting(self, name: str) -> Any:
        """The stored value of a setting, or its default. Raises KeyError for an unknown name."""
        default = DEFAULT_SETTINGS[name]
        return self.settings.get(name, default)


DEFAULT_SETTINGS: dict[str, Any] = {
    "sign_up_open": False,
    "email_verification_required": True,
    "language": "en",
    "time_zone": "UTC",
    "access_token_lifetime": 15 * 60,
    "code_lifetime": 60,
    "refresh_token_lifetime": 30 * 24 * 3600,
    "refresh_token_max_lifetime": 90 * 24 * 3600,
    "session_idle_lifetime": 12 * 3600,
    "session_lifetime": 7 * 24 * 3600,
    "signing_algorithm": "ES256",
}
"""Every setting of a realm with its default; lifetimes are seconds (DECISIONS 18)."""

__all__ = ["Realm"]
