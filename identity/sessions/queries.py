"""Reads of sessions: by person, address and application. Whether one may be used is asked through `gate`."""

import ipaddress
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from identity.access.queries import ORGANIZATION, members_of
from identity.kernel import clock, sql
from identity.kernel.actor import Actor
from identity.kernel.context import current_realm_id
from identity.kernel.errors import NotFound
from identity.kernel.ids import parse_public_id
from identity.kernel.permissions import Permission
from identity.realms.models import Realm
from identity.sessions import rules
from identity.sessions.models import Device, DeviceStatus, Session, SessionApplication, SessionStatus

DEVICE_LABEL = "device"
"""The label of the keyed hash that a device's id is stored as."""
MOST_DEVICES = 30
"""So many of a person's devices are looked at, those used last: who collects more is asked about the others again."""

_DEVICE = sql.Columns(Device, "d", [each.attname for each in Device._meta.concrete_fields])
_LATEST_DEVICES = (
    f"SELECT {_DEVICE.sql} FROM identity_device d WHERE d.realm_id = %(realm)s AND d.user_id = %(user)s"  # noqa: S608 - texts of ours
    f" ORDER BY d.last_seen_at DESC LIMIT {MOST_DEVICES}"
)


def live(rows: QuerySet[Session], realm: Realm, now: datetime | None = None) -> QuerySet[Session]:
    """Those that are active, and neither expired nor idle for longer than the realm allows (DECISIONS 4)."""
    moment = now or clock.now()
    idle = timedelta(seconds=realm.setting("session_idle_lifetime"))
    return rows.filter(status=SessionStatus.ACTIVE, expires_at__gt=moment, last_seen_at__gt=moment - idle)


def visible_sessions(actor: Actor, permission: Permission = Permission.SESSIONS_READ) -> QuerySet[Session]:
    """Signed-in sessions on which the actor holds `permission`: all, of members of some organizations, or through
    some applications. Raises PermissionDenied when he holds it nowhere.
    """
    rows = Session.objects.exclude(user=None).select_related("user")
    organizations = actor.scopes_of(permission, ORGANIZATION)
    if organizations is None:
        return rows
    applications = actor.scopes_of(permission, "application") or frozenset()
    if not organizations and not applications:
        actor.require(permission)
    used = SessionApplication.objects.filter(session=OuterRef("pk"), application_id__in=applications)
    return rows.filter(Q(user_id__in=members_of(organizations)) | Exists(used))


def find_sessions(
    actor: Actor,
    *,
    user_id: UUID | None = None,
    ip: str = "",
    application_id: UUID | None = None,
    search: str = "",
    status: str = "active",
) -> QuerySet[Session]:
    """Sessions that the actor may see, newest first. Raises PermissionDenied.

    ip: an address, or a network such as 192.0.2.0/24; one that can't be read finds nothing. status: active (really
    usable), ended (or run out), or empty for all. search: an address, a public id, or a part of the person's name.
    """
    rows = visible_sessions(actor).order_by("-id")
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    if application_id is not None:
        used = SessionApplication.objects.filter(session=OuterRef("pk"), application_id=application_id)
        rows = rows.filter(Exists(used))
    if ip:
        rows = _from_address(rows, ip)
    rows = _with_status(rows, actor, status)
    text = search.strip()
    if text:
        by_id = parse_public_id("session", text.lower())
        if by_id:
            rows = rows.filter(pk=by_id)
        elif _is_address(text):
            rows = _from_address(rows, text)
        else:
            rows = rows.filter(
                Q(user__email__istartswith=text) | Q(user__username__istartswith=text) | Q(user__name__icontains=text)
            )
    return rows


def realm_of(actor: Actor) -> Realm:
    """The realm that the actor acts in. Raises NotFound."""
    realm = Realm.objects.filter(pk=actor.realm_id).first()
    if realm is None:
        raise NotFound
    return realm


def _with_status(rows: QuerySet[Session], actor: Actor, status: str) -> QuerySet[Session]:
    if status == SessionStatus.ACTIVE:
        return live(rows, realm_of(actor))
    if status == SessionStatus.ENDED:
        usable = live(Session.objects.all(), realm_of(actor)).values("pk")
        return rows.exclude(pk__in=usable)
    return rows


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _from_address(rows: QuerySet[Session], text: str) -> QuerySet[Session]:
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return rows.none()
    if network.num_addresses == 1:
        return rows.filter(ip=str(network.network_address))
    # Networks have no type on SQLite: whole octets and groups are prefixes of the text, the rest is left out of them.
    if network.version == 4:
        octets = network.prefixlen // 8
        prefix = ".".join(str(network.network_address).split(".")[:octets])
    else:
        groups = network.prefixlen // 16
        prefix = ":".join(format(int(g, 16), "x") for g in network.network_address.exploded.split(":")[:groups])
    return rows.filter(ip__startswith=f"{prefix}{'.' if network.version == 4 else ':'}") if prefix else rows


