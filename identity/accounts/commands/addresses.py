"""E-mail addresses and other identifiers: changed by admins at once, by the person once the new one is confirmed."""

from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from identity.access.queries import organization_scopes
from identity.accounts import events, rules
from identity.accounts.addresses import keep_pending, mirror, pending_of
from identity.accounts.commands.creation import refuse_taken, taken
from identity.accounts.commands.ending import end_what_was_issued
from identity.accounts.commands.fetching import locked_user, realm_of, user_for_or_self
from identity.accounts.commands.taken_back import keep_taken_back
from identity.accounts.links import AboutAddress
from identity.accounts.mails import (
    mail_change_requested,
    mail_confirm_link,
    mail_email_changed,
    mail_reset_link,
    tell_number_changed,
)
from identity.accounts.models import User
from identity.accounts.queries import country_of_realm, is_taken_back
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, PermissionDenied
from identity.kernel.permissions import Permission
from identity.realms.models import Realm


@transaction.atomic
def change_email(actor: Actor, *, user_id: UUID, email: str, verified: bool = False) -> User:
    """Give a person another address at once, by an admin. The former address is told, and can take it back.

    Nobody does this to himself: see request_email_change. Raises NotFound, PermissionDenied (also for a person of
    higher rank), Invalid (malformed or taken). Says email.changed.
    """
    actor.require(Permission.USERS_WRITE, *organization_scopes(user_id))
    user = user_for_or_self(actor, user_id=user_id, permission=Permission.USERS_WRITE)
    address = rules.normalized_email(email)
    if address == user.email and verified == user.email_verified:
        return user
    refuse_taken({"email": address}, own_id=user.pk)
    _put_email(actor, user, address, verified=verified)
    return user


@transaction.atomic
def request_email_change(actor: Actor, *, user_id: UUID, email: str) -> None:
    """Mail a confirmation link to the address that the person wants and a notice to the present one (LG-11).

    An address that somebody else has is answered alike; nothing is sent to it. The edge asks for the password first.
    Raises PermissionDenied for anybody else, Invalid. Says email.change_requested.
    """
    if actor.id != user_id:
        raise PermissionDenied(permission=Permission.USERS_WRITE)
    user = locked_user(user_id)
    address = rules.normalized_email(email)
    if address == user.email:
        raise Invalid(_("This is your address already."), field="email", code="email_same")
    realm = realm_of(actor)
    keep_pending(user, address)
    if not User.objects.filter(email=address).exists():
        mail_confirm_link(realm, user, address)
    if user.email_verified:
        mail_change_requested(realm, user, address)
    record(
        actor,
        events.EmailChangeRequested(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            email=user.email or "",
            new_email=address,
        ),
    )


@transaction.atomic
def cancel_email_change(actor: Actor, *, user_id: UUID) -> None:
    """The person keeps the present address; the link that was mailed stops working. Says email.change_cancelled.

    Raises PermissionDenied for anybody else.
    """
    if actor.id != user_id:
        raise PermissionDenied(permission=Permission.USERS_WRITE)
    user = locked_user(user_id)
    pending = pending_of(user)
    if pending is None:
        return
    mirror(user)
    record(
        actor,
        events.EmailChangeCancelled(
            target_id=user.pk, subject_id=user.pk, target_name=user.display_name, new_email=pending.email
        ),
    )


@transaction.atomic
def send_confirm_link(actor: Actor, *, user_id: UUID) -> None:  # house: HR03 nothing has changed yet
    """Mail the link to confirm the address that waits for it: the present one, or the one that is to replace it.

    Raises PermissionDenied for anybody else, Conflict when nothing waits.
    """
    if actor.id != user_id:
        raise PermissionDenied(permission=Permission.USERS_WRITE)
    user = locked_user(user_id)
    pending = pending_of(user)
    waiting = pending.email if pending is not None else "" if user.email_verified else user.email
    if not waiting:
        raise Conflict(_("There is no address that waits to be confirmed."), code="nothing_waits")
    if waiting == user.email or not User.objects.filter(email=waiting).exists():
        mail_confirm_link(realm_of(actor), user, waiting)


@transaction.atomic
def confirm_email(actor: Actor, *, user_id: UUID, email: str) -> User:
    """The person opened the link that was mailed to `email`: the present address is verified, or replaced by it.

    The edge has read the link (accounts.links). Raises NotFound, Conflict (link_used, email_taken). Says email.verified
    or email.changed.
    """
    user = locked_user(user_id)
    if user.email == email:
        if not user.email_verified:
            user.email_verified_at = clock.now()
            user.save(update_fields=["email_verified_at"])
            mirror(user)
            record(
                actor,
                events.EmailVerified(target_id=user.pk, subject_id=user.pk, target_name=user.display_name, email=email),
            )
        return user
    pending = pending_of(user)
    if pending is None or pending.email != email:
        # Taken back, replaced by another wish, or void since a new password was set.
        raise Conflict(_("This link doesn’t work any more."), code="link_used")
    try:
        refuse_taken({"email": email}, own_id=user.pk)
    except Invalid as error:
        raise Conflict(error.message, code="email_taken")
    _put_email(actor, user, email, verified=True)
    return user


