"""The person's account, its codes and attributes, invitations, and the views of lists that a person saved."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from identity.kernel import clock
from identity.kernel.ids import uuid7
from identity.kernel.states import Stated
from identity.kernel.tenancy import RealmManager, RealmOwned


class UserStatus(models.TextChoices):
    """`locked` ends by itself (locked_until) or by unlocking; `disabled` only by an admin; `pending` by approval."""

    ACTIVE = "active"
    LOCKED = "locked"
    DISABLED = "disabled"
    PENDING = "pending"


class UserManager(RealmManager["User"], BaseUserManager["User"]):
    """Realm-scoped; no create_user: accounts are made by `accounts.commands`."""


class User(RealmOwned, Stated, AbstractBaseUser, PermissionsMixin):
    """One person in one realm. The same e-mail in two realms is two people (DECISIONS 5)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Wider than Django's: hashes of other products that are imported carry longer salts.
    password = models.CharField(max_length=512)
    email = models.EmailField(max_length=254, null=True, blank=True)
    email_verified_at = models.DateTimeField(null=True)
    phone = models.CharField(max_length=16, null=True, blank=True)
    phone_verified_at = models.DateTimeField(null=True)
    username = models.CharField(max_length=150, null=True, blank=True)
    key = models.CharField(max_length=100, null=True, blank=True)
    name = models.CharField(max_length=200, blank=True, default="")
    given_name = models.CharField(max_length=100, blank=True, default="")
    family_name = models.CharField(max_length=100, blank=True, default="")
    language = models.CharField(max_length=16, null=True, blank=True)
    time_zone = models.CharField(max_length=64, null=True, blank=True)
    locked_until = models.DateTimeField(null=True)
    password_changed_at = models.DateTimeField(null=True)
    password_change_required = models.CharField(max_length=16, blank=True, default="")
    attributes = models.JSONField(default=dict)
    terms_version = models.CharField(max_length=40, blank=True, default="")
    terms_accepted_at = models.DateTimeField(null=True)
    factor_grace_until = models.DateTimeField(null=True)
    second_factor_since = models.DateTimeField(null=True)
    """Since when he has a second factor; kept by `mfa`, so that roles that require one are one query (access)."""
    created_at = models.DateTimeField(default=clock.now)
    last_sign_in_at = models.DateTimeField(null=True)
    last_login = None  # type: ignore[assignment]  # written at each sign-in by Django's own signal; ours is last_sign_in_at

    objects = UserManager()  # type: ignore[misc]
    all_realms = models.Manager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        constraints = [
            models.UniqueConstraint("realm", Lower("email"), name="user_email_in_realm"),
            models.UniqueConstraint(fields=["realm", "phone"], name="user_phone_in_realm"),
            models.UniqueConstraint("realm", Lower("username"), name="user_username_in_realm"),
            models.UniqueConstraint(fields=["realm", "key"], name="user_key_in_realm"),
            models.UniqueConstraint(fields=["realm", "id"], name="user_realm_id"),
            models.CheckConstraint(
                condition=Q(email__isnull=False) | Q(phone__isnull=False) | Q(username__isnull=False),
                name="user_has_a_name",
            ),
            models.CheckConstraint(condition=Q(is_superuser=False), name="user_never_superuser"),
            models.CheckConstraint(
                condition=~Q(email="") & ~Q(phone="") & ~Q(username="") & ~Q(key=""),
                name="user_names_never_blank",
            ),
            models.CheckConstraint(condition=Q(status__in=UserStatus.values), name="user_status_known"),
        ]
        indexes = [models.Index(fields=["realm", "status", "id"], name="user_by_status")]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """What pages call this person: the name, else whichever identifier there is. Never empty."""
        return self.name or self.email or self.username or self.phone or "–"

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Whether the person may sign in and use what was issued. Asked through `gate` everywhere."""
        if self.status == UserStatus.LOCKED:
            return self.locked_until is not None and self.locked_until <= clock.now()
        return self.status == UserStatus.ACTIVE

    @property
    def is_staff(self) -> bool:
        """Django's admin asks this; the Actor decides instead."""
        return False

    @property
    def email_verified(self) -> bool:
        """Whether the present address was proven."""
        return self.email_verified_at is not None

    def get_username(self) -> str:
        """Never None: a person may have only a phone number."""
        return str(self.email or self.username or self.phone or self.pk)

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Nothing asks Django's permissions: see `Actor.can`. Fails closed."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        """See has_perm."""
        return False


