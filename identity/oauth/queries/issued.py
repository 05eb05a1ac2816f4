"""How much hangs on people, sessions and applications: what a dialog says before it takes them away."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from identity.kernel import clock
from identity.oauth.models import FamilyStatus, RefreshFamily
from identity.realms.models import Realm
from identity.sessions.models import Session, SessionApplication, SessionStatus
from identity.sessions.queries import live


@dataclass(frozen=True, slots=True)
class Issued:
    """Usable sessions, and refresh tokens that still work (one for each family)."""

    sessions: int
    refresh_tokens: int


def issued_to_people(realm: Realm, user_ids: Iterable[UUID]) -> Issued:
    """What ends with some people. Only numbers; the command that the dialog calls decides who may do it."""
    ids = list(user_ids)
    return Issued(
        live(Session.objects.filter(user_id__in=ids), realm).count(),
        RefreshFamily.objects.filter(works(realm), user_id__in=ids).count(),
    )


def issued_by_sessions(realm: Realm, session_ids: Iterable[UUID]) -> Issued:
    """What ends with some sessions: offline tokens that they issued as well (DECISIONS 17)."""
    ids = list(session_ids)
    return Issued(
        live(Session.objects.filter(pk__in=ids), realm).count(),
        RefreshFamily.objects.filter(works(realm), session_id__in=ids).count(),
    )


def issued_to_application(realm: Realm, application_id: UUID) -> Issued:
    """What ends when everybody is signed out of one application: the sessions that used it, with all they issued."""
    used = SessionApplication.objects.filter(application_id=application_id).values("session_id")
    return Issued(
        live(Session.objects.filter(pk__in=used), realm).count(),
        RefreshFamily.objects.filter(
            works(realm),
            Q(application_id=application_id) | Q(session_id__in=used, session__status=SessionStatus.ACTIVE),
        ).count(),
    )


def issued_under_consent(realm: Realm, user_id: UUID, application_id: UUID) -> int:
    """Refresh tokens that one person's consent to one application keeps alive."""
    return RefreshFamily.objects.filter(works(realm), user_id=user_id, application_id=application_id).count()


def works(realm: Realm) -> Q:
    """Families whose next refresh would be answered: those without offline access live as long as their session."""
    sessions = live(Session.objects.all(), realm).values("pk")
    return Q(status=FamilyStatus.ACTIVE, expires_at__gt=clock.now()) & (Q(offline=True) | Q(session_id__in=sessions))
