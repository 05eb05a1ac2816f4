"""Which device a sign-in comes from, and what about it is unlike the person."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from identity.accounts.models import User
from identity.kernel import clock
from identity.kernel.agents import agent_of
from identity.kernel.crypto import keyed_hashes, new_secret
from identity.kernel.origin import network_of
from identity.kernel.places import Place, place_of
from identity.realms.models import Realm
from identity.sessions.models import Device, DeviceStatus
from identity.sessions.queries import DEVICE_LABEL, latest_devices, was_in
from identity.signin.risk import (
    REVIEW_LIFETIME,
    Coming,
    Reason,
    Seen,
    is_new_country,
    is_new_device,
    is_same,
    is_suspicious,
    judge,
)


@dataclass(frozen=True, slots=True)
class Recognition:
    """What is known of the device. `device`: its row, if it has one. `device_id`: what its cookie will say."""

    device: Device | None
    device_id: str
    label: str
    place: Place
    reasons: tuple[Reason, ...] = ()
    is_new: bool = False

    @property
    def is_suspicious(self) -> bool:
        """Whether a realm that holds such sign-ins holds this one."""
        return is_suspicious(self.reasons)


def counts_as_known(device: Device) -> bool:
    """Whether a device is its person's: it was confirmed, or nobody has objected as long as that was asked."""
    if device.status == DeviceStatus.NEW:
        return device.first_seen_at < clock.now() - REVIEW_LIFETIME
    return device.status == DeviceStatus.KNOWN


def seen_of(device: Device) -> Seen:
    """A row as the rules take it."""
    ip = device.ip or ""
    place = place_of(ip)
    return Seen(
        agent=agent_of(device.label),
        network=network_of(ip),
        place=place if place.country else Place(device.country),
        at=device.last_seen_at,
        is_known=counts_as_known(device),
        is_denied=device.status == DeviceStatus.DENIED,
    )


def recognized(user: User, *, realm: Realm, ip: str, label: str, cookie: str) -> Recognition:
    """Compare a sign-in with the devices that the person used last: one query, a second one in a new country.

    cookie: the person's id in the browser's signed cookie, or an empty text.
    """
    rows = latest_devices(user.pk)
    hashes = keyed_hashes(DEVICE_LABEL, realm.pk, cookie) if cookie else []
    row = next((device for device in rows if bytes(device.key_hash) in hashes), None)
    place = place_of(ip)
    coming = Coming(
        agent=agent_of(label),
        network=network_of(ip),
        place=place,
        at=clock.now(),
        device=seen_of(row) if row is not None else None,
    )
    before = [seen_of(device) for device in rows]
    denied = row is not None and row.status == DeviceStatus.DENIED
    if row is not None and not denied and not is_same(coming.device, coming):
        # A cookie that came from elsewhere: this is another device, with an id of its own.
        row = None
    reasons = judge(coming, before, was_there=_was_there(user.pk, coming, before))
    return Recognition(
        device=row,
        device_id=cookie if row is not None else new_secret(12),
        label=label,
        place=place,
        reasons=reasons,
        is_new=row is None and is_new_device(coming, before),
    )


def _was_there(user_id: UUID, coming: Coming, before: Sequence[Seen]) -> bool:
    known = [seen for seen in before if seen.is_known]
    return is_new_country(coming, known) and was_in(user_id, coming.place.country)
