"""Who acts, in which realm, by what session, from where. Built once at an edge by `gate`, passed down, asked here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from identity.kernel.errors import PermissionDenied
from identity.kernel.origin import NOWHERE, Origin
from identity.kernel.permissions import Permission


class ActorKind(StrEnum):
    """What an actor is. An operator is a person of the realm `platform` while his visit to this realm is open."""

    USER = "user"
    OPERATOR = "operator"
    APPLICATION = "application"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


Scope = tuple[str, UUID]
"""An object that permissions can be granted on: ("application", id) or ("organization", id)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The authority of one request, socket or job.

    realm_id: the realm he acts in. home_realm_id: the realm that his account belongs to (differs for operators).
    permissions: what he holds on the whole realm. object_permissions: what he holds on single objects.
    name, email: as they are now, for the event's sealed part. provisioning: he furnishes something that is being made
    at this moment (a realm's built-in roles): audited each, but the feed shows the making alone.
    """

    kind: ActorKind
    realm_id: UUID
    id: UUID | None = None
    home_realm_id: UUID | None = None
    session_id: UUID | None = None
    visit_id: UUID | None = None
    permissions: frozenset[Permission] = frozenset()
    object_permissions: frozenset[tuple[Permission, str, UUID]] = frozenset()
    origin: Origin = NOWHERE
    request_id: str = ""
    name: str = ""
    email: str = field(default="", repr=False)
    provisioning: bool = False

    @property
    def is_person(self) -> bool:
        """Whether a signed-in human acts, of this realm or visiting it."""
        return self.kind in (ActorKind.USER, ActorKind.OPERATOR)

    def can(self, permission: Permission, *scopes: Scope) -> bool:
        """Whether he holds `permission` on the realm or on one of the named objects. The system holds everything."""
        if self.kind is ActorKind.SYSTEM or permission in self.permissions:
            return True
        return any((permission, kind, pk) in self.object_permissions for kind, pk in scopes)

    def can_somewhere(self, permission: Permission) -> bool:
        """Whether he holds `permission` on the realm or on any object: what decides if a page is shown at all."""
        return self.can(permission) or any(held == permission for held, _, _ in self.object_permissions)

    def scopes_of(self, permission: Permission, kind: str) -> frozenset[UUID] | None:
        """The objects of `kind` that he holds `permission` on; None means all of the realm."""
        if self.can(permission):
            return None
        return frozenset(pk for held, of, pk in self.object_permissions if held == permission and of == kind)

    def require(self, permission: Permission, *scopes: Scope) -> None:
        """Raises PermissionDenied, naming the permission, unless he holds it on the realm or one of `scopes`."""
        if not self.can(permission, *scopes):
            raise PermissionDenied(permission=permission)

    def holds_all(self, permissions: Iterable[Permission]) -> bool:
        """Whether he could be granting only what he holds himself on the whole realm (AC-02)."""
        return all(self.can(permission) for permission in permissions)


def system_actor(realm_id: UUID, *, request_id: str = "", provisioning: bool = False) -> Actor:
    """The actor of migrations, realm files, periodic work and reactions: holds everything in this realm."""
    return Actor(
        kind=ActorKind.SYSTEM, realm_id=realm_id, request_id=request_id, name="Realmkeep", provisioning=provisioning
    )


def anonymous_actor(realm_id: UUID, *, origin: Origin = NOWHERE, request_id: str = "") -> Actor:
    """Nobody known yet: sign-in, sign-up and recovery before they succeed. Holds nothing."""
    return Actor(kind=ActorKind.ANONYMOUS, realm_id=realm_id, origin=origin, request_id=request_id)
