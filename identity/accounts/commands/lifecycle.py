"""Taking access away and giving it back: disable, lock, delete. Sessions and refresh families end with it at once."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.access.queries import require_rank
from identity.accounts import events, rules
from identity.accounts.commands.ending import end_what_was_issued
from identity.accounts.commands.fetching import refuse_last_owner, user_for
from identity.accounts.models import User, UserStatus
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict
from identity.kernel.permissions import Permission

_STATE = ["status", "status_changed_at", "status_by", "locked_until", "held_until"]


def _move(actor: Actor, user: User, status: UserStatus) -> None:
    user.status = status
    user.status_changed_at = clock.now()
    user.status_by = actor.id
    if status != UserStatus.LOCKED:
        user.locked_until = None
    user.save(update_fields=_STATE)


def _refuse_self(actor: Actor, user: User) -> None:
    if actor.is_person and actor.id == user.pk:
        raise Conflict(_("You can’t do this to your own account."), code="own_account")


def _require_own_lock(actor: Actor, user: User) -> None:
    """Of a person of higher rank one ends or shortens one's own lock alone: another one contains him (AC-02)."""
    if actor.id is None or user.status_by != actor.id:
        require_rank(actor, user_id=user.pk)


@transaction.atomic
def disable_user(actor: Actor, *, user_id: UUID, reason: str = "") -> User:
    """The person can't sign in until enabled; sessions and tokens stop at once.

    Raises NotFound, PermissionDenied (also for a person of higher rank, whom only a lock contains), Conflict (the last
    owner, oneself, disabled already, not approved yet). Says user.disabled.
    """
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_DISABLE)
    _refuse_self(actor, user)
    require_rank(actor, user_id=user.pk)
    # Who waits for approval is refused instead: enabling him again would let him in without it.
    if user.status in (UserStatus.DISABLED, UserStatus.PENDING):
        raise Conflict
    refuse_last_owner(user)
    reason = rules.checked_text(reason, field="reason", most=rules.MAX_REASON)
    _move(actor, user, UserStatus.DISABLED)
    ended = end_what_was_issued(actor, user=user, reason="user_disabled")
    record(
        actor,
        events.UserDisabled(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            reason=reason,
            sessions_ended=ended,
        ),
    )
    return user


@transaction.atomic
def enable_user(actor: Actor, *, user_id: UUID) -> User:
    """A disabled person can sign in again, with all his roles. Says user.enabled.

    Raises NotFound, PermissionDenied (also for a person of higher rank: nobody gives back what he doesn't hold),
    Conflict.
    """
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_DISABLE)
    require_rank(actor, user_id=user.pk)
    if user.status != UserStatus.DISABLED:
        raise Conflict
    _move(actor, user, UserStatus.ACTIVE)
    record(
        actor,
        events.UserEnabled(target_id=user.pk, subject_id=user.pk, target_name=user.display_name),
    )
    return user


@transaction.atomic
def lock_user(actor: Actor, *, user_id: UUID, minutes: int | None = None, reason: str = "") -> User:
    """Like disabling, but it ends by itself after `minutes` (None: only by unlocking). A lock replaces a lock.

    Raises NotFound, PermissionDenied, Conflict (the last owner, oneself, disabled, not approved yet), Invalid. Says
    user.locked.
    """
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_DISABLE)
    _refuse_self(actor, user)
    # A lock ends by itself: somebody who waits for approval would be let in by its end.
    if user.status in (UserStatus.DISABLED, UserStatus.PENDING):
        raise Conflict
    if user.status == UserStatus.LOCKED:
        _require_own_lock(actor, user)
    refuse_last_owner(user)
    reason = rules.checked_text(reason, field="reason", most=rules.MAX_REASON)
    user.locked_until = rules.lock_end(clock.now(), minutes)
    _move(actor, user, UserStatus.LOCKED)
    ended = end_what_was_issued(actor, user=user, reason="user_locked")
    record(
        actor,
        events.UserLocked(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            minutes=minutes,
            reason=reason,
            sessions_ended=ended,
        ),
    )
    return user


@transaction.atomic
def unlock_user(actor: Actor, *, user_id: UUID) -> User:
    """End a lock before its time. Says user.unlocked.

    Raises NotFound, PermissionDenied (also for a person of higher rank whom somebody else locked), Conflict.
    """
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_DISABLE)
    if user.status != UserStatus.LOCKED:
        raise Conflict
    _require_own_lock(actor, user)
    _move(actor, user, UserStatus.ACTIVE)
    record(
        actor,
        events.UserUnlocked(target_id=user.pk, subject_id=user.pk, target_name=user.display_name),
    )
    return user


@transaction.atomic
def delete_user(actor: Actor, *, user_id: UUID) -> None:
    """Delete the account with all that belongs to it. It can't be undone; `disable_user` can.

    Raises NotFound, PermissionDenied (users:write and users:disable are needed, and no lower rank than the person's),
    Conflict (the last owner, oneself). Says user.deleted.
    """
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_WRITE)
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_DISABLE)
    _refuse_self(actor, user)
    require_rank(actor, user_id=user.pk)
    refuse_last_owner(user)
    ended = end_what_was_issued(actor, user=user, reason="user_deleted")
    record(
        actor,
        events.UserDeleted(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            email=user.email or "",
            sessions_ended=ended,
        ),
    )
    user.delete()