@transaction.atomic
def revert_email_change(actor: Actor, *, about: AboutAddress) -> User:
    """The owner of the former address takes the change back: whoever made it is thrown out (LG-11).

    Also when it was changed again since: else two changes in a row would leave no way back; the links that those made
    work no more. All sessions end and the password is void; a link to choose a new one goes to the former address. A
    number that was proven lately has to be proven again.
    Raises Conflict, NotFound. Says email.change_reverted.
    """
    user = locked_user(about.user_id)
    refused = user.email or ""
    if refused == about.email or is_taken_back(about, realm_id=actor.realm_id):
        raise Conflict(_("It is as it was already."), code="link_used")
    if User.objects.filter(email=about.email).exclude(pk=user.pk).exists():
        raise Conflict(_("Somebody else has this address now."), code="email_taken")
    now = clock.now()
    user.email, user.email_verified_at = about.email, now
    user.password, user.password_changed_at = make_password(None), now
    user.save(update_fields=["email", "email_verified_at", "password", "password_changed_at"])
    mirror(user)
    if about.issued:
        keep_taken_back(actor, user=user, about=about)
        _doubt_number(realm_of(actor), user)
    ended = end_what_was_issued(actor, user=user, reason="email_change_reverted")
    mail_reset_link(realm_of(actor), user)
    record(
        actor,
        events.EmailChangeReverted(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            email=about.email,
            refused_email=refused,
            sessions_ended=ended,
        ),
    )
    return user


def _doubt_number(realm: Realm, user: User) -> None:
    """A number that was proven in the time of a change that can be taken back may be the stranger's (LG-11).

    It opens nothing until it is proven again, which its owner does in his account; where no other way leads there, it
    stays.
    """
    comes_by_mail = realm.setting("password_sign_in") or realm.setting("email_code_sign_in")
    proven_at = user.phone_verified_at
    if proven_at is not None and proven_at > clock.now() - rules.REVERT_LIFETIME and comes_by_mail:
        user.phone_verified_at = None
        user.save(update_fields=["phone_verified_at"])


@transaction.atomic
def change_identifiers(actor: Actor, *, user_id: UUID, phone: str | None = None, username: str | None = None) -> User:
    """Give a person another phone number or username; empty text takes it away, None leaves it.

    Of another number the former one and the address are told, and can take it back (LG-11). Raises NotFound,
    PermissionDenied, Invalid (malformed, taken, or the last one). Says user.identifiers_changed.
    """
    user = user_for_or_self(actor, user_id=user_id, permission=Permission.USERS_WRITE)
    wanted = {"phone": user.phone, "username": user.username}
    if phone is not None:
        wanted["phone"] = rules.normalized_phone(phone, country_of_realm()) if phone else None
    if username is not None:
        wanted["username"] = rules.normalized_username(username) if username else None
    changed = tuple(field for field, value in wanted.items() if getattr(user, field) != value)
    if not changed:
        return user
    if not (user.email or wanted["phone"] or wanted["username"]):
        raise Invalid(_("One way to find the account has to stay."), field=changed[0], code="no_identifier")
    refuse_taken({field: wanted[field] for field in changed}, own_id=user.pk)
    former, was_proven = user.phone or "", user.phone_verified_at is not None
    for field in changed:
        setattr(user, field, wanted[field])
    if "phone" in changed:
        user.phone_verified_at = None
    try:
        with transaction.atomic():
            user.save(update_fields=[*changed, "phone_verified_at"])
    except IntegrityError:
        raise taken(changed[0])
    if "phone" in changed:
        tell_number_changed(realm_of(actor), user, former=former, was_proven=was_proven, requested_from=actor.origin.ip)
    record(
        actor,
        events.UserIdentifiersChanged(
            target_id=user.pk, subject_id=user.pk, target_name=user.display_name, fields=changed
        ),
    )
    return user


def _put_email(actor: Actor, user: User, email: str, *, verified: bool) -> None:
    former, was_verified = user.email or "", user.email_verified
    user.email = email
    user.email_verified_at = clock.now() if verified else None
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "email_verified_at"])
    except IntegrityError:
        raise taken("email")
    mirror(user)
    if former and former != email and was_verified:
        mail_email_changed(realm_of(actor), user, former)
    record(
        actor,
        events.EmailChanged(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            email=email,
            former_email=former,
            verified=verified,
        ),
    )
