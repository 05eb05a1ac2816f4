"""Reads of roles and of who has them, for pages."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from identity.access import rules
from identity.access.models import (
    Role,
    RoleAssignment,
    RoleKind,
)
from identity.access.queries.holding import APPLICATION, ORGANIZATION, members_of
from identity.kernel.actor import Actor
from identity.kernel.context import current_realm
from identity.kernel.errors import NotFound, PermissionDenied
from identity.kernel.permissions import Permission
from identity.realms.models import PLATFORM_SLUG


def roles(
    actor: Actor, kind: str | None = None, *, application_id: UUID | None = None, search: str = ""
) -> QuerySet[Role]:
    """Roles with `holders` counted, by kind and name. Raises PermissionDenied.

    Who may only assign roles of some applications sees the application roles of those.
    """
    rows = Role.objects.select_related("application")
    if not actor.can(Permission.ROLES_READ):
        mine = actor.scopes_of(Permission.ROLES_ASSIGN, APPLICATION)
        if mine is not None:
            if not mine:
                raise PermissionDenied(permission=Permission.ROLES_READ)
            rows = rows.filter(application_id__in=mine)
    if kind:
        rows = rows.filter(kind=kind)
    if application_id:
        rows = rows.filter(Q(application_id=application_id) | Q(application=None), kind=RoleKind.APPLICATION)
    if search:
        rows = rows.filter(name__icontains=search)
    return rows.annotate(holders=Count("assignments")).order_by("-kind", "-built_in", "name", "id")


def get_role(actor: Actor, *, role_id: UUID) -> Role:
    """One role with `holders`. Raises PermissionDenied, NotFound."""
    row = roles(actor).filter(pk=role_id).first()
    if row is None:
        raise NotFound
    return row


def find_role(kind: str, name: str, application_id: UUID | None = None) -> Role | None:
    """A role by its name, in whatever case: how realm files and the seed refer to it."""
    rows = Role.objects.filter(kind=kind, name__iexact=name)
    rows = rows.filter(application=None) if application_id is None else rows.filter(application_id=application_id)
    return rows.first()


def assignments_of_role(actor: Actor, *, role_id: UUID, search: str = "") -> QuerySet[RoleAssignment]:
    """Who holds a role, the latest first. Raises PermissionDenied, NotFound.

    The manager of one application sees all holders of its roles, the help desk of an organization only its members.
    """
    role = get_role(actor, role_id=role_id)
    rows = RoleAssignment.objects.filter(role=role).select_related("user").order_by("-id")
    organizations = actor.scopes_of(Permission.USERS_READ, ORGANIZATION)
    if organizations is not None and not manages_roles_of(actor, role):
        if not organizations:
            raise PermissionDenied(permission=Permission.USERS_READ)
        rows = rows.filter(user_id__in=members_of(organizations))
    if search:
        rows = rows.filter(Q(user__name__icontains=search) | Q(user__email__icontains=search))
    return rows


def holders_among(role_id: UUID, user_ids: Iterable[UUID]) -> set[UUID]:
    """Which of some people hold a role; one query."""
    rows = RoleAssignment.objects.filter(role_id=role_id, user_id__in=list(user_ids))
    return set(rows.values_list("user_id", flat=True))


def assignments_of_user(actor: Actor, *, user_id: UUID) -> QuerySet[RoleAssignment]:
    """The roles of a person with when they were given. Raises PermissionDenied.

    Who may only assign roles of some applications sees those of them that the person holds.
    """
    rows = RoleAssignment.objects.filter(user_id=user_id)
    if actor.id != user_id and not actor.can(Permission.ROLES_READ):
        mine = actor.scopes_of(Permission.ROLES_ASSIGN, APPLICATION)
        if mine is not None:
            if not mine:
                raise PermissionDenied(permission=Permission.ROLES_READ)
            rows = rows.filter(role__application_id__in=mine)
    return rows.select_related("role", "role__application").order_by("-role__kind", "-role__built_in", "role__name")


def role_names_of(user_ids: Iterable[UUID]) -> dict[UUID, list[Role]]:
    """User → roles, for a page of a list; one query."""
    out: dict[UUID, list[Role]] = {}
    rows = RoleAssignment.objects.filter(user_id__in=list(user_ids)).select_related("role")
    for row in rows.order_by("-role__kind", "-role__built_in", "role__name"):
        out.setdefault(row.user_id, []).append(row.role)
    return out


def assignable_roles(actor: Actor, *, user_id: UUID | None = None) -> list[Role]:
    """The roles that the actor may give (to this person, who doesn't hold them yet): the question of the command."""
    rows = Role.objects.select_related("application").order_by("-kind", "-built_in", "name")
    if user_id is not None:
        rows = rows.exclude(pk__in=RoleAssignment.objects.filter(user_id=user_id).values("role_id"))
    return [role for role in rows if may_assign(actor, role)]


def may_assign(actor: Actor, role: Role) -> bool:
    """Whether `assign_role` and `unassign_role` of this role would let the actor pass."""
    if role.kind == RoleKind.CONSOLE:
        return actor.can(Permission.ROLES_ASSIGN) and not missing_of(actor, role.permissions)
    scopes = [(APPLICATION, role.application_id)] if role.application_id else []
    return actor.can(Permission.ROLES_ASSIGN, *scopes)


def manages_roles_of(actor: Actor, role: Role) -> bool:
    """Whether this is a role of an application whose roles the actor gives, so that he may know who holds it."""
    return role.application_id is not None and actor.can(Permission.ROLES_ASSIGN, (APPLICATION, role.application_id))


def missing_of(actor: Actor, words: Iterable[str]) -> list[Permission]:
    """Which of these permissions the actor doesn't hold on the whole realm, so that he can't give them (AC-02)."""
    realm = current_realm()
    platform = realm is not None and realm.slug == PLATFORM_SLUG
    granted = rules.effective_permissions([list(words)], platform=platform)
    return rules.missing_to_grant([p for p in Permission if actor.can(p)], granted)
