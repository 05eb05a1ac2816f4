"""Devices: noted at each sign-in, confirmed or denied by their person, forgotten by him or an admin."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.access.queries import organization_scopes, require_rank_over
from identity.audit.record import record
from identity.kernel import clock, sql
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hash
from identity.kernel.errors import NotFound
from identity.kernel.ids import uuid7
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.sessions import events
from identity.sessions.commands.ending import end_these
from identity.sessions.models import Device, DeviceStatus, Session, SessionStatus
from identity.sessions.queries import DEVICE_LABEL, devices_seen_by

MAX_LABEL = 100


def note_device(  # house: HR03 signin.succeeded says it
    actor: Actor, *, user_id: UUID, device_id: str, former: Device | None, status: str, label: str, country: str
) -> Device:
    """Somebody signed in on a device: its row as it is from now on.

    former: the row as it was read, if the device has one. A denied device stays denied: nothing makes it known again.
    device_id: the person's id in the browser's signed cookie, of which only a keyed hash is stored.
    """
    now = clock.now()
    seen = {"last_seen_at": now, "country": country, "ip": actor.origin.ip or None, "label": label[:MAX_LABEL]}
    if former is not None:
        if former.status == DeviceStatus.NEW:
            seen["status"] = status
        sql.change_soon(Device, former.pk, seen)
        return former
    values = seen | {
        "id": uuid7(),
        "realm_id": actor.realm_id,
        "user_id": user_id,
        "key_hash": keyed_hash(DEVICE_LABEL, actor.realm_id, device_id),
        "first_seen_at": now,
        "status": status,
    }
    sql.take(sql.Step(rows=(sql.Insert(Device, {name: value for name, value in values.items() if value is not None}),)))
    return sql.stored(Device, values)


def confirm_device(*, device_id: UUID) -> None:  # house: HR03 review.confirmed says it
    """Its person says that it is his: from now on it is known."""
    with transaction.atomic():
        Device.objects.filter(pk=device_id, status=DeviceStatus.NEW).update(status=DeviceStatus.KNOWN)


def deny_device(*, device_id: UUID) -> None:  # house: HR03 review.denied says it
    """Its person says that it is not his: it is never known again, and stands for no second step."""
    with transaction.atomic():
        Device.objects.filter(pk=device_id).update(status=DeviceStatus.DENIED, trusted_until=None)


@transaction.atomic
def forget_device(actor: Actor, *, user_id: UUID, device_id: UUID) -> Device:
    """End what is signed in on a device and know it no more: the next sign-in there is one on a new device.

    For its own person, or with sessions:end on the realm or on an organization of the person. A denied device stays as
    it is, or it could come back as a new one. Raises NotFound, PermissionDenied (also for a person of higher rank).
    Says device.forgotten, and session.ended for each session.
    """
    own = actor.is_person and actor.id == user_id and actor.home_realm_id == actor.realm_id
    if not own:
        if not devices_seen_by(actor, user_id=user_id).filter(pk=device_id).exists():
            raise NotFound
        actor.require(Permission.SESSIONS_END, *organization_scopes(user_id))
        require_rank_over(actor, user_ids=[user_id])
    device = for_write(Device.objects.filter(pk=device_id, user_id=user_id).exclude(status=DeviceStatus.DENIED)).first()
    if device is None:
        raise NotFound
    rows = Session.objects.filter(device=device, status=SessionStatus.ACTIVE)
    sessions = list(for_write(rows).order_by("pk"))
    end_these(actor, sessions, "ended_by_person" if own else "ended_by_admin")
    name = device.user.display_name
    device.delete()
    record(
        actor,
        events.DeviceForgotten(
            target_id=user_id,
            subject_id=user_id,
            target_name=name,
            sessions_ended=len(sessions),
            device=device.label or str(_("Unknown device")),
        ),
    )
    return device
