"""Invitations: a single-use link, bound to the address that it went to, to choose a first password."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.access.commands import assign_role
from identity.accounts import events, rules
from identity.accounts.commands.creation import insert_user, profile_fields, taken
from identity.accounts.commands.fetching import locked_user, realm_of, user_for
from identity.accounts.commands.passwords import checked_hash_of, put_password
from identity.accounts.links import INVITATION_PAGE
from identity.accounts.mails import mail_to
from identity.accounts.models import Invitation, User
from identity.accounts.queries import (
    INVITATION_LABEL,
    find_invitation_by_token,
    find_user_by_identifier,
    is_open_invitation,
)
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hash, new_secret
from identity.kernel.errors import Conflict, NotFound
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.realms.mount import realm_url


@transaction.atomic
def invite_user(actor: Actor, *, email: str, name: str = "", role_ids: Iterable[UUID] = ()) -> Invitation:
    """Make an account without a password and mail its owner a link to choose one.

    Somebody who was invited before and never accepted is invited again. Roles are given by `assign_role`, so nobody
    invites somebody to more than he holds. Raises PermissionDenied, Invalid (malformed or taken), NotFound (a role).
    Says user.created, user.invited, role.assigned.
    """
    actor.require(Permission.USERS_INVITE)
    address = rules.normalized_email(email)
    user = find_user_by_identifier(address)
    if user is None:
        fields = profile_fields(name=name, given_name="", family_name="", language=None, time_zone=None)
        user = insert_user(
            actor,
            fields={"email": address, "phone": None, "username": None, **fields},
            encoded=None,
            how="invitation",
        )
    elif user.has_usable_password() or not _was_invited(user):
        raise taken("email")
    for role_id in role_ids:
        assign_role(actor, user_id=user.pk, role_id=role_id)
    return _send(actor, user, again=False)


@transaction.atomic
def resend_invitation(actor: Actor, *, user_id: UUID) -> Invitation:
    """Mail a new link; the earlier one stops working. Says user.invited.

    Raises NotFound, PermissionDenied, Conflict.
    """
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_INVITE)
    if user.has_usable_password() or not _was_invited(user):
        raise Conflict(_("There is no invitation that waits for an answer."), code="not_invited")
    return _send(actor, user, again=True)


@transaction.atomic
def revoke_invitation(actor: Actor, *, user_id: UUID) -> Invitation:
    """The link stops working; the account stays and can be invited again. Raises NotFound, PermissionDenied, Conflict.

    Says invitation.revoked.
    """
    user = user_for(actor, user_id=user_id, permission=Permission.USERS_INVITE)
    waiting = for_write(Invitation.objects.filter(user=user, accepted_at=None, revoked_at=None)).order_by("-id")
    invitation = waiting.first()
    if invitation is None:
        raise Conflict(_("There is no invitation that waits for an answer."), code="not_invited")
    _close(user)
    invitation.revoked_at = clock.now()
    record(
        actor,
        events.InvitationRevoked(
            target_id=user.pk, subject_id=user.pk, target_name=user.display_name, invitation_id=invitation.pk
        ),
    )
    return invitation


def accept_invitation(actor: Actor, *, token: str, password: str = "", name: str = "") -> User:
    """Choose a first password with the link; none where nobody signs in with one, which drops what is given.

    It works once, also when it is used twice at the same moment.

    The address is thereby verified. Raises NotFound (unknown, used, withdrawn, expired, of another realm, or the
    account has another address by now), Invalid. Says invitation.accepted.
    """
    invitation = find_invitation_by_token(token)
    if invitation is None or not is_open_invitation(invitation):
        raise NotFound
    with_password = bool(realm_of(actor).setting("password_sign_in"))
    encoded = checked_hash_of(invitation.user, password=password) if with_password else ""
    now = clock.now()
    with transaction.atomic():
        user = locked_user(invitation.user_id)
        won = Invitation.objects.filter(
            pk=invitation.pk, email=user.email, accepted_at=None, revoked_at=None, expires_at__gt=now
        ).update(accepted_at=now)
        if not won or not user.is_active:
            raise NotFound
        if name:
            user.name = rules.checked_text(name, field="name", most=rules.MAX_NAME)
        user.email_verified_at = now
        user.save(update_fields=["name", "email_verified_at"])
        if encoded:
            put_password(actor, user=user, encoded=encoded)
        _close(user)
        record(
            actor,
            events.InvitationAccepted(
                target_id=user.pk,
                subject_id=user.pk,
                target_name=user.display_name,
                invitation_id=invitation.pk,
                email=user.email or "",
            ),
        )
    return user


def _was_invited(user: User) -> bool:
    return Invitation.objects.filter(user=user).exists()


def _close(user: User) -> None:
    Invitation.objects.filter(user=user, accepted_at=None, revoked_at=None).update(revoked_at=clock.now())


def _send(actor: Actor, user: User, *, again: bool) -> Invitation:
    _close(user)
    token, now = new_secret(), clock.now()
    invitation = Invitation(
        realm_id=actor.realm_id,
        user=user,
        email=user.email or "",
        token_hash=keyed_hash(INVITATION_LABEL, actor.realm_id, token),
        invited_by=actor.id,
        created_at=now,
        expires_at=now + rules.INVITATION_LIFETIME,
    )
    invitation.save(force_insert=True)
    realm = realm_of(actor)
    mail_to(
        realm,
        user,
        "invitation",
        {
            "url": realm_url(realm, INVITATION_PAGE, token=token),
            "inviter": actor.name if actor.is_person else "",
            "days": rules.INVITATION_LIFETIME.days,
        },
        expires_at=invitation.expires_at,
    )
    record(
        actor,
        events.UserInvited(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            invitation_id=invitation.pk,
            email=user.email or "",
            again=again,
        ),
    )
    return invitation
