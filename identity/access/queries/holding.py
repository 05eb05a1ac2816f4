"""What people hold, what a role asks of them, rank and the last owner. The gate asks by ids."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from identity.access import rules
from identity.access.models import (
    Membership,
    ObjectGrant,
    Role,
    RoleAssignment,
    RoleKind,
)
from identity.access.permission_sync import GRANTABLE
from identity.kernel.actor import Actor, Scope
from identity.kernel.context import current_realm
from identity.kernel.errors import PermissionDenied
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.realms.models import PLATFORM_SLUG

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


def roles_held_back(user_id: UUID, permission: str) -> list[tuple[str, list[str]]]:
    """The console roles that would allow something, did their holder meet what they ask: name, and what is missing."""
    realm = current_realm()
    platform = realm is not None and realm.slug == PLATFORM_SLUG
    rows = RoleAssignment.objects.filter(user_id=user_id, role__kind=RoleKind.CONSOLE).order_by("role__name")
    return [
        (name, unmet)
        for name, permissions, *asked in rows.values_list("role__name", "role__permissions", *_ASKED)
        if (unmet := _unmet(asked)) and permission in rules.effective_permissions([permissions], platform=platform)
    ]


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


def application_roles_of(user: Any, application_id: UUID) -> list[tuple[Role, list[str]]]:
    """The same roles for a page that says why: each that the person holds, with what keeps it from counting."""
    held = Role.objects.filter(assignments__user_id=user.pk, kind=RoleKind.APPLICATION)
    rows = held.filter(Q(application=None) | Q(application_id=application_id)).select_related("application")
    return [(role, unmet_of(role, user)) for role in rows.order_by("name", "pk")]


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


def able_owners() -> Subquery:
    """The people for whom Owner counts now, neither disabled nor locked for good, for `pk__in`."""
    owner = Role.objects.filter(kind=RoleKind.CONSOLE, built_in=True, name=rules.OWNER).first()
    rows = RoleAssignment.objects.none() if owner is None else _able_owners(owner)
    return Subquery(rows.values("user_id"))


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
