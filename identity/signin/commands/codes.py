"""Signing in with a code that was sent: asked for with any name, checked like a password."""

from collections.abc import Callable
from uuid import UUID

from django.db import transaction

from identity.accounts.commands import make_code, spend_code
from identity.accounts.commands.codes import LIFETIME
from identity.accounts.models import CodePurpose, User
from identity.accounts.queries import country_of_realm, find_user_by_identifier
from identity.accounts.rules import Identifier, canonical_id, kind_of_identifier
from identity.courier.commands import note_code_used, queue_message
from identity.courier.models import Channel
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Invalid
from identity.realms.models import Realm
from identity.signin import limits
from identity.signin.commands.entrance import say_failed
from identity.signin.errors import NotLetIn, Paused
from identity.signin.ways import may_send_codes, method_of

CODE_WISH = "sign_in_code_wish"
"""The late message that asks for a code (courier.late); `answer_code_wish` answers it."""


def wish_for_code(  # house: HR03 coming in says it
    actor: Actor, *, realm: Realm, identifier: str, device: str = "", before: UUID | None = None
) -> UUID:
    """Ask for a code to sign in with. The same rows and the same answer for every name; the worker looks who is meant.

    Returns the code's id, which only this browser gets: knowing the digits alone lets nobody in. device: the person's
    own, of `known_device_of`. before: the code that this browser waits for; it stays that one where no other can be
    sent, whatever the name. Raises Invalid (codes_off).
    """
    if not may_send_codes(realm, identifier):
        raise Invalid(code="codes_off", field="login")
    name = canonical_id(identifier, country_of_realm())
    allowed = limits.may_mail(name, actor.origin.ip, device=device)
    if before is not None and not allowed:
        return before
    with transaction.atomic():
        code, text = make_code(actor, purpose=CodePurpose.SIGN_IN, address=name, sent=allowed, alone=False)
        if allowed:
            queue_message(
                realm,
                to=name,
                template=CODE_WISH,
                context={"identifier": name, "code": text, "ip": actor.origin.ip, "own_device": bool(device)},
                channel=Channel.LATE,
                expires_at=code.expires_at,
            )
    return code.pk


def answer_code_wish(
    realm: Realm, *, identifier: str, code: str, ip: str = "", own_device: bool = False
) -> None:  # house: HR03 coming in says it
    """In the worker: send the code to the person's confirmed address or number; to nobody else (LG-11)."""
    user = find_user_by_identifier(identifier)
    if user is None or not user.is_active:
        return
    by_phone = kind_of_identifier(identifier) == Identifier.PHONE
    to = user.phone if by_phone else user.email
    proven = user.phone_verified_at if by_phone else user.email_verified_at
    if not to or proven is None or not may_send_codes(realm, identifier):
        return
    if not limits.may_mail_person(user.pk, ip, own_device=own_device):
        return
    queue_message(
        realm,
        to=to,
        template="sign_in_code",
        context={"code": code, "code_minutes": int(LIFETIME.total_seconds() // 60), "email": to, "name": user.name},
        user_id=user.pk,
        channel=Channel.SMS if by_phone else Channel.EMAIL,
        language=user.language,
        expires_at=clock.now() + LIFETIME,
        requested_from=ip,
    )


def check_sign_in_code(
    actor: Actor,
    *,
    realm: Realm,
    identifier: str,
    code_id: UUID,
    text: str,
    device_of: Callable[[User], str] | None = None,
    application_id: UUID | None = None,
) -> User:
    """The person of this realm who has the address and was sent these digits, and who may come in.

    Counted on the same counters as a password: a way beside another one gives no tries more (RL-07). Raises Paused,
    NotLetIn. Says signin.failed.
    """
    user = find_user_by_identifier(identifier)
    known = device_of(user) if user is not None and device_of is not None else ""
    name = canonical_id(identifier, country_of_realm())
    attempt = limits.count_attempt(
        limits.account_key(user, identifier),
        actor.origin.ip,
        device=(user.pk, known) if user is not None and known else None,
    )
    method = method_of(identifier)
    if attempt.paused_until is not None:
        if attempt.is_first_refused:
            say_failed(actor, user, identifier, "too_many_tries", application_id, method=method)
        raise Paused(until=attempt.paused_until, now=clock.now())
    spent = spend_code(actor, code_id=code_id, purpose=CodePurpose.SIGN_IN, address=name, text=text)
    # Asked again: the realm may have closed this way while the code was on its way.
    is_open = may_send_codes(realm, identifier)
    if spent is None or user is None or not user.is_active or not _proven(user, identifier) or not is_open:
        reason = "wrong_code" if spent is None else "unknown_name" if user is None else "disabled"
        reason = reason if is_open else "method_off"
        say_failed(actor, user, identifier, reason, application_id, method=method)
        raise NotLetIn(tries_left=attempt.tries_left, pause_minutes=attempt.pause_minutes)
    limits.forgive(attempt)
    if method == "sms_code" and user.phone:
        note_code_used(realm, to=user.phone)
    return user


def _proven(user: User, identifier: str) -> bool:
    by_phone = kind_of_identifier(identifier) == Identifier.PHONE
    return (user.phone_verified_at if by_phone else user.email_verified_at) is not None
