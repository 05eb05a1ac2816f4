"""Reads of roles, assignments, grants, organizations and visits. What the gate asks takes ids, pages give the actor."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from identity.access import rules
from identity.access.models import (
    Membership,
    ObjectGrant,
    OperatorVisit,
    Organization,
    Role,
    RoleAssignment,
    RoleKind,
)
from identity.access.permission_sync import GRANTABLE
from identity.kernel import clock
from identity.kernel.actor import Actor, Scope
from identity.kernel.context import current_realm, realm_scope
from identity.kernel.errors import NotFound, PermissionDenied
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.realms.models import PLATFORM_SLUG, Realm

Held = tuple[frozenset[Permission], frozenset[tuple[Permission, str, UUID]]]

ORGANIZATION = "organization"
APPLICATION = "application"


_ASKED = (
    "role__requirements",
    "user__email_verified_at",
    "user__phone_verified_at",
    "user__second_factor_since",
)
"""What a role asks of its holder, and what he has shown, beside each other in one row."""


def _unmet(asked: Sequence[Any]) -> list[str]:
    requirements, email, phone, factor = asked
    return rules.unmet_requirements(requirements, verified_email=email, verified_phone=phone, second_factor=factor)


def unmet_of(role: Role, user: Any) -> list[str]:
    """Why a role that a person holds yields nothing: what he has not shown yet; empty when it counts."""
    return _unmet((role.requirements, user.email_verified_at, user.phone_verified_at, user.second_factor_since))


def unmet_by(role_id: UUID, requirements: Iterable[str]) -> int:
    """How many holders of a role would get nothing from it under these requirements; one query."""
    wanted = list(requirements)
    facts = RoleAssignment.objects.filter(role_id=role_id).values_list(*_ASKED[1:])
    return sum(bool(_unmet((wanted, *each))) for each in facts)


# --- what one person holds: asked by the gate for each request, and by tokens -------------------------------------


def permissions_of_user(user_id: UUID) -> Held:
    """What a person holds on the realm of the moment, and on single objects of it; two queries.

    A role whose requirements the person doesn't meet yields nothing until he does.

    Whoever holds something on an object may open the console. A permission on an object counts only for the kind of
    object that it can be granted on, so an equal id in another table transfers nothing (TI-23).
    """
    return permissions_of_users([user_id])[user_id]


def permissions_of_users(user_ids: Iterable[UUID]) -> dict[UUID, Held]:
    """The same for several people, still two queries: open sockets are asked all at once."""
    realm = current_realm()
    stored: dict[UUID, list[list[str]]] = {user_id: [] for user_id in user_ids}
    on_objects: dict[UUID, set[tuple[Permission, str, UUID]]] = {user_id: set() for user_id in stored}
    assignments = RoleAssignment.objects.filter(user_id__in=list(stored), role__kind=RoleKind.CONSOLE)
    for user_id, permissions, *asked in assignments.values_list("user_id", "role__permissions", *_ASKED):
        if not _unmet(asked):
            stored[user_id].append(permissions)
    grants = ObjectGrant.objects.filter(user_id__in=list(stored)).values_list(
        "user_id", "permission__codename", "permission__content_type__model", "content_type__model", "object_pk"
    )
    for user_id, codename, of_kind, kind, object_pk in grants:
        if kind == of_kind and codename in GRANTABLE.get(kind, ()):
            on_objects[user_id].add((Permission(codename), kind, UUID(object_pk)))
    platform = realm is not None and realm.slug == PLATFORM_SLUG
    out: dict[UUID, Held] = {}
    for user_id, of_user in stored.items():
        held = rules.effective_permissions(of_user, platform=platform)
        single = frozenset(on_objects[user_id])
        out[user_id] = (held | {Permission.CONSOLE_OPEN} if single else held, single)
    return out


def roles_of_user(user_id: UUID, kind: str | None = None) -> list[Role]:
    """The roles that a person holds, by name; `kind` is console or application."""
    rows = Role.objects.filter(assignments__user_id=user_id).order_by("kind", "name")
    return list(rows if kind is None else rows.filter(kind=kind))


def application_role_names(user_id: UUID, application_id: UUID) -> list[str]:
    """What goes into this application's tokens as `roles`: realm-wide application roles and its own; one query."""
    rows = (
        RoleAssignment.objects.filter(user_id=user_id, role__kind=RoleKind.APPLICATION)
        .filter(Q(role__application=None) | Q(role__application_id=application_id))
        .values_list("role__name", *_ASKED)
    )
    return sorted({name for name, *asked in rows if not _unmet(asked)})


