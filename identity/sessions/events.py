"""What happens to sessions."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Severity, event


@event("session.started", target="session", sentence=_("{actor} started a session"), feed=False)
class SessionStarted(Event):
    """Somebody is signed in from now on."""

    user_id: UUID | None = None


@event("session.ended", target="session", sentence=_("{actor} ended a session of {target}"))
class SessionEnded(Event):
    """No request, token or socket accepts it any more. `reason`: signed_out, ended, contained, password_changed …"""

    user_id: UUID | None = None
    reason: str = ""
    families: int = 0


@event(
    "sessions.ended",
    target="user",
    sentence=_("{actor} ended {count} sessions of {target}"),
    severity=Severity.MEDIUM,
)
class SessionsOfUserEnded(Event):
    """All of a person's sessions (but possibly the present one) ended."""

    count: int = 0
    families: int = 0
    reason: str = ""


@event(
    "application.sessions_ended",
    target="application",
    sentence=_("{actor} ended {count} sessions that used {name}"),
    severity=Severity.MEDIUM,
)
class SessionsOfApplicationEnded(Event):
    """Every session that used one application ended."""

    name: str = ""
    count: int = 0
    families: int = 0
