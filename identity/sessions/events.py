"""What happens to sessions."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Severity, event, personal


@event("session.ended", target="session", sentence=_("{actor} ended a session of {target}"), severity=Severity.LOW)
class SessionEnded(Event):
    """A browser was signed out, and what the session issued was revoked.

    reason: signed_out, ended_by_admin, ended_by_person, another_account, contained, application_signed_out,
    session_limit, password_changed, email_change_reverted, sign_in_denied, user_locked, user_disabled, user_deleted.
    """

    user_id: UUID | None = None
    reason: str = ""
    ip: str = personal()


@event(
    "sessions.ended",
    target="user",
    sentence=_("{actor} ended {count} more sessions of {target}"),
    severity=Severity.MEDIUM,
)
class SessionsEnded(Event):
    """So many more than have a `session.ended` of their own: those are bounded, a flood of sessions is not."""

    user_id: UUID | None = None
    reason: str = ""
    count: int = 0


@event(
    "application.sessions_ended",
    target="application",
    sentence=_("{actor} signed everybody out of {target}: {sessions} sessions"),
    severity=Severity.MEDIUM,
)
class ApplicationSessionsEnded(Event):
    """Every session that had used an application is over, and what was issued to it is revoked."""

    sessions: int = 0
    families_revoked: int = 0


@event(
    "device.forgotten",
    target="user",
    sentence=_("{actor} forgot a device of {target}"),
    severity=Severity.LOW,
)
class DeviceForgotten(Event):
    """A device is known no more, and what was signed in there is over."""

    sessions_ended: int = 0
    device: str = personal()
