"""People who made an account and wait for an admin: let in, or refused. Either way they are told."""

from uuid import UUID

from django.db import transaction

from identity.accounts import events, rules
from identity.accounts.commands.ending import end_what_was_issued
from identity.accounts.commands.fetching import realm_of, user_for
from identity.accounts.mails import tell
from identity.accounts.models import User, UserStatus
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict
from identity.kernel.permissions import Permission
from identity.realms.mount import realm_url


def _waiting(actor: Actor, user_id: UUID) -> User:
    """Raises NotFound, PermissionDenied, Conflict (nobody who waits; decided meanwhile)."""
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_INVITE)
    if user.status != UserStatus.PENDING:
        raise Conflict
    return user


@transaction.atomic
def approve_user(actor: Actor, *, user_id: UUID) -> User:
    """From now on the person may sign in; what the realm wants confirmed is still asked. A message says so.

    Who may invite people may let them in. Raises NotFound, PermissionDenied, Conflict. Says user.approved.
    """
    user = _waiting(actor, user_id)
    user.status, user.status_changed_at, user.status_by = UserStatus.ACTIVE, clock.now(), actor.id
    user.save(update_fields=["status", "status_changed_at", "status_by"])
    realm = realm_of(actor)
    tell(realm, user, "account_approved", {"url": realm_url(realm, "account_login")})
    record(actor, events.UserApproved(target_id=user.pk, subject_id=user.pk, target_name=user.display_name))
    return user


@transaction.atomic
def refuse_user(actor: Actor, *, user_id: UUID, reason: str = "") -> None:
    """The account that waits is deleted, so its address and number are free again. The person is told, not why.

    Only an address or number that was proven gets that message: nobody makes us write to strangers. Raises NotFound,
    PermissionDenied, Conflict, Invalid (reason). Says user.refused.
    """
    user = _waiting(actor, user_id)
    reason = rules.checked_text(reason, field="reason", most=rules.MAX_REASON)
    end_what_was_issued(actor, user=user, reason="user_refused")
    tell(realm_of(actor), user, "account_refused", {}, proven_only=True)
    record(
        actor,
        events.UserRefused(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            reason=reason,
            email=user.email or "",
        ),
    )
    user.delete()
