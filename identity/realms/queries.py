"""Reads of realms. Realms are the walls, so most callers get theirs from the mount instead."""

from uuid import UUID

from django.db.models import QuerySet

from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.realms.models import PLATFORM_SLUG, Realm


def get_realm(slug: str) -> Realm:
    """The realm with this slug, in whatever state. Raises NotFound. For commands of the system and of operators."""
    realm = Realm.objects.filter(slug=slug).first()
    if realm is None:
        raise NotFound
    return realm


def platform_realm() -> Realm | None:
    """The realm of the operators, or None before it was made."""
    return Realm.objects.filter(slug=PLATFORM_SLUG).first()


def get_realm_as_operator(actor: Actor, *, realm_id: UUID) -> Realm:
    """Any realm, for an operator in `platform`. Raises NotFound, PermissionDenied."""
    actor.require(Permission.REALMS_READ)
    realm = Realm.objects.filter(pk=realm_id).first()
    if realm is None:
        raise NotFound
    return realm


def list_realms(actor: Actor, *, search: str = "", status: str = "") -> QuerySet[Realm]:
    """All realms, newest first, for an operator. Raises PermissionDenied."""
    actor.require(Permission.REALMS_READ)
    rows = Realm.objects.filter(purged_at=None).order_by("-id")
    if status:
        rows = rows.filter(status=status)
    if search:
        rows = rows.filter(name__icontains=search) | rows.filter(slug__icontains=search)
    return rows
