"""Choosing a new password by a code that was sent to the own number: for people who have no address, or prefer it."""

from collections.abc import Callable
from uuid import UUID

from django.db import transaction

from identity.accounts.commands import make_code, spend_code
from identity.accounts.commands.codes import LIFETIME
from identity.accounts.commands.passwords import say_reset_requested
from identity.accounts.models import CodePurpose, User
from identity.accounts.queries import country_of_realm, find_user_by_identifier
from identity.accounts.rules import canonical_id
from identity.courier.commands import note_code_used, queue_message
from identity.courier.models import Channel
from identity.kernel import clock
from identity.kernel.actor import Actor, anonymous_actor
from identity.kernel.errors import Invalid
from identity.kernel.origin import Origin
from identity.mfa.models import FactorKind
from identity.mfa.queries import factors_of
from identity.realms.models import Realm
from identity.signin import limits
from identity.signin.commands.entrance import say_failed
from identity.signin.errors import NotLetIn, Paused
from identity.signin.ways import may_reset_by_phone

RESET_CODE_WISH = "reset_code_wish"
"""The late message that asks for such a code (courier.late); `answer_reset_code_wish` answers it."""


def wish_for_reset_code(  # house: HR03 the worker says what comes of it
    actor: Actor, *, realm: Realm, identifier: str, device: str = "", before: UUID | None = None
) -> UUID:
    """Ask for a code to choose a new password with. The same rows and the same answer for every name (LG-08).

    Returns the code's id, which only this browser gets. before: the code that it waits for; it stays that one where no
    other can be sent, whatever the name. Raises Invalid (codes_off).
    """
    if not may_reset_by_phone(realm):
        raise Invalid(code="codes_off", field="email")
    name = canonical_id(identifier, country_of_realm())
    allowed = limits.may_mail(name, actor.origin.ip, device=device)
    if before is not None and not allowed:
        return before
    with transaction.atomic():
        code, text = make_code(actor, purpose=CodePurpose.RESET, address=name, sent=allowed, alone=False)
        if allowed:
            queue_message(
                realm,
                to=name,
                template=RESET_CODE_WISH,
                context={"identifier": name, "code": text, "ip": actor.origin.ip, "own_device": bool(device)},
                channel=Channel.LATE,
                expires_at=code.expires_at,
            )
    return code.pk


def answer_reset_code_wish(realm: Realm, *, identifier: str, code: str, ip: str = "", own_device: bool = False) -> None:
    """In the worker: text the code to the person's confirmed number; to nobody else.

    Not to somebody whose second step is a code to that number: whoever took the number over would have both steps.
    Says password.reset_requested.
    """
    user = find_user_by_identifier(identifier)
    if user is None or not user.is_active or not may_reset_by_phone(realm) or not may_get_reset_code(user):
        return
    if not limits.may_mail_person(user.pk, ip, own_device=own_device):
        return
    queue_message(
        realm,
        to=user.phone or "",
        template="reset_code",
        context={"code": code, "code_minutes": int(LIFETIME.total_seconds() // 60)},
        user_id=user.pk,
        channel=Channel.SMS,
        language=user.language,
        expires_at=clock.now() + LIFETIME,
        requested_from=ip,
    )
    say_reset_requested(anonymous_actor(realm.pk, origin=Origin(ip=ip)), user)


def may_get_reset_code(user: User) -> bool:  # house: HR03 reads
    """Whether a code to the own number may replace the password: it is proven, and no second step goes to a number."""
    if not user.phone or user.phone_verified_at is None:
        return False
    # Also beside other factors: whoever shows them chooses which.
    return not any(factor.kind == FactorKind.SMS for factor in factors_of(user.pk))


def use_reset_code(
    actor: Actor,
    *,
    realm: Realm,
    identifier: str,
    code_id: UUID,
    text: str,
    device_of: Callable[[User], str] | None = None,
) -> User:
    """The person who was sent these digits: he may choose a new password, and is signed in by nothing of this (LG-07).

    Counted like every other try on the account (RL-07). Raises Paused, NotLetIn. Says signin.failed.
    """
    user = find_user_by_identifier(identifier)
    known = device_of(user) if user is not None and device_of is not None else ""
    attempt = limits.count_attempt(
        limits.account_key(user, identifier),
        actor.origin.ip,
        device=(user.pk, known) if user is not None and known else None,
    )
    if attempt.paused_until is not None:
        if attempt.is_first_refused:
            say_failed(actor, user, identifier, "too_many_tries", None, method="sms_code")
        raise Paused(until=attempt.paused_until, now=clock.now())
    name = canonical_id(identifier, country_of_realm())
    spent = spend_code(actor, code_id=code_id, purpose=CodePurpose.RESET, address=name, text=text)
    if spent is None or user is None or not user.is_active or not may_get_reset_code(user):
        reason = "wrong_code" if spent is None else "unknown_name" if user is None else "disabled"
        say_failed(actor, user, identifier, reason, None, method="sms_code")
        raise NotLetIn(tries_left=attempt.tries_left, pause_minutes=attempt.pause_minutes)
    limits.forgive(attempt)
    note_code_used(realm, to=user.phone or "")
    return user
