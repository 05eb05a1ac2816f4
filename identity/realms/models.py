"""The realm: one tenant."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from identity.kernel.ids import uuid7
from identity.kernel.states import Stated
from identity.kernel.tenancy import RealmOwned

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
        """The stored value of a setting, else the installation's, else ours. Raises KeyError for an unknown name."""
        default = default_setting(name)
        return self.settings.get(name, default)

    def policy(self) -> dict[str, Any]:
        """Every setting in force, by name."""
        return {name: self.setting(name) for name in DEFAULT_SETTINGS}


DEFAULT_SETTINGS: dict[str, Any] = {
    # Ways in. E-mail and password are the base; each of the others is switched on by itself.
    "password_sign_in": True,
    "username_sign_in": False,
    "phone_sign_in": False,
    "phone_first": False,
    "default_country": "",
    "email_code_sign_in": False,
    "sms_code_sign_in": False,
    "passkey_sign_in": False,
    # Sign-up
    "sign_up_open": False,
    "sign_up_identifiers": ["email"],
    "sign_up_approval": False,
    "sign_up_domains_allowed": [],
    "sign_up_domains_blocked": [],
    "bot_protection": "off",
    "captcha_site_key": "",
    "terms_uri": "",
    "terms_version": "",
    "email_verification_required": True,
    "phone_verification_required": False,
    # Passwords
    "password_min_length": 10,
    "password_character_classes": 0,
    "password_history": 0,
    "password_max_age": 0,
    "password_breach_check": "bundled",
    # Factors
    "second_factor": "optional",
    "second_factor_methods": ["totp", "passkey", "sms", "email"],
    "second_factor_grace": 0,
    "trusted_device_lifetime": 0,
    # Limits
    "lockout_tries": 5,
    "lockout_pause": 15 * 60,
    "session_limit": 0,
    "session_limit_action": "end_oldest",
    # Risk
    "new_device_notice": True,
    "impossible_travel_notice": True,
    "suspicious_sign_in": "notify",
    # Short messages
    "sms_daily_limit": 1000,
    "sms_number_daily_limit": 10,
    "sms_prefix_daily_limit": 300,
    "sms_prefixes_blocked": [],
    # Language and lifetimes
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
"""Every setting of a realm with its default; lifetimes, ages and pauses are seconds (DECISIONS 18), 0: never or none.

`rules.CHOICES`, `BOUNDS` and `LISTS` say what each may be. An installation's own defaults come from the environment.
"""


def default_setting(name: str) -> Any:
    """What a realm that says nothing gets: the installation's value, else ours. Raises KeyError for an unknown name."""
    default = DEFAULT_SETTINGS[name]
    return settings.REALMKEEP_SETTING_DEFAULTS.get(name, default)


class ProviderKind(models.TextChoices):
    """Who signs people in for us."""

    GOOGLE = "google"
    GITHUB = "github"
    MICROSOFT = "microsoft"
    APPLE = "apple"
    OIDC = "oidc"
    OAUTH2 = "oauth2"


class IdentityProvider(RealmOwned):
    """An upstream identity provider of one realm. `alias` is part of the callback's state and of links, never renamed.

    `settings`: issuer or endpoints, Apple's team and key id. Secrets (client_secret, private_key) lie sealed.
    `attribute_mapping`: our profile field or custom attribute → upstream claim. `amr_mapping`: upstream amr or acr
    value → a method of ours (RFC 8176) that then counts. `domains`: e-mail domains whose people are sent here at once.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    alias = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=12)
    client_id = models.CharField(max_length=255)
    secrets_sealed = models.BinaryField(null=True)
    settings = models.JSONField(default=dict)
    scopes = models.JSONField(default=list)
    attribute_mapping = models.JSONField(default=dict)
    amr_mapping = models.JSONField(default=dict)
    domains = models.JSONField(default=list)
    sign_up = models.CharField(max_length=10, default="link")
    """What a first sign-in does: `link` (only to an account that is signed in), `create`, or `approve`."""
    enabled = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "alias"], name="provider_alias_in_realm"),
            models.CheckConstraint(condition=Q(kind__in=ProviderKind.values), name="provider_kind_known"),
            models.CheckConstraint(
                condition=Q(sign_up__in=["link", "create", "approve"]), name="provider_sign_up_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


__all__ = ["IdentityProvider", "Realm"]
