"""The person's own number: another one once it is proven, none, and the way back for who did not want that (LG-11)."""

from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from identity.accounts import events
from identity.accounts.addresses import mirror
from identity.accounts.commands import confirm_phone, keep_taken_back, make_code, spend_code
from identity.accounts.commands.codes import LIFETIME
from identity.accounts.commands.ending import end_what_was_issued
from identity.accounts.commands.fetching import locked_user
from identity.accounts.links import AboutNumber
from identity.accounts.mails import mail_reset_link, tell_number_changed
from identity.accounts.models import CodePurpose, OneTimeCode, User
from identity.accounts.queries import country_of_realm, is_taken_back
from identity.accounts.rules import normalized_phone
from identity.audit.record import record
from identity.courier.commands import note_code_used, queue_message
from identity.courier.models import Channel
from identity.gate.ratelimits import forget_rate, require_rate
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.permissions import Permission
from identity.mfa.errors import LastFactor, WrongCode
from identity.realms.models import Realm
from identity.signin import limits
from identity.signin.commands.recovery import may_get_reset_code
from identity.signin.queries import may_have_number, owners_with_a_way_in, policy_of, way_in
from identity.signin.ways import may_reset_by_phone


def _himself(actor: Actor, user_id: UUID) -> User:
    """Nobody does this for somebody else. Raises PermissionDenied, NotFound."""
    if actor.id != user_id or not actor.is_person or actor.home_realm_id != actor.realm_id:
        raise PermissionDenied(permission=Permission.USERS_WRITE)
    return locked_user(user_id)


def _is_taken(number: str, user: User) -> bool:
    return User.objects.filter(phone=number).exclude(pk=user.pk).exists()


