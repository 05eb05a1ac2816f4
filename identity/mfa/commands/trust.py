"""Browsers that stand for the second step: rows that can be seen and taken away."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from identity.accounts.commands.fetching import locked_user, realm_of
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hash
from identity.kernel.errors import NotFound
from identity.mfa import events, queries
from identity.mfa.commands.keeping import end_trust, event_fields, own_user
from identity.sessions.models import Device, DeviceStatus
from identity.sessions.queries import DEVICE_LABEL


@transaction.atomic
def trust_device(actor: Actor, *, user_id: UUID, device_id: str, label: str = "") -> Device | None:
    """From now on this browser stands for the person's second step, as long as the realm allows; None if it doesn't.

    device_id: the person's id in the browser's signed cookie. A browser that he denied is never trusted. Raises
    NotFound. Says device.trusted.
    """
    user = own_user(actor, user_id)
    realm = realm_of(actor)
    lifetime = timedelta(seconds=realm.setting("trusted_device_lifetime"))
    if not lifetime or not device_id or user.second_factor_since is None:
        return None
    now = clock.now()
    hashes = queries.device_hashes(realm, device_id)
    device = Device.objects.filter(user_id=user.pk, key_hash__in=hashes).first()
    if device is None:
        device = Device(
            user=user,
            key_hash=keyed_hash(DEVICE_LABEL, realm.pk, device_id),
            label=label[:100],
            ip=actor.origin.ip or None,
            first_seen_at=now,
            last_seen_at=now,
        )
        device.save(force_insert=True)
    if device.status != DeviceStatus.KNOWN:
        return None
    device.trusted_until = now + lifetime
    device.label = device.label or label[:100]
    device.save(update_fields=["trusted_until", "label"])
    record(actor, events.DeviceTrusted(**event_fields(user), days=lifetime.days, device=device.label))
    return device


@transaction.atomic
def untrust_device(actor: Actor, *, user_id: UUID, device_id: UUID) -> None:
    """The person's own browser is asked for the second step again. Raises NotFound. Says device.untrusted."""
    user = own_user(actor, user_id)
    if not end_trust(actor, user, reason="by_person", device_id=device_id):
        raise NotFound


@transaction.atomic
def untrust_devices(actor: Actor, *, user_id: UUID, reason: str = "password_changed") -> int:
    """No browser of a person stands for the second step any more. Called by what changes his password.

    Returns how many did. Raises NotFound. Says device.untrusted.
    """
    return end_trust(actor, locked_user(user_id), reason=reason)
