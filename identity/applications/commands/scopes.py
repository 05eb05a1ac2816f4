"""Scopes, and the resource servers (APIs) that own them."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.accounts.queries import mapped_attributes
from identity.applications import events, rules
from identity.applications.models import (
    ResourceServer,
    Scope,
)
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.events import changes_of
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write


@transaction.atomic
def ensure_built_in_scopes(actor: Actor) -> int:
    """The scopes that every realm has; those that exist stay as they are. Returns how many were made.

    Says scope.created for each. Raises PermissionDenied.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    present = set(Scope.objects.filter(built_in=True).values_list("name", flat=True))
    missing = [
        Scope(name=name, title=title, description=description, built_in=True)
        for name, (title, description) in rules.BUILT_IN_SCOPES.items()
        if name not in present
    ]
    Scope.objects.bulk_create(missing)
    for scope in missing:
        record(actor, events.ScopeCreated(target_id=scope.pk, name=scope.name))
    return len(missing)


@transaction.atomic
def create_scope(
    actor: Actor,
    *,
    name: str,
    title: str,
    description: str = "",
    sensitive: bool = False,
    resource_server_id: UUID | None = None,
) -> Scope:
    """A new scope value, of a resource server or of the realm. Raises PermissionDenied, Invalid, NotFound.

    Says scope.created.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    name = rules.checked_scope_name(name)
    if Scope.objects.filter(name=name).exists():
        raise Invalid(_("There is a scope of this name already."), field="name", code="scope_taken")
    server = None
    if resource_server_id is not None:
        server = ResourceServer.objects.filter(pk=resource_server_id).first()
        if server is None:
            raise NotFound
    scope = Scope(
        name=name,
        title=(title.strip() or name)[:200],
        description=description.strip()[:300],
        sensitive=sensitive,
        resource_server=server,
    )
    scope.save(force_insert=True)
    record(actor, events.ScopeCreated(target_id=scope.pk, name=name))
    return scope


@transaction.atomic
def change_scope(
    actor: Actor,
    *,
    scope_id: UUID,
    title: str | None = None,
    description: str | None = None,
    sensitive: bool | None = None,
) -> Scope:
    """Change how a scope is explained to people. Raises PermissionDenied, NotFound. Says scope.changed."""
    actor.require(Permission.APPLICATIONS_WRITE)
    scope = for_write(Scope.objects.filter(pk=scope_id)).first()
    if scope is None:
        raise NotFound
    wanted = {
        name: value
        for name, value in (("title", title), ("description", description), ("sensitive", sensitive))
        if value is not None
    }
    changed = changes_of({name: getattr(scope, name) for name in wanted}, wanted)
    if not changed:
        return scope
    for name, value in wanted.items():
        setattr(scope, name, value)
    scope.save(update_fields=list(wanted))
    record(actor, events.ScopeChanged(target_id=scope.pk, name=scope.name, changes=changed))
    return scope


@transaction.atomic
def delete_scope(actor: Actor, *, scope_id: UUID) -> None:
    """Remove a scope that is not built in and releases no attribute. Raises PermissionDenied, NotFound, Conflict.

    Says scope.deleted.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    scope = for_write(Scope.objects.filter(pk=scope_id)).first()
    if scope is None:
        raise NotFound
    if scope.built_in:
        raise Conflict(_("Built-in scopes stay."), code="built_in")
    _require_unmapped([scope.name])
    event = events.ScopeDeleted(target_id=scope.pk, name=scope.name)
    scope.delete()
    record(actor, event)


@transaction.atomic
def create_resource_server(actor: Actor, *, identifier: str, name: str) -> ResourceServer:
    """An API whose identifier becomes the audience of tokens for it. Raises PermissionDenied, Invalid.

    Says resource_server.created.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    identifier = identifier.strip()
    # RFC 8707, 2: an absolute URI without a fragment
    if len(identifier) > 500 or "#" in identifier or not identifier.startswith(("https://", "http://", "urn:")):
        raise Invalid(_("Use an absolute URI without a fragment, such as https://api.example.com."), field="identifier")
    if ResourceServer.objects.filter(identifier=identifier).exists():
        raise Invalid(_("There is an API with this identifier already."), field="identifier", code="identifier_taken")
    server = ResourceServer(identifier=identifier, name=rules.checked_name(name), created_at=clock.now())
    server.save(force_insert=True)
    record(actor, events.ResourceServerCreated(target_id=server.pk, name=server.name, identifier=identifier))
    return server


@transaction.atomic
def change_resource_server(actor: Actor, *, resource_server_id: UUID, name: str) -> ResourceServer:
    """Rename an API; its identifier stays, since tokens name it. Raises PermissionDenied, NotFound, Invalid.

    Says resource_server.changed.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    server = for_write(ResourceServer.objects.filter(pk=resource_server_id)).first()
    if server is None:
        raise NotFound
    changed = changes_of({"name": server.name}, {"name": rules.checked_name(name)})
    if changed:
        server.name = changed["name"][1]
        server.save(update_fields=["name"])
        record(actor, events.ResourceServerChanged(target_id=server.pk, name=server.name, changes=changed))
    return server


@transaction.atomic
def delete_resource_server(actor: Actor, *, resource_server_id: UUID) -> None:
    """Remove an API with its scopes, if none releases an attribute. Raises PermissionDenied, NotFound, Conflict.

    Says resource_server.deleted.
    """
    actor.require(Permission.APPLICATIONS_WRITE)
    server = for_write(ResourceServer.objects.filter(pk=resource_server_id)).first()
    if server is None:
        raise NotFound
    _require_unmapped([scope.name for scope in server.scopes.all()])
    event = events.ResourceServerDeleted(target_id=server.pk, name=server.name)
    server.delete()
    record(actor, event)


def _require_unmapped(names: Collection[str]) -> None:
    """Else a scope that is made anew under the name would release the attribute, and nobody would have said so.

    Raises Conflict.
    """
    for each in mapped_attributes():
        if each.scope in names:
            raise Conflict(
                _("%(scope)s releases the attribute %(label)s. Release it with another scope first.")
                % {"scope": each.scope, "label": each.label},
                code="scope_releases",
            )
