"""Codes to a number or an address: django-otp's devices, with the code as a keyed hash and courier to send it."""

import secrets
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.accounts.commands.fetching import realm_of
from identity.accounts.models import User
from identity.accounts.queries import country_of_realm
from identity.accounts.rules import normalized_email, normalized_phone
from identity.audit.record import record
from identity.courier.commands import note_code_used
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import seal, unseal
from identity.kernel.errors import Conflict, Invalid, NotFound, RateLimited
from identity.kernel.tenancy import realm_id_of
from identity.kernel.transactions import for_write
from identity.mfa import events, limits, queries, rules
from identity.mfa.commands.adding import require_offered
from identity.mfa.commands.keeping import event_fields, note_added, own_user, require_room
from identity.mfa.errors import WrongCode
from identity.mfa.hashing import address_hashes, hash_address, hash_message_code
from identity.mfa.mails import send_factor_code
from identity.mfa.models import FactorKind, MessageDevice

_TABLE = "identity_messagedevice"


def address_of(device: MessageDevice) -> str:
    """Where its codes go. Raises SealBroken."""
    return unseal(device.to_sealed, realm_id=realm_id_of(device), table=_TABLE, pk=device.uid, field="to").decode()


def note_arrived(actor: Actor, device: MessageDevice) -> None:
    """The code came back: a provider that counts that is told."""
    if device.kind == FactorKind.SMS:
        note_code_used(realm_of(actor), to=address_of(device))


def _normalized(kind: str, to: str) -> str:
    if kind == FactorKind.SMS:
        return normalized_phone(to, country_of_realm())
    if kind == FactorKind.EMAIL:
        return normalized_email(to)
    raise Invalid(_("There is no such method."), field="kind")


def add_message_device(actor: Actor, *, user_id: UUID, kind: str, to: str) -> MessageDevice:
    """A number or address that will get codes, once its first code was typed. Sends that code.

    One that waits already is taken up again, so that nobody is flooded by adding and adding. Raises NotFound, Invalid
    (field to), Conflict, RateLimited. Says factor.code_sent.
    """
    with transaction.atomic():
        user = own_user(actor, user_id)
        require_offered(actor, kind)
        address = _normalized(kind, to)
        rows = MessageDevice.objects.filter(user_id=user.pk, kind=kind)
        found: MessageDevice | None = rows.filter(to_hash__in=address_hashes(address)).first()
        if found is not None and found.confirmed:
            raise Invalid(_("You have this one already."), field="to", code="taken")
        require_room(user)
        if found is None:
            rows.filter(confirmed=False).delete()
            found = _made(user, kind, address)
    return _send(actor, user_id, found.pk, confirmed=False)


def _made(user: User, kind: str, address: str) -> MessageDevice:
    device = MessageDevice(
        user=user,
        kind=kind,
        name=kind,
        confirmed=False,
        to_hash=hash_address(address),
        hint=rules.hint_of(kind, address),
        created_at=clock.now(),
    )
    device.to_sealed = seal(address.encode(), realm_id=realm_id_of(device), table=_TABLE, pk=device.uid, field="to")
    device.save(force_insert=True)
    return device


def send_message_code(actor: Actor, *, user_id: UUID, factor_id: str) -> MessageDevice:
    """A new code for one of the person's own devices; the one before stops working.

    Raises NotFound, RateLimited (too soon after the last one). Says factor.code_sent.
    """
    factor = queries.factor_by_id(user_id, factor_id)
    if factor.kind not in (FactorKind.SMS, FactorKind.EMAIL):
        raise NotFound
    return _send(actor, user_id, int(factor.id[1:]), confirmed=True)


@transaction.atomic
def _send(actor: Actor, user_id: UUID, pk: int, *, confirmed: bool) -> MessageDevice:
    user = own_user(actor, user_id)
    device: MessageDevice | None = (
        for_write(queries.message_devices(user.pk, confirmed=confirmed)).filter(pk=pk).first()
    )
    if device is None:
        raise NotFound
    wait = device.seconds_to_wait()
    if wait:
        raise RateLimited(retry_after=wait)
    code = f"{secrets.randbelow(10**rules.DIGITS):0{rules.DIGITS}}"
    device.token_hash = hash_message_code(device.pk, code)
    device.valid_until = clock.now() + rules.CODE_LIFETIME
    device.cooldown_set(commit=False)
    device.save(update_fields=["token_hash", "valid_until", "last_generated_timestamp"])
    send_factor_code(
        realm_of(actor),
        user,
        kind=device.kind,
        to=address_of(device),
        code=code,
        requested_from=actor.origin.ip,
    )
    record(actor, events.FactorCodeSent(**event_fields(user), kind=device.kind))
    return device


def confirm_message_device(actor: Actor, *, user_id: UUID, device_id: int, code: str) -> queries.Factor:
    """The first code came back: from now on the device is a factor. Raises NotFound, RateLimited, WrongCode.

    Says factor.added.
    """
    rows = queries.message_devices(user_id, confirmed=False).filter(pk=device_id)
    waiting = rows.first()
    if waiting is None:
        raise NotFound
    limits.require_guess(user_id, f"add-{waiting.kind}")
    right = False
    with transaction.atomic():
        user = own_user(actor, user_id)
        device = for_write(rows).first()
        if device is None:
            raise Conflict(code="changed")
        # Outside of any error: a wrong code is counted on the row.
        right = device.verify_token(rules.typed_digits(code))
        if right:
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            note_added(actor, user, kind=device.kind)
            note_arrived(actor, device)
    if not right:
        raise WrongCode
    limits.forgive(user_id, f"add-{waiting.kind}")
    return queries.factor_by_id(user_id, f"m{device_id}")
