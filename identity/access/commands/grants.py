"""Writes of object grants: one person, one permission, one object. The rows are guardian's (DECISIONS 9)."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.access import events
from identity.access.commands.people import locked_person
from identity.access.models import ObjectGrant
from identity.access.permission_sync import GRANTABLE
from identity.access.queries import APPLICATION
from identity.audit.record import record
from identity.kernel.actor import Actor
from identity.kernel.errors import Invalid, NotFound
from identity.kernel.permissions import Permission


def _object(kind: str, object_id: UUID) -> Any:
    """The application or organization. Raises NotFound."""
    rows = apps.get_model("identity", kind).objects.filter(pk=object_id)
    if kind == APPLICATION:
        rows = rows.exclude(status="deleted")
    found = rows.first()
    if found is None:
        raise NotFound
    return found


def _checked(permission: str, kind: str) -> Permission:
    allowed = GRANTABLE.get(kind)
    if allowed is None:
        raise Invalid(_("Permissions can be granted on an application or an organization."), field="kind")
    if permission not in allowed:
        raise Invalid(_("This permission can’t be granted on a single object."), field="permission")
    return Permission(permission)


@transaction.atomic
def grant_object(actor: Actor, *, user_id: UUID, permission: str, kind: str, object_id: UUID) -> ObjectGrant:
    """Let a person use one permission on one application or organization. Holding it already is no change.

    Raises PermissionDenied (roles:assign on the realm, and the permission itself there: AC-02), NotFound, Invalid.
    Says grant.added.
    """
    actor.require(Permission.ROLES_ASSIGN)
    checked = _checked(permission, kind)
    actor.require(checked, (kind, object_id))
    person = locked_person(user_id)
    target = _object(kind, object_id)
    held = _held(user_id, checked, kind, object_id)
    if held is not None:
        return held
    grant: ObjectGrant = ObjectGrant.objects.assign_perm(str(checked), person, target)
    record(
        actor,
        events.GrantAdded(
            target_id=user_id,
            subject_id=user_id,
            target_name=person.display_name,
            permission=str(checked),
            object_kind=kind,
            object_id=object_id,
            object_name=str(target),
        ),
    )
    return grant


def _held(user_id: UUID, permission: Permission, kind: str, object_id: UUID) -> ObjectGrant | None:
    return ObjectGrant.objects.filter(
        user_id=user_id,
        permission__codename=str(permission),
        permission__content_type__model=kind,
        content_type__model=kind,
        object_pk=str(object_id),
    ).first()


@transaction.atomic
def revoke_object_grant(actor: Actor, *, user_id: UUID, permission: str, kind: str, object_id: UUID) -> None:
    """Take it back. Raises PermissionDenied, NotFound, Invalid. Says grant.removed; nothing when it was not held."""
    actor.require(Permission.ROLES_ASSIGN)
    checked = _checked(permission, kind)
    actor.require(checked, (kind, object_id))
    person = locked_person(user_id)
    held = _held(user_id, checked, kind, object_id)
    if held is None:
        return
    name = str(held.content_object or "")
    held.delete()
    record(
        actor,
        events.GrantRemoved(
            target_id=user_id,
            subject_id=user_id,
            target_name=person.display_name,
            permission=str(checked),
            object_kind=kind,
            object_id=object_id,
            object_name=name,
        ),
    )


@transaction.atomic
def grant_several(  # house: HR03 grant_object says it
    actor: Actor, *, user_id: UUID, permissions: Iterable[str], kind: str, object_id: UUID
) -> list[ObjectGrant]:
    """Let a person use several permissions on one object: all of them or none. Raises and says as `grant_object`."""
    return [
        grant_object(actor, user_id=user_id, permission=permission, kind=kind, object_id=object_id)
        for permission in sorted(set(permissions))
    ]


@transaction.atomic
def revoke_several(  # house: HR03 revoke_object_grant says it
    actor: Actor, *, user_id: UUID, permissions: Iterable[str], kind: str, object_id: UUID
) -> None:
    """Take several back: all of them or none. Raises and says as `revoke_object_grant`."""
    for permission in sorted(set(permissions)):
        revoke_object_grant(actor, user_id=user_id, permission=permission, kind=kind, object_id=object_id)