def get_session(actor: Actor, *, session_id: UUID) -> Session:
    """One session, in whatever state, for its person or who may see it. Raises NotFound, PermissionDenied."""
    if actor.is_person and actor.id is not None and actor.home_realm_id == actor.realm_id:
        own = Session.objects.filter(pk=session_id, user_id=actor.id).select_related("user").first()
        if own is not None:
            return own
    session = visible_sessions(actor).filter(pk=session_id).first()
    if session is None:
        raise NotFound
    return session


def own_sessions(actor: Actor) -> QuerySet[Session]:
    """The person's own usable sessions, the most recently seen first; none for anybody who is not of this realm."""
    if actor.id is None or not actor.is_person or actor.home_realm_id != actor.realm_id:
        return Session.objects.none()
    return live(Session.objects.filter(user_id=actor.id), realm_of(actor)).order_by("-last_seen_at", "-id")


def session_by_id(session_id: UUID) -> Session | None:
    """A session of the realm of the moment. For protocol and jobs, which ask `gate` whether it may be used."""
    return Session.objects.filter(pk=session_id).first()


def session_by_sid(sid: UUID) -> Session | None:
    """The session of an OIDC `sid`, in whatever state."""
    return Session.objects.filter(sid=sid).first()


def applications_of(session_ids: list[UUID]) -> dict[UUID, list[SessionApplication]]:
    """Session → the applications that were used through it, for a page of a list; one query."""
    out: dict[UUID, list[SessionApplication]] = {pk: [] for pk in session_ids}
    rows = SessionApplication.objects.filter(session_id__in=session_ids).select_related("application")
    for row in rows.order_by("-last_used_at"):
        out[row.session_id].append(row)
    return out


def count_live_sessions(actor: Actor, *, user_id: UUID | None = None, application_id: UUID | None = None) -> int:
    """How many usable sessions there are, exactly: what a dialog says before it ends them. Raises PermissionDenied."""
    return find_sessions(actor, user_id=user_id, application_id=application_id).count()


def count_idle_longer_than(actor: Actor, *, seconds: int) -> int:
    """How many live sessions were last used longer ago than `seconds`. Raises PermissionDenied."""
    actor.require(Permission.SETTINGS_READ)
    before = clock.now() - timedelta(seconds=seconds)
    return live(Session.objects.filter(user__isnull=False, last_seen_at__lte=before), realm_of(actor)).count()


def latest_devices(user_id: UUID) -> list[Device]:
    """The devices that a person used last: what a sign-in is compared with; one query."""
    rows = sql.fetch_all(_LATEST_DEVICES, {"realm": current_realm_id(), "user": user_id})
    return [device for device in map(_DEVICE.load, rows) if device is not None]


def was_in(user_id: UUID, country: str) -> bool:
    """Whether the person was signed in from a country before, on a device that is known."""
    rows = Session.objects.filter(user_id=user_id, country=country, device__status=DeviceStatus.KNOWN)
    return rows.exists()


def own_devices(actor: Actor) -> list[Device]:
    """The person's own devices but denied ones, the last used first; none for anybody who is not of this realm."""
    if actor.id is None or not actor.is_person or actor.home_realm_id != actor.realm_id:
        return []
    return list(Device.objects.filter(user_id=actor.id).exclude(status=DeviceStatus.DENIED).order_by("-last_seen_at"))


def devices_seen_by(actor: Actor, *, user_id: UUID) -> QuerySet[Device]:
    """A person's devices for who may see his sessions, the last used first. Raises PermissionDenied.

    None for who sees the sessions of some applications alone: a device is nobody's but the person's.
    """
    rows = Device.objects.filter(user_id=user_id).order_by("-last_seen_at", "-id")
    organizations = actor.scopes_of(Permission.SESSIONS_READ, ORGANIZATION)
    if organizations is None:
        return rows
    if not organizations:
        actor.require(Permission.SESSIONS_READ)
    return rows.filter(user_id__in=members_of(organizations))


def count_sessions_on(device: Device) -> int:
    """How many sessions forgetting a device ends, exactly."""
    return Session.objects.filter(device=device, status=SessionStatus.ACTIVE).count()


def devices_to_purge(now: datetime) -> QuerySet[Device]:
    """Devices whose cookie has run out, and which nobody could be recognized by any more."""
    return Device.objects.filter(last_seen_at__lte=now - rules.DEVICE_KEPT)


def sessions_to_purge(now: datetime) -> QuerySet[Session]:
    """Sessions that are over for so long that nobody asks for them, and those of nobody that have run out."""
    over = Q(status=SessionStatus.ENDED, status_changed_at__lte=now - rules.ENDED_KEPT)
    run_out = Q(expires_at__lte=now - rules.ENDED_KEPT)
    nobodys = Q(user=None, expires_at__lte=now - rules.NOBODYS_KEPT)
    return Session.objects.filter(over | run_out | nobodys)
