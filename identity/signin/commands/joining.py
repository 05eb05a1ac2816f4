"""Sign-up: at once, or after a code has proven the number or address. Whoever asks never learns who has an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from identity.accounts.commands import make_code, sign_up_user, spend_code
from identity.accounts.commands.codes import LIFETIME
from identity.accounts.mails import mail_account_exists, mail_confirm_link, text_account_exists
from identity.accounts.models import CodePurpose, User
from identity.accounts.queries import find_user_by_identifier
from identity.audit.record import record
from identity.courier.commands import note_code_used, queue_message
from identity.courier.models import Channel
from identity.kernel.actor import Actor, ActorKind
from identity.kernel.errors import Invalid
from identity.mfa.commands import add_passkey
from identity.realms.models import Realm
from identity.signin import events, limits
from identity.signin.errors import NotLetIn
from identity.signin.wishes import SignUpWish

OWN_NAMES = ("email_taken", "phone_taken")
"""Refusals that nobody is told: they would say who has an account (LG-23). A username is public, so it is told."""


def send_sign_up_code(  # house: HR03 signing up says it
    actor: Actor, *, realm: Realm, wish: SignUpWish, provider: str = ""
) -> UUID:
    """Send the code that proves the number or address; its owner, if there is one, is told that he has an account.

    The same rows and the same answer either way, and the number of a stranger is asked at most a few times an hour
    (LG-13, LG-23). The owner of another name in the wish is told only once this one is proven: else whoever types
    somebody's address beside his own number would see no code come, and know.

    Where no other code can be sent, the one before stays the one that is waited for.

    The edge counts who asks (limits.require_sign_up), before a password is hashed. provider: the name of the one that
    the person came through.
    """
    allowed = limits.may_mail(wish.address, actor.origin.ip)
    if wish.code_id and not allowed:
        return UUID(wish.code_id)
    owner = find_user_by_identifier(wish.address)
    with transaction.atomic():
        code, text = make_code(actor, purpose=CodePurpose.SIGN_UP, address=wish.address, sent=allowed, alone=False)
        if allowed and owner is not None:
            _tell_owner(actor, realm, owner, by_phone=wish.by_phone, provider=provider)
        elif allowed:
            queue_message(
                realm,
                to=wish.address,
                template="sign_up_code",
                context={
                    "code": text,
                    "code_minutes": int(LIFETIME.total_seconds() // 60),
                    "email": wish.address,
                    "name": "",
                },
                channel=Channel.SMS if wish.by_phone else Channel.EMAIL,
                language=wish.language or None,
                expires_at=code.expires_at,
                requested_from=actor.origin.ip,
            )
    return code.pk


def _tell_owner(actor: Actor, realm: Realm, owner: User, *, by_phone: bool, provider: str) -> None:
    if by_phone:
        text_account_exists(realm, owner, requested_from=actor.origin.ip)
    else:
        mail_account_exists(realm, owner, provider=provider)


def check_sign_up_code(  # house: HR03 signing up says it
    actor: Actor, *, realm: Realm, wish: SignUpWish, text: str
) -> SignUpWish:
    """The wish as a proven one, if these digits are its code. The code is spent. Raises NotLetIn.

    An owner's code went to nobody, so no digits are right for a name that somebody has: it stays the owner's.
    """
    spent = spend_code(actor, code_id=UUID(wish.code_id), purpose=CodePurpose.SIGN_UP, address=wish.address, text=text)
    if spent is None or find_user_by_identifier(wish.address) is not None:
        raise NotLetIn
    if wish.by_phone:
        with transaction.atomic():
            note_code_used(realm, to=wish.phone)
    return wish.now_proven()


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What the browser made, the question that it answered, and what its person calls it."""

    state: dict[str, Any]
    credential: Mapping[str, Any]
    name: str = ""


def sign_up(
    actor: Actor,
    *,
    realm: Realm,
    wish: SignUpWish,
    application_id: UUID | None = None,
    passkey: NewPasskey | None = None,
) -> User | None:
    """Make the account; None when somebody has the address or number: he gets a mail, and whoever asks sees the same.

    Both ways cost the same: the password was hashed before either (LG-23). passkey: instead of a password; account and
    passkey are made together or not at all. Raises WrongCode (the passkey), Conflict (closed), Invalid (a
    taken username, a refused domain, the terms). Says user.created, signup.completed.
    """
    mailable = bool(wish.email) and limits.may_mail(wish.email, actor.origin.ip)
    owner = find_user_by_identifier(wish.email) if wish.email else None
    if owner is None:
        try:
            return _made(actor, realm, wish, mailable=mailable, application_id=application_id, passkey=passkey)
        except Invalid as error:
            if error.reason not in OWN_NAMES:
                raise
            owner = find_user_by_identifier(wish.email) if wish.email and error.field == "email" else None
    if owner is not None and mailable:
        with transaction.atomic():
            mail_account_exists(realm, owner)
    return None


@transaction.atomic
def _made(
    actor: Actor,
    realm: Realm,
    wish: SignUpWish,
    *,
    mailable: bool,
    application_id: UUID | None,
    passkey: NewPasskey | None,
) -> User:
    user = sign_up_user(
        actor,
        email=wish.email,
        phone=wish.phone,
        username=wish.username,
        password_hash=wish.encoded or None,
        name=wish.name,
        language=wish.language or None,
        email_verified=wish.proven and wish.proves == "email",
        phone_verified=wish.proven and wish.by_phone,
        terms_version=wish.terms_version,
        attributes=wish.attributes,
        user_id=UUID(wish.user_id) if wish.user_id else None,
    )
    if mailable and not user.email_verified:
        mail_confirm_link(realm, user, user.email or "", signing_up=True)
    if passkey is not None:
        himself = Actor(
            kind=ActorKind.USER,
            realm_id=actor.realm_id,
            id=user.pk,
            home_realm_id=actor.realm_id,
            origin=actor.origin,
            request_id=actor.request_id,
            name=user.display_name,
        )
        add_passkey(himself, user_id=user.pk, state=passkey.state, credential=passkey.credential, name=passkey.name)
    record(
        actor,
        events.SignUpCompleted(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            email=user.email or "",
            application_id=application_id,
        ),
    )
    return user
