"""Writes of saved views: the filters of the console's lists that people keep under a name."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from identity.accounts import events, rules
from identity.accounts.commands.fetching import locked_user
from identity.accounts.models import SavedView
from identity.accounts.queries import saved_views
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.events import changes_of
from identity.kernel.permissions import Permission


def _owner_id(actor: Actor) -> UUID:
    """The acting person of this realm, locked: his views are counted, and only one is the default. Raises NotFound."""
    if not actor.is_person or actor.id is None or actor.home_realm_id != actor.realm_id:
        raise PermissionDenied(permission=Permission.CONSOLE_OPEN)
    if not actor.can_somewhere(Permission.CONSOLE_OPEN):
        raise PermissionDenied(permission=Permission.CONSOLE_OPEN)
    return locked_user(actor.id).pk


def _only_default(view: SavedView) -> None:
    others = SavedView.objects.filter(owner_id=view.owner_id, area=view.area, is_default=True)
    others.exclude(pk=view.pk).update(is_default=False)


def _stored(view: SavedView, *, insert: bool = False) -> None:
    try:
        with transaction.atomic():
            view.save(force_insert=insert)
    except IntegrityError:
        raise Invalid(_("You have a view of this name already."), field="name", code="name_taken") from None


def _about(view: SavedView) -> dict[str, Any]:
    return {
        "target_id": view.pk,
        "subject_id": view.owner_id,
        "target_name": view.name,
        "area": view.area,
        "name": view.name,
    }


@transaction.atomic
def save_view(
    actor: Actor, *, area: str, name: str, query: str, shared: bool = False, is_default: bool = False
) -> SavedView:
    """Keep the filters of a list under a name, for oneself, or for everybody who opens the console.

    Raises PermissionDenied (shared: settings:write), Invalid (area, name, query), Conflict (50 of one's own already).
    Says view.saved.
    """
    owner_id = _owner_id(actor)
    if shared:
        actor.require(Permission.SETTINGS_WRITE)
    if SavedView.objects.filter(owner_id=owner_id).count() >= rules.MOST_VIEWS:
        raise Conflict(_("You keep 50 views already. Delete one first."), code="too_many_views")
    view = SavedView(
        owner_id=owner_id,
        area=rules.checked_area(area),
        name=rules.checked_view_name(name),
        query=rules.checked_query(query),
        shared=shared,
        is_default=is_default,
        created_at=clock.now(),
    )
    if is_default:
        _only_default(view)
    _stored(view, insert=True)
    record(actor, events.ViewSaved(**_about(view), shared=shared))
    return view


def _writable(actor: Actor, view_id: UUID) -> SavedView:
    """One's own view, or a shared one for who may change settings. Raises NotFound, PermissionDenied."""
    owner_id = _owner_id(actor)
    view = saved_views(actor).filter(pk=view_id).first()
    if view is None:
        raise NotFound
    if view.owner_id != owner_id or view.shared:
        actor.require(Permission.SETTINGS_WRITE)
    return view


@transaction.atomic
def change_view(
    actor: Actor, *, view_id: UUID, name: str | None = None, shared: bool | None = None, is_default: bool | None = None
) -> SavedView:
    """Another name, shared or not, opened first or not; what is None stays. Its list and filters never change.

    Raises NotFound, PermissionDenied (shared: settings:write; only one's own view is opened first), Invalid.
    Says view.changed; nothing for no change.
    """
    if name is None and shared is None and is_default is not None:
        view = saved_views(actor).filter(pk=view_id, owner_id=_owner_id(actor)).first()
        if view is None:
            raise NotFound
    else:
        view = _writable(actor, view_id)
    if shared is not None and shared != view.shared:
        actor.require(Permission.SETTINGS_WRITE)
    before = {"name": view.name, "shared": view.shared, "is_default": view.is_default}
    if name is not None:
        view.name = rules.checked_view_name(name)
    if shared is not None:
        view.shared = shared
    if is_default is not None and view.owner_id == actor.id:
        view.is_default = is_default
        if is_default:
            _only_default(view)
    changes = changes_of(before, {"name": view.name, "shared": view.shared, "is_default": view.is_default})
    if changes:
        _stored(view)
        # The name may be a person's: it is sealed, so it does not stand in the open changes.
        open_changes = {field: pair for field, pair in changes.items() if field != "name"}
        record(actor, events.ViewChanged(**_about(view), changes=open_changes))
    return view


@transaction.atomic
def delete_view(actor: Actor, *, view_id: UUID) -> SavedView:
    """Forget a view. Raises NotFound, PermissionDenied (shared: settings:write). Says view.deleted."""
    view = _writable(actor, view_id)
    gone = view.pk
    view.delete()
    view.pk = gone
    record(actor, events.ViewDeleted(**_about(view), shared=view.shared))
    return view
