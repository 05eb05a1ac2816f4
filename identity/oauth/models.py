"""The swapped DOT models, refresh families, signing keys and the denylist of access tokens.

`class Meta(Abstract….Meta)` in each: Django takes Meta from the first base only, so without it DOT's constraints and
indexes vanish without a warning (a refresh look-up then scans the table).
"""

from django.db import models
from django.db.models import Q
from oauth2_provider import models as dot

from identity.kernel.ids import uuid7
from identity.kernel.states import Stated
from identity.kernel.tenancy import RealmOwned


class Grant(RealmOwned, dot.AbstractGrant):
    """An authorization code (RFC 6749, 4.1.2): stored hashed, used once, bound to its session and sign-in."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(max_length=255)
    code_hash = models.BinaryField(max_length=33, null=True)
    used_at = models.DateTimeField(null=True)
    session = models.ForeignKey("identity.Session", null=True, on_delete=models.CASCADE, related_name="+")
    auth_time = models.DateTimeField(null=True)
    amr = models.JSONField(default=list)
    acr = models.CharField(max_length=60, blank=True, default="")
    offline = models.BooleanField(default=False)
    offline_until = models.DateTimeField(null=True)
    issued_jti = models.UUIDField(null=True)

    class Meta(dot.AbstractGrant.Meta):
        constraints = [
            models.UniqueConstraint(fields=["realm", "code"], name="grant_code_in_realm"),
            models.UniqueConstraint(fields=["realm", "code_hash"], name="grant_code_hash_in_realm"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class FamilyStatus(models.TextChoices):
    """A revoked family takes all its refresh tokens with it."""

    ACTIVE = "active"
    REVOKED = "revoked"


class RefreshFamily(RealmOwned, Stated):
    """All refresh tokens that descend from one authorization (RFC 9700, 4.14.2): the unit of revocation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey("identity.User", on_delete=models.CASCADE, related_name="+")
    application = models.ForeignKey("identity.Application", on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey("identity.Session", null=True, on_delete=models.SET_NULL, related_name="+")
    scope = models.TextField(blank=True, default="")
    resource = models.JSONField(default=list)
    offline = models.BooleanField(default=False)
    auth_time = models.DateTimeField(null=True)
    amr = models.JSONField(default=list)
    acr = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=FamilyStatus.values), name="refresh_family_status_known")
        ]
        indexes = [
            models.Index(fields=["realm", "user", "status"], name="refresh_family_by_user"),
            models.Index(fields=["realm", "application", "status"], name="refresh_family_by_app"),
            models.Index(fields=["realm", "session", "status"], name="refresh_family_by_session"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class AccessToken(RealmOwned, dot.AbstractAccessToken):
    """Stays empty: access tokens are JWTs without a row (DECISIONS 18). DOT's models refer to the table."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta(dot.AbstractAccessToken.Meta):
        indexes = [models.Index(fields=["realm", "expires"], name="access_token_by_expiry")]

    def __str__(self) -> str:
        return str(self.pk)


class RefreshToken(RealmOwned, dot.AbstractRefreshToken):
    """One generation of a refresh family: a keyed hash, used up by its rotation.

    `rotated_at` is in no index, unlike DOT's `revoked`, which stays empty: so a rotation touches none of them. The
    column itself stays, since DOT's own methods ask for it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    family = models.ForeignKey(RefreshFamily, null=True, on_delete=models.CASCADE, related_name="tokens")
    token_hash = models.BinaryField(max_length=33, null=True)
    generation = models.PositiveIntegerField(default=0)
    rotated_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta(dot.AbstractRefreshToken.Meta):
        constraints = [models.UniqueConstraint(fields=["realm", "token_hash"], name="refresh_token_hash_in_realm")]

    def __str__(self) -> str:
        return str(self.pk)


class IDToken(RealmOwned, dot.AbstractIDToken):
    """Stays empty, as AccessToken."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta(dot.AbstractIDToken.Meta):
        indexes = [models.Index(fields=["realm", "expires"], name="id_token_by_expiry")]

    def __str__(self) -> str:
        return str(self.pk)


class DeviceGrant(RealmOwned, dot.AbstractDeviceGrant):
    """Stays empty: DOT's device flow is unsafe and not mounted. The swap is made from the start all the same."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta(dot.AbstractDeviceGrant.Meta):
        constraints = [
            *dot.AbstractDeviceGrant.Meta.constraints,
            models.UniqueConstraint(fields=["realm", "user_code"], name="device_grant_user_code_in_realm"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class KeyStatus(models.TextChoices):
    """`next` is published before it signs; `retiring` is published until the last token it signed has expired."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"


class SigningKey(RealmOwned):
    """A realm's signing key; the private part is sealed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kid = models.CharField(max_length=64)
    alg = models.CharField(max_length=16)
    public_jwk = models.JSONField()
    private_sealed = models.BinaryField()
    status = models.CharField(max_length=10, default=KeyStatus.NEXT)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    retiring_at = models.DateTimeField(null=True)
    retire_after = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "kid"], name="signing_key_kid_in_realm"),
            models.UniqueConstraint(
                fields=["realm", "alg"], condition=Q(status=KeyStatus.ACTIVE), name="signing_key_one_active"
            ),
            models.CheckConstraint(condition=Q(status__in=KeyStatus.values), name="signing_key_status_known"),
        ]

    def __str__(self) -> str:
        return self.kid


class TokenDenial(RealmOwned):
    """An access token that was revoked before its expiry, by `jti` (RFC 7009)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    jti = models.UUIDField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["realm", "jti"], name="token_denial_once")]

    def __str__(self) -> str:
        return str(self.jti)


__all__ = [
    "AccessToken",
    "DeviceGrant",
    "Grant",
    "IDToken",
    "RefreshFamily",
    "RefreshToken",
    "SigningKey",
    "TokenDenial",
]
