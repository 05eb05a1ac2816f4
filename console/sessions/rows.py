"""Sessions as pages show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from console.devices import Device, device_of
from console.users.people import user_url
from identity.gate.usable import session_is_live
from identity.kernel.actor import Actor
from identity.kernel.context import current_realm
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission
from identity.sessions.models import Session, SessionApplication, SessionStatus
from identity.sessions.queries import applications_of


def session_url(session: Session, name: str = "session") -> str:
    """The address of a page about it."""
    return reverse(f"console:{name}", args=[public_id("session", session.pk)])


def reason_in_words(reason: str) -> str:
    """Why a session ended."""
    return {
        "signed_out": _("signed out"),
        "ended_by_admin": _("ended by an admin"),
        "ended_by_person": _("ended on the devices page"),
        "another_account": _("another account signed in"),
        "session_limit": _("too many at a time"),
        "contained": _("contained after an alert"),
        "application_signed_out": _("signed out by the application"),
        "password_changed": _("the password changed"),
        "password_change_required": _("a new password was required"),
        "user_disabled": _("the account was disabled"),
        "user_locked": _("the account was locked"),
        "email_change_reverted": _("a change of email was taken back"),
        "invitation_resumed": _("the invitation was taken up again"),
        "phone_change_reverted": _("a change of the phone number was taken back"),
    }.get(reason, reason.replace("_", " "))


@dataclass(frozen=True)
class SessionRow:
    """A row of a list."""

    session: Session
    public_id: str
    url: str
    end_url: str
    person: str
    person_url: str
    applications: list[str]
    device: Device
    address: str
    started: datetime
    last_seen: datetime
    is_live: bool
    status: str
    is_own: bool
    may_end: bool
    menu: list[dict[str, Any]]


def status_of(session: Session, *, is_live: bool) -> str:
    """Active, or why not."""
    if is_live:
        return _("Active")
    if session.status == SessionStatus.ENDED:
        return _("Ended")
    return _("Run out")


def rows_of(sessions: Sequence[Session], actor: Actor) -> list[SessionRow]:
    """A page of sessions with their applications; one query for all of them."""
    used = applications_of([session.pk for session in sessions])
    return [row_of(session, used[session.pk], actor) for session in sessions]


def row_of(session: Session, used: Iterable[SessionApplication], actor: Actor) -> SessionRow:
    """What a list shows of one session."""
    realm = current_realm()
    is_live = realm is not None and session_is_live(session, realm)  # type: ignore[arg-type]
    own = actor.session_id == session.pk
    may_end = actor.can_somewhere(Permission.SESSIONS_END) and is_live
    user = session.user
    person_url = user_url(session.user_id) if session.user_id and actor.can_somewhere(Permission.USERS_READ) else ""
    menu: list[dict[str, Any]] = [{"label": _("Open"), "url": session_url(session), "icon": "devices"}]
    if person_url:
        menu.append({"label": _("Open person"), "url": person_url, "icon": "person"})
    if may_end:
        menu += [
            {"divider": True},
            {
                "label": _("End session…"),
                "url": session_url(session, "session_end"),
                "icon": "logout",
                "danger": True,
                "dialog": True,
            },
        ]
    return SessionRow(
        session=session,
        public_id=public_id("session", session.pk),
        url=session_url(session),
        end_url=session_url(session, "session_end"),
        person=user.display_name if user else "",
        person_url=person_url,
        applications=[str(use.application.name) for use in used],
        device=device_of(session.user_agent),
        address=session.ip or "",
        started=session.created_at,
        last_seen=session.last_seen_at,
        is_live=is_live,
        status=status_of(session, is_live=is_live),
        is_own=own,
        may_end=may_end,
        menu=menu,
    )