def organization_scopes(user_id: UUID) -> tuple[Scope, ...]:
    """The organizations that a person belongs to, as scopes: `actor.require(USERS_WRITE, *organization_scopes(id))`."""
    return tuple(
        (ORGANIZATION, pk)
        for pk in Membership.objects.filter(user_id=user_id).values_list("organization_id", flat=True)
    )


def members_of(organization_ids: Collection[UUID]) -> Subquery:
    """The people of some organizations, for `pk__in`: what a help desk of one organization may see."""
    return Subquery(Membership.objects.filter(organization_id__in=organization_ids).values("user_id"))


def holders_of(role_id: UUID) -> Subquery:
    """The people who hold a role, for `pk__in`."""
    return Subquery(RoleAssignment.objects.filter(role_id=role_id).values("user_id"))


# --- rank and the last owner: asked by commands on people -----------------------------------------------------------


def is_last_owner(user_id: UUID) -> bool:
    """Whether nobody else could own the realm. Call it inside `atomic`, after locking the person.

    It locks the role Owner first and counts afterwards, so of two owners who demote, disable or delete each other at
    the same moment only one succeeds (AC-08). Owners who are disabled, locked for good, or invited and without a
    password yet don't count: they could not sign in.
    """
    owner = for_write(Role.objects.filter(kind=RoleKind.CONSOLE, built_in=True, name=rules.OWNER)).first()
    if owner is None or not RoleAssignment.objects.filter(role=owner, user_id=user_id).exists():
        return False
    invitations = apps.get_model("identity", "Invitation").objects.filter(
        user_id=OuterRef("user_id"), accepted_at=None, revoked_at=None
    )
    others = _able_owners(owner).exclude(user_id=user_id).exclude(Exists(invitations))
    return not others.exists()


def _able_owners(owner: Role, requirements: Sequence[str] | None = None) -> QuerySet[RoleAssignment]:
    """Holders of Owner for whom it counts (under these requirements), neither disabled nor locked for good."""
    rows = (
        RoleAssignment.objects.filter(role=owner)
        .exclude(user__status="disabled")
        .exclude(user__status="locked", user__locked_until=None)
    )
    columns = dict(zip(rules.REQUIREMENTS, _ASKED[1:], strict=True))
    for word in owner.requirements if requirements is None else requirements:
        rows = rows.exclude(**{columns[word]: None})
    return rows


def leaves_an_owner(owner: Role, requirements: Sequence[str]) -> bool:
    """Whether somebody could still own the realm if Owner asked for this. Call it with the role locked."""
    return _able_owners(owner, requirements).exists()


def require_rank(actor: Actor, *, user_id: UUID) -> None:
    """Raises PermissionDenied when the person holds what the actor does not, unless he is himself.

    Stops the way round AC-02: a help desk that sets an owner's e-mail or password would be owner a minute later, and
    one that sets those of an application's manager would hold that application's secrets.
    """
    require_rank_over(actor, user_ids=[user_id])


def require_rank_over(actor: Actor, *, user_ids: Iterable[UUID]) -> None:
    """The same for several people, in two queries: one of higher rank refuses the whole. Raises PermissionDenied."""
    for permission in outranking(actor, user_ids).values():
        raise PermissionDenied(permission=permission)


def outranking(actor: Actor, user_ids: Iterable[UUID]) -> dict[UUID, Permission]:
    """Those of some people whom `require_rank` refuses, each with a permission that the actor lacks; two queries."""
    out = {}
    for user_id, (held, on_objects) in permissions_of_users(pk for pk in user_ids if pk != actor.id).items():
        missing = [permission for permission in sorted(held) if not actor.can(permission)]
        missing += [right for right, kind, pk in sorted(on_objects) if not actor.can(right, (kind, pk))]
        if missing:
            out[user_id] = missing[0]
    return out


# --- pages: roles ----------------------------------------------------------------------------------------------------


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


# --- pages: object grants and organizations -----------------------------------------------------------------------


def grants_of_user(actor: Actor, *, user_id: UUID) -> QuerySet[ObjectGrant]:
    """What a person holds on single objects. Raises PermissionDenied."""
    if actor.id != user_id:
        actor.require(Permission.ROLES_READ)
    rows = ObjectGrant.objects.filter(user_id=user_id).select_related("permission", "content_type")
    return rows.order_by("content_type__model", "object_pk", "permission__codename")


def grants_on(
    actor: Actor, *, kind: str, object_id: UUID, user_id: UUID | None = None, search: str = ""
) -> QuerySet[ObjectGrant]:
    """Who may do what on one application or organization, by name. The caller has fetched the object.

    Raises PermissionDenied: it takes the right to see roles and people, on the whole realm.
    """
    actor.require(Permission.ROLES_READ)
    actor.require(Permission.USERS_READ)
    rows = ObjectGrant.objects.filter(
        content_type__model=kind,
        permission__content_type__model=kind,
        permission__codename__in=[str(permission) for permission in GRANTABLE.get(kind, ())],
        object_pk=str(object_id),
    )
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    if search:
        rows = rows.filter(Q(user__name__icontains=search) | Q(user__email__istartswith=search))
    return rows.select_related("user", "permission").order_by("user__name", "user__email", "permission__codename")


