"""Passwords: set by admins, changed by the person, chosen anew by a mailed link."""

from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.access.queries import require_rank
from identity.accounts import events
from identity.accounts.addresses import mirror
from identity.accounts.commands.choosing import keep_former, new_password_hash
from identity.accounts.commands.ending import end_what_was_issued
from identity.accounts.commands.fetching import locked_user, realm_of, user_for, user_for_or_self
from identity.accounts.links import reset_tokens
from identity.accounts.mails import mail_confirm_link, mail_password_changed, mail_reset_link
from identity.accounts.models import User
from identity.accounts.password_rules import ChangeReason
from identity.accounts.queries import find_user_by_identifier, user_by_id
from identity.accounts.rules import MAX_REASON, checked_text
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor, anonymous_actor
from identity.kernel.errors import Conflict, NotFound
from identity.kernel.origin import Origin
from identity.kernel.permissions import Permission
from identity.realms.models import Realm


def checked_hash_of(user: User, *, password: str) -> str:
    """The hash of a new password for this person. Raises Invalid (field password), Unavailable."""
    return new_password_hash(password, user=user)


def set_password(actor: Actor, *, user_id: UUID, password: str, how: str = "") -> User:
    """A new password: for oneself (the edge has asked for the old one), or for another person by an admin.

    All other sessions of the person end, and what they issued. Raises NotFound, PermissionDenied (also for a person of
    higher rank), Invalid. Says password.changed.
    """
    seen = user_by_id(user_id)
    if seen is None:
        raise NotFound
    with transaction.atomic():
        user_for_or_self(actor, user_id=user_id, permission=Permission.USERS_WRITE)
    encoded = checked_hash_of(seen, password=password)
    own = actor.id == user_id
    with transaction.atomic():
        user = user_for_or_self(actor, user_id=user_id, permission=Permission.USERS_WRITE)
        how = how or ("by_admin" if not own else "changed" if user.has_usable_password() else "first")
        ended = put_password(actor, user=user, encoded=encoded, except_session_id=actor.session_id if own else None)
        mail_password_changed(realm_of(actor), user)
        _say_changed(actor, user, how, ended)
    return user


def use_reset_link(actor: Actor, *, user_id: UUID, token: str, password: str) -> User:
    """Choose a new password with a mailed link. It works once, also when it is used twice at the same moment.

    All sessions of the person end. Raises NotFound, Conflict (link_used), Invalid. Says password.changed.
    """
    seen = user_by_id(user_id)
    is_open = bool(realm_of(actor).setting("password_sign_in"))
    if seen is None or not is_open or not reset_tokens.check_token(seen, token):
        raise Conflict(_("This link doesn’t work any more."), code="link_used")
    encoded = checked_hash_of(seen, password=password)
    with transaction.atomic():
        user = locked_user(user_id)
        # Asked again under the lock: the first use changed what the token is made of.
        if not reset_tokens.check_token(user, token):
            raise Conflict(_("This link doesn’t work any more."), code="link_used")
        ended = put_password(actor, user=user, encoded=encoded)
        mail_password_changed(realm_of(actor), user)
        _say_changed(actor, user, "reset", ended)
    return user


def answer_password_wish(realm: Realm, *, email: str, ip: str = "", user_agent: str = "", request_id: str = "") -> None:
    """Somebody asked for a link to choose a new password: mail it to the account's verified address, if there is one.

    Run by the worker, so that asking takes as long for a name that nobody has (LG-08). An address that was never
    confirmed gets the link to confirm it: no account is opened through it before (LG-11).
    Says password.reset_requested.
    """
    user = find_user_by_identifier(email)
    if user is None or not user.email or not user.is_active or not realm.setting("password_sign_in"):
        return
    if not user.email_verified:
        mail_confirm_link(realm, user, user.email)
        return
    mail_reset_link(realm, user)
    origin = Origin(ip=ip, user_agent=user_agent)
    say_reset_requested(anonymous_actor(realm.pk, origin=origin, request_id=request_id), user)


def renew_password_hash(*, user_id: UUID, encoded: str) -> None:  # house: HR03 the password stays the same
    """Store the same password's hash with the parameters of today, when the person has just typed it."""
    with transaction.atomic():
        User.objects.filter(pk=user_id).update(password=encoded)


@transaction.atomic
def send_password_reset_link(actor: Actor, *, user_id: UUID) -> None:
    """Mail a person a link to choose a new password, by an admin. Only to the verified address (LG-04).

    Raises NotFound, PermissionDenied, Conflict (no verified address, the account is disabled, or nobody signs in with
    a password here). Says password.reset_requested.
    """
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_WRITE)
    if not realm_of(actor).setting("password_sign_in"):
        raise Conflict(_("People sign in without a password here."), code="passwords_off")
    if not user.email or not user.email_verified:
        raise Conflict(_("There is no verified address that a link could go to."), code="no_verified_email")
    if not user.is_active:
        raise Conflict(_("The account is locked or disabled."), code="not_active")
    mail_reset_link(realm_of(actor), user, by_admin=True)
    say_reset_requested(actor, user)


@transaction.atomic
def require_new_password(
    actor: Actor,
    *,
    user_id: UUID,
    why: ChangeReason = ChangeReason.ADMIN,
    reason: str = "",
    end_sessions: bool = False,
) -> User:
    """Nobody comes in with this account, whichever way, before its password is replaced.

    end_sessions: also what is open now ends. Raises NotFound, PermissionDenied (also for a person of higher rank),
    Conflict (there is no password), Invalid. Says password.change_required.
    """
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_WRITE)
    require_rank(actor, user_id=user.pk)
    if not user.has_usable_password():
        raise Conflict(_("This person has no password."), code="no_password")
    reason = checked_text(reason, field="reason", most=MAX_REASON)
    user.password_change_required = str(why)
    user.save(update_fields=["password_change_required"])
    ended = end_what_was_issued(actor, user=user, reason="password_change_required") if end_sessions else 0
    record(
        actor,
        events.PasswordChangeRequired(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            why=str(why),
            reason=reason,
            sessions_ended=ended,
        ),
    )
    return user


def put_password(actor: Actor, *, user: User, encoded: str, except_session_id: UUID | None = None) -> int:
    """Store a new hash on a locked row and end everything that the old one opened. Returns how many sessions ended."""
    keep_former(user)
    user.password = encoded
    user.password_changed_at = clock.now()
    user.password_change_required = ""
    user.save(update_fields=["password", "password_changed_at", "password_change_required"])
    # A change of address that was asked for under the old password is off, too.
    mirror(user)
    # Nor does a browser stand for the second step any more that the old one was typed into.
    devices = apps.get_model("identity", "Device").objects.filter(user_id=user.pk)
    devices.exclude(trusted_until=None).update(trusted_until=None)
    return end_what_was_issued(actor, user=user, reason="password_changed", except_session_id=except_session_id)


def _say_changed(actor: Actor, user: User, how: str, ended: int) -> None:
    record(
        actor,
        events.PasswordChanged(
            target_id=user.pk, subject_id=user.pk, target_name=user.display_name, how=how, sessions_ended=ended
        ),
    )


def say_reset_requested(actor: Actor, user: User) -> None:
    """A way to choose a new password was sent. Says password.reset_requested."""
    record(
        actor,
        events.PasswordResetRequested(
            target_id=user.pk, subject_id=user.pk, target_name=user.display_name, email=user.email or ""
        ),
    )
