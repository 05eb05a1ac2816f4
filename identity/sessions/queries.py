"""Reads of sessions."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.apps import apps
from django.db.models import Q, QuerySet

from identity.access.queries import members_of, organization_scopes
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.context import current_realm
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.realms.models import DEFAULT_SETTINGS
from identity.sessions.models import Session, SessionStatus


def live() -> Q:
    """What makes a session count now: active, not expired, not idle for longer than the realm allows."""
    realm = current_realm()
    stored = realm.settings if realm is not None else {}
    idle = stored.get("session_idle_lifetime", DEFAULT_SETTINGS["session_idle_lifetime"])
    now = clock.now()
    return Q(status=SessionStatus.ACTIVE, expires_at__gt=now, last_seen_at__gt=now - timedelta(seconds=int(idle)))


def _visible(actor: Actor) -> QuerySet[Session]:
    rows = Session.objects.filter(user__isnull=False)
    organizations = actor.scopes_of(Permission.SESSIONS_READ, "organization")
    if organizations is None:
        return rows
    applications = actor.scopes_of(Permission.SESSIONS_READ, "application") or frozenset()
    if not organizations and not applications:
        actor.require(Permission.SESSIONS_READ)
    return rows.filter(
        Q(user_id__in=members_of(organizations)) | Q(applications__application_id__in=applications)
    ).distinct()


def find_sessions(
    actor: Actor,
    *,
    user_id: UUID | None = None,
    ip: str = "",
    application_id: UUID | None = None,
    search: str = "",
    status: str = "active",
) -> QuerySet[Session]:
    """Sessions that the actor may see, newest first, with their person.

    status: active (live now), ended (ended or run out), or empty for both. search: a person's name or e-mail, or an
    address. Raises PermissionDenied.
    """
    rows = _visible(actor).select_related("user").order_by("-id")
    if status == "active":
        rows = rows.filter(live())
    elif status == "ended":
        rows = rows.exclude(live())
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    if ip:
        rows = rows.filter(ip=ip)
    if application_id is not None:
        rows = rows.filter(
            pk__in=apps.get_model("identity", "SessionApplication")
            .objects.filter(application_id=application_id)
            .values("session_id")
        )
    if search:
        rows = rows.filter(_matches(search.strip()))
    return rows


def _matches(search: str) -> Q:
    try:
        return Q(ip=str(ipaddress.ip_address(search)))
    except ValueError:
        return Q(user__email__istartswith=search) | Q(user__name__icontains=search)


def get_session(actor: Actor, *, session_id: UUID, permission: Permission = Permission.SESSIONS_READ) -> Session:
    """One session: the actor's own, or one that he may see. Raises NotFound, PermissionDenied."""
    row = Session.objects.select_related("user").filter(pk=session_id, user__isnull=False).first()
    if row is None or row.user_id is None:
        raise NotFound
    if actor.is_person and row.user_id == actor.id and row.realm_id == actor.home_realm_id:
        return row
    scopes = organization_scopes(row.user_id)
    if not actor.can(Permission.SESSIONS_READ, *scopes):
        if not actor.can_somewhere(Permission.SESSIONS_READ):
            actor.require(Permission.SESSIONS_READ)
        raise NotFound
    actor.require(permission, *scopes)
    return row


def own_sessions(actor: Actor) -> QuerySet[Session]:
    """The live sessions of the actor himself, the latest used first."""
    return Session.objects.filter(live(), user_id=actor.id).order_by("-last_seen_at")


@dataclass(frozen=True, slots=True)
class Hit:
    """What ending sessions takes with it: counted exactly when a dialog opens (DECISIONS 27)."""

    sessions: int
    families: int
    people: int


def hit_of(sessions: QuerySet[Session]) -> Hit:
    """How many sessions, refresh families issued by them, and people."""
    ids = sessions.order_by().values("pk")
    families = apps.get_model("identity", "RefreshFamily").objects.filter(session_id__in=ids, status="active")
    return Hit(sessions.order_by().count(), families.count(), sessions.order_by().values("user_id").distinct().count())


def count_live_sessions() -> int:
    """How many people are signed in now, by sessions."""
    return Session.objects.filter(live(), user__isnull=False).count()