def _text_code(actor: Actor, realm: Realm, user: User, to: str, *, template: str, code: OneTimeCode, text: str) -> None:
    queue_message(
        realm,
        to=to,
        template=template,
        context={"code": text, "code_minutes": int(LIFETIME.total_seconds() // 60)},
        user_id=user.pk,
        channel=Channel.SMS,
        language=user.language,
        expires_at=code.expires_at,
        requested_from=actor.origin.ip,
    )


def send_number_code(  # house: HR03 phone.verified says it, once the code came back
    actor: Actor, *, realm: Realm, user: User, before: UUID | None = None
) -> UUID:
    """Send a code to the number that the person owes the realm a proof of, in the middle of a sign-in.

    before: the code that the browser waits for. Over a limit none is sent: then that one stays, and without one none is
    right. Returns the id of the one to wait for.
    """
    number = user.phone or ""
    allowed = limits.may_mail(number, actor.origin.ip)
    if before is not None and not allowed:
        return before
    with transaction.atomic():
        code, text = make_code(actor, purpose=CodePurpose.VERIFY, address=number, user=user, sent=allowed)
        if allowed:
            _text_code(actor, realm, user, number, template="sign_in_code", code=code, text=text)
    return code.pk


def request_phone_change(
    actor: Actor, *, realm: Realm, user_id: UUID, phone: str, before: UUID | None = None
) -> tuple[str, UUID]:
    """Text a code to the number that the person wants; nothing changes before it comes back. The edge asks who he is.

    One that somebody else has is answered alike, and nothing is sent to it (LG-23). Counted for the person as well as
    for the number: nobody has the realm text to many (LG-13). before: the code to this number that the browser waits
    for; it stays that one where no other can be sent. Returns the number's one spelling (LG-14) and the code's id,
    which only this browser gets. Raises PermissionDenied, NotFound (people here have no numbers), Invalid, RateLimited.
    Says phone.change_requested, if another code was made.
    """
    number = normalized_phone(phone, country_of_realm())
    require_rate(actor, policy="number_change")
    allowed = limits.may_mail(number, actor.origin.ip)
    with transaction.atomic():
        user = _himself(actor, user_id)
        if not may_have_number(realm, user):
            raise NotFound
        if number == user.phone and user.phone_verified_at is not None:
            raise Invalid(_("This is your number already."), field="phone", code="phone_same")
        if before is not None and not allowed:
            return number, before
        sent = allowed and not _is_taken(number, user)
        code, text = make_code(
            actor, purpose=CodePurpose.VERIFY, address=number, user=user, sent=sent, alone=number == user.phone
        )
        if sent:
            _text_code(actor, realm, user, number, template="phone_code", code=code, text=text)
        record(
            actor,
            events.PhoneChangeRequested(
                target_id=user.pk,
                subject_id=user.pk,
                target_name=user.display_name,
                phone=user.phone or "",
                new_phone=number,
            ),
        )
    return number, code.pk


def confirm_phone_change(actor: Actor, *, realm: Realm, user_id: UUID, phone: str, code_id: UUID, text: str) -> User:
    """The code came back: the number is the person's and proven. The former one, and his address, are told.

    Guesses are counted for the person, since each wish makes another code (RL-07); apart from those at his password,
    which nobody gets more of by proving a number of his own. Codes of a second step that go to a number of their own
    stay with that. Raises PermissionDenied, WrongCode, RateLimited, Conflict (phone_taken). Says phone.changed, or
    phone.verified for the number that he had.
    """
    require_rate(actor, policy="number_code")
    spent = spend_code(actor, code_id=code_id, purpose=CodePurpose.VERIFY, address=phone, text=text)
    if spent is None or spent.user_id != user_id:
        raise WrongCode
    forget_rate(actor, policy="number_code")
    with transaction.atomic():
        user = _himself(actor, user_id)
        note_code_used(realm, to=phone)
        if user.phone == phone:
            return confirm_phone(actor, user_id=user.pk, phone=phone)
        former, was_proven = user.phone or "", user.phone_verified_at is not None
        user.phone, user.phone_verified_at = phone, clock.now()
        _save(user)
        tell_number_changed(realm, user, former=former, was_proven=was_proven, requested_from=actor.origin.ip)
        record(
            actor,
            events.PhoneChanged(
                target_id=user.pk,
                subject_id=user.pk,
                target_name=user.display_name,
                phone=phone,
                former_phone=former,
                former_proven=was_proven,
            ),
        )
    return user


def _save(user: User) -> None:
    try:
        with transaction.atomic():
            user.save(update_fields=["phone", "phone_verified_at"])
    except IntegrityError:
        raise Conflict(_("Somebody else has this number now."), code="phone_taken")


@transaction.atomic
def remove_phone(actor: Actor, *, realm: Realm, user_id: UUID) -> User:
    """The account has no number any more. The number, and the person's address, are told.

    Raises PermissionDenied, Conflict (nothing to remove, or the realm asks everybody for one), LastFactor (the last
    name, the last way in, or what the last owner is owner by). Says phone.removed.
    """
    user = _himself(actor, user_id)
    if not user.phone:
        raise Conflict(_("There is no number."), code="no_phone")
    if "phone" in realm.setting("sign_up_identifiers"):
        raise Conflict(_("Everybody has a number here. You can change yours."), code="phone_required")
    if not (user.email or user.username):
        raise LastFactor(_("This is how your account is found. Add an email address first."))
    policy = policy_of(realm)
    was_owned = owners_with_a_way_in(policy).exists()
    former, was_proven = user.phone, user.phone_verified_at is not None
    user.phone = user.phone_verified_at = None
    _save(user)
    # Asked of what would be left: the refusal takes it back.
    if not User.objects.filter(way_in(policy), pk=user.pk).exists():
        raise LastFactor(_("This is your last way to sign in. Set a password or add a passkey first."))
    if was_owned and not owners_with_a_way_in(policy).exists():
        raise LastFactor(_("Without it nobody could own this realm. You can change it."))
    tell_number_changed(realm, user, former=former, was_proven=was_proven, requested_from=actor.origin.ip)
    record(
        actor,
        events.PhoneRemoved(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            former_phone=former,
            former_proven=was_proven,
        ),
    )
    return user


@transaction.atomic
def revert_phone_change(actor: Actor, *, realm: Realm, about: AboutNumber) -> User:
    """Who was told of a change takes it back: whoever made it is thrown out (LG-11).

    Also when it was changed again since: else two changes in a row would leave no way back; the links that those made
    work no more. All sessions end, and the password is void wherever its owner can choose a new one: by a link to the
    confirmed address, or a code to the number that is back. Raises Conflict, NotFound. Says phone.change_reverted.
    """
    user = locked_user(about.user_id)
    refused = user.phone or ""
    if refused == about.phone or is_taken_back(about, realm_id=actor.realm_id):
        raise Conflict(_("It is as it was already."), code="link_used")
    if about.phone and _is_taken(about.phone, user):
        raise Conflict(_("Somebody else has this number now."), code="phone_taken")
    now = clock.now()
    user.phone, user.phone_verified_at = about.phone or None, now if about.phone else None
    _save(user)
    by_mail = bool(realm.setting("password_sign_in")) and user.email_verified
    had_password = user.has_usable_password()
    voided = had_password and (by_mail or (may_reset_by_phone(realm) and may_get_reset_code(user)))
    if voided or not had_password:
        # Also another nothing instead of the former: a sign-in that waits for its next step is bound to that.
        user.password, user.password_changed_at = make_password(None), now
        user.save(update_fields=["password", "password_changed_at"])
    # A change of address that waits is off, too.
    mirror(user)
    keep_taken_back(actor, user=user, about=about)
    ended = end_what_was_issued(actor, user=user, reason="phone_change_reverted")
    if voided and by_mail:
        mail_reset_link(realm, user)
    record(
        actor,
        events.PhoneChangeReverted(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            phone=about.phone,
            refused_phone=refused,
            password=voided,
            sessions_ended=ended,
        ),
    )
    return user
