"""Ending sessions with all that they issued, at once (SE-05)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from identity.access.queries import organization_scopes, require_rank_over
from identity.accounts.commands.ending import MOST_TOLD
from identity.accounts.models import User
from identity.applications.models import Application
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, NotFound
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.sessions import events
from identity.sessions.models import Session, SessionApplication, SessionStatus
from identity.sessions.queries import live, realm_of, visible_sessions
from identity.sessions.rules import MAX_REASON


@transaction.atomic
def end_session(actor: Actor, *, session_id: UUID, reason: str = "ended_by_admin") -> Session:
    """End one session and revoke what it issued, offline families too (DECISIONS 17).

    For its own person, or with sessions:end on the realm or on an organization of the person. Raises NotFound,
    PermissionDenied (also for a person of higher rank, whom only a lock contains), Conflict (ended already).
    Says session.ended.
    """
    session = _one(actor, session_id)
    require_rank_over(actor, user_ids=_people_of([session]))
    if session.status != SessionStatus.ACTIVE:
        raise Conflict(_("This session has ended already."), code="session_ended")
    end_these(actor, [session], reason)
    return session


@transaction.atomic
def sign_out(actor: Actor, *, session_id: UUID, reason: str = "signed_out") -> Session:
    """The person ends the present session himself. Offline access outlives this, as was agreed to (DECISIONS 17).

    Raises NotFound for anybody else's session. Says session.ended.
    """
    rows = Session.objects.filter(pk=session_id).exclude(user=None)
    session = for_write(rows).first()
    if session is None or session.user_id != actor.id:
        raise NotFound
    if session.status == SessionStatus.ACTIVE:
        end_these(actor, [session], reason, offline_too=False)
    return session


@transaction.atomic
def end_sessions(actor: Actor, *, session_ids: Sequence[UUID], reason: str = "ended_by_admin") -> int:
    """End a selection, all or nothing: one id that the actor can't end refuses the whole (TI-04). Returns how many.

    Those that have ended meanwhile stay as they are. Raises NotFound, PermissionDenied (also for a person of higher
    rank). Says session.ended for each that was active.
    """
    selected = [_one(actor, pk) for pk in sorted(session_ids)]
    require_rank_over(actor, user_ids=_people_of(selected))
    active = [session for session in selected if session.status == SessionStatus.ACTIVE]
    end_these(actor, active, reason)
    return len(active)


@transaction.atomic
def contain_sessions(actor: Actor, *, user_id: UUID | None = None, ip: str = "", reason: str = "contained") -> int:
    """End what is signed in as a person or from an address, after an alert. Returns how many ended.

    Like a lock, and unlike every other ending, it stops people of higher rank too: whoever guessed an owner's password
    must not be out of reach of those on duty. So it asks for alerts:act besides sessions:end on the whole realm.
    Raises PermissionDenied. Says session.ended.
    """
    actor.require(Permission.ALERTS_ACT)
    actor.require(Permission.SESSIONS_END)
    rows = live(Session.objects.exclude(user=None), realm_of(actor))
    rows = rows.filter(user_id=user_id) if user_id is not None else rows.filter(ip=ip or None)
    sessions = list(for_write(rows).order_by("pk"))
    end_these(actor, sessions, reason)
    if user_id is not None:
        _revoke(actor, _families().filter(user_id=user_id), "sessions_ended")
    return len(sessions)


@transaction.atomic
def end_sessions_of_user(
    actor: Actor, *, user_id: UUID, except_session_id: UUID | None = None, reason: str = ""
) -> int:
    """End all sessions of a person, but for one if named, and revoke what they issued. Returns how many ended.

    Raises NotFound for a person that the actor can't see, PermissionDenied (also for one of higher rank, whom only a
    lock contains). Says session.ended for each, beyond a hundred sessions.ended.
    """
    own = actor.is_person and actor.id == user_id and actor.home_realm_id == actor.realm_id
    rows = Session.objects.all() if own else visible_sessions(actor, Permission.SESSIONS_END)
    # Also somebody without a session: his refresh tokens go too, so the help desk of another organization stays out.
    if not own and not actor.can(Permission.SESSIONS_END, *organization_scopes(user_id)):
        raise NotFound
    if not own:
        require_rank_over(actor, user_ids=[user_id])
    found = for_write(rows.select_related(None).filter(user_id=user_id, status=SessionStatus.ACTIVE))
    if except_session_id is not None:
        found = found.exclude(pk=except_session_id)
    sessions = list(found.order_by("pk"))
    end_these(actor, sessions, reason or ("ended_by_person" if own else "ended_by_admin"))
    families = _families().filter(user_id=user_id)
    if except_session_id is not None:
        families = families.exclude(session_id=except_session_id)
    _revoke(actor, families, "sessions_ended")
    return len(sessions)


@transaction.atomic
def end_sessions_of_application(actor: Actor, *, application_id: UUID) -> int:
    """End every session through which an application got tokens, and revoke all that was issued to it.

    Else the application would sign its people in again, silently, at the next redirect. Returns how many ended. Raises
    NotFound, PermissionDenied (also when somebody of higher rank is among them: all or nothing). Says session.ended for
    each, beyond a hundred sessions.ended, and application.sessions_ended.
    """
    actor.require(Permission.SESSIONS_END)
    application = Application.objects.filter(pk=application_id).first()
    if application is None:
        raise NotFound
    used = SessionApplication.objects.filter(session=OuterRef("pk"), application=application)
    found = for_write(Session.objects.filter(Exists(used), status=SessionStatus.ACTIVE).exclude(user=None))
    sessions = list(found.order_by("pk"))
    families = _families().filter(application_id=application.pk)
    require_rank_over(actor, user_ids={*_people_of(sessions), *families.values_list("user_id", flat=True)})
    end_these(actor, sessions, "application_signed_out")
    revoked = _revoke(actor, families, "application_signed_out")
    record(
        actor,
        events.ApplicationSessionsEnded(
            target_id=application.pk, target_name=application.name, sessions=len(sessions), families_revoked=revoked
        ),
    )
    return len(sessions)


def _one(actor: Actor, session_id: UUID) -> Session:
    rows = Session.objects.filter(pk=session_id).exclude(user=None)
    if actor.is_person and actor.home_realm_id == actor.realm_id and actor.id is not None:
        own = for_write(rows.filter(user_id=actor.id)).first()
        if own is not None:
            return own
    if not visible_sessions(actor).filter(pk=session_id).exists():
        raise NotFound
    if not visible_sessions(actor, Permission.SESSIONS_END).filter(pk=session_id).exists():
        actor.require(Permission.SESSIONS_END)
        raise NotFound
    session = for_write(rows).first()
    if session is None:
        raise NotFound
    return session


def _people_of(sessions: Sequence[Session]) -> set[UUID]:
    return {session.user_id for session in sessions if session.user_id is not None}


def _families() -> QuerySet[Any]:
    """Refresh families: rows of a room above, so by the table's name."""
    rows: QuerySet[Any] = apps.get_model("identity", "RefreshFamily").objects.filter(status="active")
    return rows


