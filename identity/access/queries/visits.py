"""Reads of operators' visits."""

from uuid import UUID

from identity.access.models import (
    OperatorVisit,
)
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.context import current_realm, realm_scope
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.realms.models import PLATFORM_SLUG, Realm


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
