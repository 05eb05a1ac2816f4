"""What every command on a person begins with: the row, locked, of somebody that the actor may act on."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.access.queries import is_last_owner, organization_scopes, require_rank
from identity.accounts.models import User
from identity.accounts.queries import visible_users
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, NotFound
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.realms.models import Realm


def locked_user(user_id: UUID) -> User:
    """The person, locked until the transaction ends. Raises NotFound. Who proved himself by a link comes this way."""
    user = for_write(User.objects.filter(pk=user_id)).first()
    if user is None:
        raise NotFound
    return user


def user_for(actor: Actor, *, user_id: UUID, permission: Permission) -> User:
    """The person, locked, if the actor sees him and holds `permission` on him. Raises NotFound, PermissionDenied."""
    if not visible_users(actor).filter(pk=user_id).exists():
        raise NotFound
    user = locked_user(user_id)
    actor.require(permission, *organization_scopes(user.pk))
    return user


def user_for_or_self(actor: Actor, *, user_id: UUID, permission: Permission) -> User:
    """The same, and everybody may act on himself. Raises NotFound, PermissionDenied.

    Also refuses who acts on somebody of higher rank: a help desk that chose an owner's password would be owner (AC-02).
    """
    if actor.is_person and actor.id == user_id and actor.home_realm_id == actor.realm_id:
        return locked_user(user_id)
    user = user_for(actor, user_id=user_id, permission=permission)
    require_rank(actor, user_id=user.pk)
    return user


def refuse_last_owner(user: User) -> None:
    """Raises Conflict for the only person who could still own the realm (AC-08)."""
    if is_last_owner(user.pk):
        raise Conflict(_("This is the realm’s last owner. Make somebody else an owner first."), code="last_owner")


def realm_of(actor: Actor) -> Realm:
    """The realm that the actor acts in. Raises NotFound."""
    realm = Realm.objects.filter(pk=actor.realm_id).first()
    if realm is None:
        raise NotFound
    return realm