def _revoke(actor: Actor, families: QuerySet[Any], reason: str) -> int:
    revoked: int = families.update(
        status="revoked", status_changed_at=clock.now(), status_by=actor.id, end_reason=reason[:MAX_REASON]
    )
    return revoked


def end_these(actor: Actor, sessions: Sequence[Session], reason: str, *, offline_too: bool = True) -> None:
    """End locked sessions, after their command has checked that the actor may. Says session.ended, sessions.ended."""
    if not sessions:
        return
    now = clock.now()
    ids = [session.pk for session in sessions]
    Session.objects.filter(pk__in=ids).update(
        status=SessionStatus.ENDED,
        status_changed_at=now,
        status_by=actor.id,
        end_reason=reason[:MAX_REASON],
        data={},
    )
    families = _families().filter(session_id__in=ids)
    _revoke(actor, families if offline_too else families.filter(offline=False), "session_ended")
    people = User.objects.filter(pk__in=_people_of(sessions))
    names: dict[UUID | None, str] = {user.pk: user.display_name for user in people}
    for session in sessions:
        session.status, session.status_changed_at, session.end_reason = SessionStatus.ENDED, now, reason
    told = sessions[-MOST_TOLD:]  # the newest: ids grow with time
    for session in told:
        record(
            actor,
            events.SessionEnded(
                target_id=session.pk,
                subject_id=session.user_id,
                target_name=names.get(session.user_id, ""),
                user_id=session.user_id,
                reason=reason,
                ip=session.ip or "",
            ),
        )
    untold = Counter(session.user_id for session in sessions[: -len(told)])
    for user_id, count in untold.items():
        record(
            actor,
            events.SessionsEnded(
                target_id=user_id,
                subject_id=user_id,
                target_name=names.get(user_id, ""),
                user_id=user_id,
                reason=reason,
                count=count,
            ),
        )
