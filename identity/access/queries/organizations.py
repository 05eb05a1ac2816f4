"""Reads of object grants, organizations and their members, for pages."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from identity.access.models import (
    Membership,
    ObjectGrant,
    Organization,
)
from identity.access.permission_sync import GRANTABLE
from identity.access.queries.holding import ORGANIZATION
from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound, PermissionDenied
from identity.kernel.permissions import Permission


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
