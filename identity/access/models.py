"""Tables of access: roles, assignments, organizations, memberships, object grants and operator visits."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from guardian.managers import UserObjectPermissionManager
from guardian.models import UserObjectPermissionAbstract

from identity.kernel.ids import uuid7
from identity.kernel.tenancy import RealmManager, RealmOwned


class RoleKind(models.TextChoices):
    """Console roles hold Permissions and open the console; application roles are names that go into tokens."""

    CONSOLE = "console"
    APPLICATION = "application"


class Role(RealmOwned):
    """A role of a realm (DECISIONS 8). An application role may belong to one application alone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True, default="")
    permissions = models.JSONField(default=list)
    requirements = models.JSONField(default=list)
    """What a person must have shown for the role to count: verified_email, verified_phone, second_factor."""
    application = models.ForeignKey(
        "identity.Application", null=True, blank=True, on_delete=models.CASCADE, related_name="roles"
    )
    built_in = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "realm", "kind", Lower("name"), condition=Q(application=None), name="role_name_in_realm"
            ),
            models.UniqueConstraint(
                "realm",
                "application",
                Lower("name"),
                condition=~Q(application=None),
                name="role_name_in_application",
            ),
            models.CheckConstraint(condition=Q(kind__in=RoleKind.values), name="role_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=RoleKind.APPLICATION) | Q(application=None),
                name="console_role_has_no_application",
            ),
        ]
        indexes = [models.Index(fields=["realm", "kind", "name"], name="role_by_name")]

    def __str__(self) -> str:
        return self.name


class RoleAssignment(RealmOwned):
    """One person holds one role."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="assignments")
    user = models.ForeignKey("identity.User", on_delete=models.CASCADE, related_name="role_assignments")
    assigned_by = models.UUIDField(null=True)
    assigned_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["realm", "role", "user"], name="role_assignment_once")]
        indexes = [models.Index(fields=["realm", "user"], name="role_assignment_by_user")]

    def __str__(self) -> str:
        return f"{self.role_id} → {self.user_id}"


class Organization(RealmOwned):
    """A group of people of one realm with a name of its own, such as a customer or a department."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.CharField(max_length=63)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["realm", "slug"], name="organization_slug_in_realm")]

    def __str__(self) -> str:
        return self.name


class Membership(RealmOwned):
    """One person belongs to one organization."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("identity.User", on_delete=models.CASCADE, related_name="memberships")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["realm", "organization", "user"], name="membership_once")]
        indexes = [models.Index(fields=["realm", "user"], name="membership_by_user")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.organization_id}"


class ObjectGrantManager(RealmManager, UserObjectPermissionManager):
    """Guardian's assign and remove, on the realm of the moment."""


class ObjectGrant(RealmOwned, UserObjectPermissionAbstract):
    """Guardian's row: one person holds one permission on one application or organization (DECISIONS 9)."""

    objects = ObjectGrantManager()  # type: ignore[misc]
    all_realms = models.Manager()

    class Meta(UserObjectPermissionAbstract.Meta):
        abstract = False
        indexes = [
            # Guardian's own look-up indexes sit in its concrete model and are not inherited.
            models.Index(
                fields=["realm", "user", "permission", "content_type", "object_pk"],
                name="objectgrant_by_user",
            ),
            models.Index(fields=["realm", "content_type", "object_pk"], name="objectgrant_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.object_pk}"


class OperatorVisit(RealmOwned):
    """An operator of `platform` is in this realm's console, for a reason and at most an hour (DECISIONS 20).

    `realm` is the realm that is visited. The operator belongs to `platform`, so he is kept by id: a listed
    cross-realm table.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    operator_id = models.UUIDField()
    operator_session_id = models.UUIDField()
    operator_name = models.CharField(max_length=200, blank=True, default="")
    reason = models.CharField(max_length=300)
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["realm", "operator_id", "operator_session_id"],
                condition=Q(ended_at=None),
                name="operator_visit_open_once",
            )
        ]
        indexes = [models.Index(fields=["realm", "operator_id", "ends_at"], name="operator_visit_open")]

    def __str__(self) -> str:
        return f"{self.operator_id} until {self.ends_at:%H:%M}"


__all__ = ["Membership", "ObjectGrant", "OperatorVisit", "Organization", "Role", "RoleAssignment"]
