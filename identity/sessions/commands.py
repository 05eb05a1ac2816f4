"""Ending sessions, and noting what used them. Ending is a state; what a session issued ends with it."""

from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import QuerySet

from identity.access.queries import organization_scopes, require_rank
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, NotFound
from identity.kernel.ids import uuid7
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.sessions import events
from identity.sessions.models import Session, SessionApplication, SessionStatus
from identity.sessions.queries import get_session, live


def _end(sessions: QuerySet[Session], *, by: UUID | None, reason: str) -> tuple[int, int]:
    """Move sessions and the refresh families that they issued, offline ones too (DECISIONS 17). Returns both counts."""
    now = clock.now()
    ids = list(sessions.values_list("pk", flat=True))
    if not ids:
        return 0, 0
    ended = Session.objects.filter(pk__in=ids, status=SessionStatus.ACTIVE).update(
        status=SessionStatus.ENDED, status_changed_at=now, status_by=by, end_reason=reason[:40], data={}
    )
    families = (
        apps.get_model("identity", "RefreshFamily")
        .objects.filter(session_id__in=ids, status="active")
        .update(status="revoked", status_changed_at=now, status_by=by, end_reason=f"session_{reason}"[:40])
    )
    return ended, families


@transaction.atomic
def end_session(actor: Actor, *, session_id: UUID, reason: str = "ended") -> Session:
    """End one session: the actor's own, or another's with sessions:end. What it issued is revoked with it.

    Raises NotFound, PermissionDenied, Conflict (it has ended already). Says session.ended.
    """
    seen = get_session(actor, session_id=session_id, permission=Permission.SESSIONS_END)
    session = for_write(Session.objects.filter(pk=seen.pk)).get()
    if session.status != SessionStatus.ACTIVE:
        raise Conflict(code="session_ended")
    if actor.id != session.user_id and session.user_id is not None:
        require_rank(actor, user_id=session.user_id)
    _, families = _end(Session.objects.filter(pk=session.pk), by=actor.id, reason=reason)
    session.refresh_from_db()
    record(
        actor,
        events.SessionEnded(
            target_id=session.pk,
            subject_id=session.user_id,
            target_name=seen.user.display_name if seen.user else "",
            user_id=session.user_id,
            reason=reason,
            families=families,
        ),
    )
    return session


@transaction.atomic
def end_sessions_of_user(
    actor: Actor, *, user_id: UUID, except_session_id: UUID | None = None, reason: str = "ended"
) -> int:
    """End all live sessions of a person, but perhaps the present one. Returns how many; zero says nothing.

    Raises NotFound, PermissionDenied. Says sessions.ended.
    """
    person = apps.get_model("identity", "User").objects.filter(pk=user_id).first()
    if person is None:
        raise NotFound
    if actor.id != user_id:
        actor.require(Permission.SESSIONS_END, *organization_scopes(user_id))
        require_rank(actor, user_id=user_id)
    rows = for_write(Session.objects.filter(user_id=user_id, status=SessionStatus.ACTIVE))
    if except_session_id is not None:
        rows = rows.exclude(pk=except_session_id)
    count, families = _end(rows, by=actor.id, reason=reason)
    if count or families:
        record(
            actor,
            events.SessionsOfUserEnded(
                target_id=user_id,
                subject_id=user_id,
                target_name=person.display_name,
                count=count,
                families=families,
                reason=reason,
            ),
        )
    return count


@transaction.atomic
def end_sessions_of_application(actor: Actor, *, application_id: UUID) -> int:
    """End all live sessions that used an application. Returns how many; zero says nothing.

    Raises NotFound, PermissionDenied. Says application.sessions_ended.
    """
    actor.require(Permission.SESSIONS_END)
    application = apps.get_model("identity", "Application").objects.filter(pk=application_id).first()
    if application is None:
        raise NotFound
    used = SessionApplication.objects.filter(application_id=application_id).values("session_id")
    count, families = _end(for_write(Session.objects.filter(live(), pk__in=used)), by=actor.id, reason="ended")
    if count or families:
        record(
            actor,
            events.SessionsOfApplicationEnded(
                target_id=application_id, name=application.name, count=count, families=families
            ),
        )
    return count


@transaction.atomic
def note_application_use(session: Session, *, application_id: UUID) -> None:
    """An application got a code through this session: what "by application" searches and counts. No event of its own."""
    now = clock.now()
    SessionApplication.objects.bulk_create(
        [
            SessionApplication(
                id=uuid7(),
                session=session,
                application_id=application_id,
                first_used_at=now,
                last_used_at=now,
            )
        ],
        update_conflicts=True,
        unique_fields=["realm", "session", "application"],
        update_fields=["last_used_at"],
    )