def grantable_by(actor: Actor, *, kind: str, object_id: UUID) -> list[Permission]:
    """What the actor may grant on one object: what can be granted there, and he holds there himself (AC-02)."""
    if not actor.can(Permission.ROLES_ASSIGN):
        return []
    return [permission for permission in GRANTABLE.get(kind, ()) if actor.can(permission, (kind, object_id))]


def managers_of(kind: str, object_id: UUID) -> int:
    """How many people hold something on one object."""
    rows = ObjectGrant.objects.filter(content_type__model=kind, object_pk=str(object_id))
    return rows.values("user_id").distinct().count()


def organizations(actor: Actor, *, search: str = "") -> QuerySet[Organization]:
    """The organizations that the actor may see, newest first, with `members` counted. Raises PermissionDenied."""
    mine = actor.scopes_of(Permission.ORGANIZATIONS_READ, ORGANIZATION)
    rows = Organization.objects.annotate(members=Count("memberships")).order_by("-id")
    if mine is not None:
        if not mine:
            raise PermissionDenied(permission=Permission.ORGANIZATIONS_READ)
        rows = rows.filter(pk__in=mine)
    return rows.filter(Q(name__icontains=search) | Q(slug__icontains=search)) if search else rows


def get_organization(actor: Actor, *, organization_id: UUID) -> Organization:
    """One organization. Raises PermissionDenied, NotFound."""
    row = organizations(actor).filter(pk=organization_id).first()
    if row is None:
        raise NotFound
    return row


def memberships(actor: Actor, *, organization_id: UUID, search: str = "") -> QuerySet[Membership]:
    """Who belongs to an organization, the latest first. Raises PermissionDenied, NotFound."""
    organization = get_organization(actor, organization_id=organization_id)
    actor.require(Permission.USERS_READ, (ORGANIZATION, organization.pk))
    rows = Membership.objects.filter(organization=organization).select_related("user").order_by("-id")
    if search:
        rows = rows.filter(Q(user__name__icontains=search) | Q(user__email__istartswith=search))
    return rows


def members_among(organization_id: UUID, user_ids: Iterable[UUID]) -> set[UUID]:
    """Which of some people belong to an organization; one query."""
    rows = Membership.objects.filter(organization_id=organization_id, user_id__in=list(user_ids))
    return set(rows.values_list("user_id", flat=True))


def memberships_of_user(actor: Actor, *, user_id: UUID) -> QuerySet[Membership]:
    """The organizations of a person that the actor may see, by name. Raises PermissionDenied.

    The help desk of one organization learns nothing about the person's others.
    """
    rows = Membership.objects.filter(user_id=user_id).select_related("organization").order_by("organization__name")
    mine = actor.scopes_of(Permission.ORGANIZATIONS_READ, ORGANIZATION)
    if mine is None:
        return rows
    if not mine:
        raise PermissionDenied(permission=Permission.ORGANIZATIONS_READ)
    return rows.filter(organization_id__in=mine)


def organizations_of_user(actor: Actor, *, user_id: UUID) -> list[Organization]:
    """The same as organizations. Raises PermissionDenied."""
    return [row.organization for row in memberships_of_user(actor, user_id=user_id)]


# --- operator visits ------------------------------------------------------------------------------------------------


def open_visit_of(realm: Realm, operator_id: UUID, operator_session_id: UUID) -> OperatorVisit | None:
    """The open visit of an operator's session to `realm`. Reads the time: an hour is over without any sweeper."""
    with realm_scope(realm):
        return (
            OperatorVisit.objects.filter(
                operator_id=operator_id,
                operator_session_id=operator_session_id,
                ended_at=None,
                ends_at__gt=clock.now(),
            )
            .order_by("-id")
            .first()
        )


def visits_to(actor: Actor, *, realm: Realm, limit: int = 20) -> list[OperatorVisit]:
    """The latest visits to a realm: for operators in `platform`, and for that realm's own admins in their console.

    Raises PermissionDenied, and NotFound for an admin of another realm.
    """
    if actor.realm_id == realm.pk:
        actor.require(Permission.SETTINGS_READ)
    else:
        own = current_realm()
        if own is None or own.slug != PLATFORM_SLUG or own.pk != actor.realm_id:
            raise NotFound
        actor.require(Permission.REALMS_READ)
    with realm_scope(realm):
        return list(OperatorVisit.objects.order_by("-id")[:limit])