class Invitation(RealmOwned):
    """A single-use link that lets a person set a first password; bound to the address that it was sent to."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    token_hash = models.BinaryField(max_length=33)
    invited_by = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["realm", "token_hash"], name="invitation_token_in_realm")]
        indexes = [models.Index(fields=["realm", "user"], name="invitation_by_user")]

    def __str__(self) -> str:
        return f"invitation of {self.user_id}"


class PasswordRecord(RealmOwned):
    """A password that a person had: its hash, so that the policy can refuse it again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="password_records")
    encoded = models.CharField(max_length=512)
    replaced_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["realm", "user", "id"], name="password_record_by_user")]

    def __str__(self) -> str:
        return f"password of {self.user_id}"


class CodePurpose(models.TextChoices):
    """What a code that was sent proves; one never serves for another."""

    SIGN_IN = "sign_in"
    SIGN_UP = "sign_up"
    VERIFY = "verify"
    RESET = "reset"
    CONFIRM = "confirm"


class OneTimeCode(RealmOwned):
    """A short code that was sent to an address or number. It exists for unknown names, too: nothing tells them apart.

    Kept as a keyed hash, with the tries that were spent on it (RFC 6749 has none of this; OWASP ASVS 6.5, 6.6).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purpose = models.CharField(max_length=10)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="one_time_codes")
    address_hash = models.BinaryField(max_length=33)
    address_sealed = models.BinaryField()
    code_hash = models.BinaryField(max_length=33)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(purpose__in=CodePurpose.values), name="one_time_code_purpose_known")
        ]
        indexes = [
            models.Index(fields=["realm", "address_hash", "id"], name="one_time_code_by_address"),
            models.Index(fields=["realm", "expires_at"], name="one_time_code_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"


class AttributeType(models.TextChoices):
    """What a custom attribute may hold."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    CHOICE = "choice"


class Attribute(RealmOwned):
    """A custom attribute that the people of a realm have: its name, type and who may see and change it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=60)
    label = models.CharField(max_length=100)
    type = models.CharField(max_length=10, default=AttributeType.TEXT)
    choices = models.JSONField(default=list)
    pattern = models.CharField(max_length=200, blank=True, default="")
    most = models.PositiveIntegerField(null=True)
    required = models.BooleanField(default=False)
    at_sign_up = models.BooleanField(default=False)
    person_may_see = models.BooleanField(default=True)
    person_may_change = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    claim = models.CharField(max_length=100, blank=True, default="", db_default="")
    scope = models.CharField(max_length=100, blank=True, default="", db_default="")
    """What tokens and userinfo call it, and the scope that releases it; both or none."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["realm", "name"], name="attribute_name_in_realm"),
            models.UniqueConstraint(fields=["realm", "claim"], condition=~Q(claim=""), name="attribute_claim_in_realm"),
            models.CheckConstraint(condition=Q(type__in=AttributeType.values), name="attribute_type_known"),
            models.CheckConstraint(
                condition=Q(claim="", scope="") | (~Q(claim="") & ~Q(scope="")), name="attribute_claim_has_scope"
            ),
        ]

    def __str__(self) -> str:
        return self.label


class SavedView(RealmOwned):
    """The filters of one of the console's lists, kept under a name by a person, for himself or for all admins."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    area = models.CharField(max_length=32)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True, default="")
    shared = models.BooleanField(default=False)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("realm", "owner", "area", Lower("name"), name="saved_view_name_once"),
            models.UniqueConstraint(
                fields=["realm", "owner", "area"], condition=Q(is_default=True), name="saved_view_default_once"
            ),
        ]
        indexes = [models.Index(fields=["realm", "area"], condition=Q(shared=True), name="saved_view_shared")]

    def __str__(self) -> str:
        return self.name


__all__ = ["Attribute", "Invitation", "OneTimeCode", "PasswordRecord", "SavedView", "User"]
