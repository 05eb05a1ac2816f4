"""Confirming once more by a code to the own confirmed address or number, for people who have nothing else."""

from uuid import UUID

from django.db import transaction

from identity.accounts.commands import make_code, spend_code
from identity.accounts.commands.codes import LIFETIME
from identity.accounts.commands.fetching import realm_of
from identity.accounts.models import CodePurpose, User
from identity.accounts.queries import user_by_id
from identity.audit.record import record
from identity.courier.commands import note_code_used, queue_message
from identity.courier.models import Channel
from identity.gate.ratelimits import forget_rate, require_rate
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, NotFound, RateLimited
from identity.mfa.errors import WrongCode
from identity.realms.models import Realm
from identity.signin import events, limits
from identity.signin.commands.entrance import say_failed


def _own(actor: Actor, user_id: UUID) -> User:
    user = user_by_id(user_id)
    if user is None or actor.id != user_id or not actor.is_person:
        raise NotFound
    return user


def _address(user: User, *, by_phone: bool) -> str:
    address, proven = (user.phone, user.phone_verified_at) if by_phone else (user.email, user.email_verified_at)
    if not address or proven is None:
        raise Conflict(code="nothing_confirmed")
    return address


def send_confirm_code(  # house: HR03 confirming says it
    actor: Actor, *, realm: Realm, user_id: UUID, by_phone: bool
) -> UUID:
    """Send a code to the person's own confirmed address or number. Returns its id, which only this browser gets.

    Raises NotFound, Conflict (nothing is confirmed), RateLimited.
    """
    user = _own(actor, user_id)
    address = _address(user, by_phone=by_phone)
    if not limits.may_mail(str(user.pk), actor.origin.ip):
        raise RateLimited(retry_after=600)
    with transaction.atomic():
        code, text = make_code(actor, purpose=CodePurpose.CONFIRM, address=address, user=user)
        queue_message(
            realm,
            to=address,
            template="second_factor_code",
            context={
                "code": text,
                "minutes": int(LIFETIME.total_seconds() // 60),
                "email": address,
            },
            user_id=user.pk,
            channel=Channel.SMS if by_phone else Channel.EMAIL,
            language=user.language,
            expires_at=clock.now() + LIFETIME,
            requested_from=actor.origin.ip,
        )
    return code.pk


def use_confirm_code(actor: Actor, *, user_id: UUID, code_id: UUID, text: str, by_phone: bool) -> None:
    """The code came back. Raises NotFound, Conflict, RateLimited, WrongCode. Says signin.confirmed or signin.failed."""
    user = _own(actor, user_id)
    require_rate(actor, policy="reauthentication")
    address = _address(user, by_phone=by_phone)
    method = "sms_code" if by_phone else "email_code"
    if spend_code(actor, code_id=code_id, purpose=CodePurpose.CONFIRM, address=address, text=text) is None:
        say_failed(actor, user, address, "wrong_code", None, method=method)
        raise WrongCode
    forget_rate(actor, policy="reauthentication")
    with transaction.atomic():
        if by_phone:
            note_code_used(realm_of(actor), to=address)
        record(
            actor,
            events.SignInConfirmed(target_id=user.pk, subject_id=user.pk, target_name=user.display_name),
        )
