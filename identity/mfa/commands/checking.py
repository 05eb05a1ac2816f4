"""Using factors: each is counted, checked, used up where it can be used once, and said.

A refusal is recorded in a transaction of its own: nothing is there that could roll back with it (DECISIONS 22).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q

from identity.accounts.commands.fetching import realm_of
from identity.accounts.models import User
from identity.accounts.queries import user_by_id
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import SealBroken
from identity.kernel.errors import NotFound, RateLimited
from identity.kernel.transactions import for_write
from identity.mfa import events, limits, passkeys, queries, rules
from identity.mfa.commands.adding import accepted_step
from identity.mfa.commands.keeping import event_fields, own_user
from identity.mfa.commands.messages import note_arrived
from identity.mfa.errors import WrongCode
from identity.mfa.hashing import recovery_code_hashes
from identity.mfa.models import AuthenticatorDevice, FactorKind
from identity.mfa.passkeys import Assertion
from identity.mfa.sealing import open_secret


class _Refused(Exception):
    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def _say_refused(actor: Actor, user: User, kind: str, reason: str) -> None:
    with transaction.atomic():
        record(actor, events.FactorRefused(**event_fields(user), kind=kind, reason=reason))


def _verify[T](actor: Actor, user_id: UUID, kind: str, check: Callable[[User], T]) -> T:
    """Count, check in one transaction with what it uses up, say. Raises NotFound, RateLimited, WrongCode."""
    user = user_by_id(user_id)
    if user is None or actor.id != user_id or not actor.is_person:
        raise NotFound
    try:
        limits.require_guess(user_id, kind)
    except limits.TooManyGuesses as refused:
        if refused.first:
            _say_refused(actor, user, kind, "too_many_tries")
        raise
    try:
        with transaction.atomic():
            found = check(own_user(actor, user_id))
            record(actor, events.FactorUsed(**event_fields(user), kind=kind))
    except _Refused as refused:
        _say_refused(actor, user, kind, refused.reason)
        raise WrongCode from None
    except WrongCode:
        _say_refused(actor, user, kind, "wrong_code")
        raise
    limits.forgive(user_id, kind)
    return found


def _note_used(authenticator: Authenticator) -> None:
    authenticator.last_used_at = clock.now()
    authenticator.save(update_fields=["last_used_at"])


def verify_totp(actor: Actor, *, user_id: UUID, code: str) -> AuthenticatorDevice:
    """A code of the person's app: of this step or the ones beside it, and once, also in parallel (LG-16).

    Raises NotFound, RateLimited, WrongCode. Says factor.used or factor.refused.
    """

    def check(user: User) -> AuthenticatorDevice:
        device = queries.authenticator_devices(user.pk, FactorKind.TOTP).first()
        if device is None:
            raise _Refused("wrong_code")
        try:
            secret = open_secret(device.authenticator.data["secret"], user_id=user.pk)
        except (SealBroken, KeyError):
            raise _Refused("wrong_code") from None
        step = accepted_step(secret, code)
        if step is None:
            raise _Refused("wrong_code")
        # The database decides who of two was first: only a later step than the last one moves it.
        unused = Q(last_counter=None) | Q(last_counter__lt=step)
        if not AuthenticatorDevice.objects.filter(unused, pk=device.pk).update(last_counter=step):
            raise _Refused("code_reused")
        _note_used(device.authenticator)
        return device

    return _verify(actor, user_id, FactorKind.TOTP, check)


def verify_recovery_code(actor: Actor, *, user_id: UUID, code: str) -> AuthenticatorDevice:
    """One of the saved codes, once, also in parallel (LG-17).

    Raises NotFound, RateLimited, WrongCode. Says factor.used or factor.refused.
    """

    def check(user: User) -> AuthenticatorDevice:
        rows = queries.authenticator_devices(user.pk, FactorKind.RECOVERY_CODES)
        device = for_write(rows).first()
        typed = rules.typed_recovery_code(code)
        if device is None or len(typed) != rules.RECOVERY_LENGTH:
            raise _Refused("wrong_code")
        authenticator = device.authenticator
        wanted = set(recovery_code_hashes(user.pk, typed))
        left = [one for one in authenticator.data["hashes"] if one not in wanted]
        if len(left) == len(authenticator.data["hashes"]):
            raise _Refused("wrong_code")
        authenticator.data["hashes"] = left
        authenticator.last_used_at = clock.now()
        authenticator.save(update_fields=["data", "last_used_at"])
        return device

    return _verify(actor, user_id, FactorKind.RECOVERY_CODES, check)


def verify_message_code(actor: Actor, *, user_id: UUID, factor_id: str, code: str) -> Any:
    """The code that was sent to one of the person's numbers or addresses.

    Raises NotFound, RateLimited (also while the device waits after wrong codes), WrongCode. Says factor.used or
    factor.refused.
    """
    factor = queries.factor_by_id(user_id, factor_id)
    waiting: list[int] = []

    def check(user: User) -> Any:
        device = for_write(queries.message_devices(user.pk)).filter(pk=int(factor.id[1:])).first()
        if device is None:
            raise _Refused("wrong_code")
        allowed, why = device.verify_is_allowed()
        if why is not None and not allowed:
            waiting.append(max(1, int((why["locked_until"] - clock.now()).total_seconds()) + 1))
            return None
        if not device.verify_token(rules.typed_digits(code)):
            return False
        note_arrived(actor, device)
        return device

    found = _verify_committed(actor, user_id, factor.kind, check)
    if waiting:
        raise RateLimited(retry_after=waiting[0])
    return found


def _verify_committed(actor: Actor, user_id: UUID, kind: str, check: Callable[[User], Any]) -> Any:
    """As `_verify`, but a wrong code is written, too: the device counts it."""
    user = user_by_id(user_id)
    if user is None or actor.id != user_id or not actor.is_person:
        raise NotFound
    try:
        limits.require_guess(user_id, kind)
    except limits.TooManyGuesses as refused:
        if refused.first:
            _say_refused(actor, user, kind, "too_many_tries")
        raise
    with transaction.atomic():
        found = check(own_user(actor, user_id))
        if found:
            record(actor, events.FactorUsed(**event_fields(user), kind=kind))
    if found is False:
        _say_refused(actor, user, kind, "wrong_code")
        raise WrongCode
    if found:
        limits.forgive(user_id, kind)
    return found


def _count_up(found: Assertion) -> None:
    """Keep the signature counter; one that goes back is refused: the key may have been copied (WebAuthn, 7.2)."""
    stored = found.device.last_counter
    if not rules.counter_is_fine(stored, found.counter):
        raise _Refused("counter_rollback")
    same = AuthenticatorDevice.objects.filter(pk=found.device.pk, last_counter=stored)
    if not same.update(last_counter=found.counter):
        raise _Refused("counter_rollback")
    _note_used(found.device.authenticator)


def verify_passkey(actor: Actor, *, user_id: UUID, state: dict[str, Any], credential: Mapping[str, Any]) -> Assertion:
    """A passkey or security key of a known person, as second step or to confirm.

    Raises NotFound, RateLimited, WrongCode. Says factor.used or factor.refused.
    """

    def check(user: User) -> Assertion:
        held = list(queries.authenticator_devices(user.pk, FactorKind.PASSKEY))
        found = passkeys.asserted(realm_of(actor), state, credential, held, verified=False)
        _count_up(found)
        return found

    return _verify(actor, user_id, FactorKind.PASSKEY, check)


def verify_sign_in_passkey(
    actor: Actor, *, state: dict[str, Any], credential: Mapping[str, Any]
) -> tuple[User, Assertion]:
    """Who signs in by passkey alone: it proves its person by PIN, finger or face. A challenge serves once.

    Whoever asks has counted it for the network and for nobody (LG-19). Raises WrongCode. Says factor.used or
    factor.refused.
    """
    if not limits.is_first_use(str(state["challenge"]), datetime.fromtimestamp(state["made"], UTC)):
        raise WrongCode
    user = user_by_id(passkeys.user_handle(credential))
    if user is None or not user.is_active:
        raise WrongCode
    try:
        with transaction.atomic():
            held = list(queries.authenticator_devices(user.pk, FactorKind.PASSKEY))
            found = passkeys.asserted(realm_of(actor), state, credential, held, verified=True)
            _count_up(found)
            record(actor, events.FactorUsed(**event_fields(user), kind=FactorKind.PASSKEY))
    except _Refused as refused:
        _say_refused(actor, user, FactorKind.PASSKEY, refused.reason)
        raise WrongCode from None
    except WrongCode:
        _say_refused(actor, user, FactorKind.PASSKEY, "wrong_code")
        raise
    return user, found
