"""Which application a person is on the way to: kept in the session meanwhile, shown as the trip line."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

from identity.applications.models import Application

KEY = "asking"


class Session(Protocol):
    """What is needed of a session: a mapping."""

    def get(self, key: str, default: Any = None) -> Any:
        """A value."""

    def __setitem__(self, key: str, value: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Asking:
    """The application that asks. origin: where the browser will be sent; login_hint: whom the application expects."""

    application_id: UUID
    client_id: str
    name: str
    origin: str
    login_hint: str = ""


def origin_of_uri(uri: str) -> str:
    """What a content security policy calls the target of a redirect: origin, or the scheme of a native app."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def remember(
    session: Session, application: Application, *, redirect_uri: str, login_hint: str, request: str, now: datetime
) -> None:
    """Note who asks, and when this very request was sent to the sign-in page (for prompt=login and max_age)."""
    session[KEY] = {
        "application_id": str(application.pk),
        "client_id": application.client_id,
        "name": application.name,
        "origin": origin_of_uri(redirect_uri),
        "login_hint": login_hint[:254],
        "request": request,
        "at": now.isoformat(),
    }


def asking_application(session: Session) -> Asking | None:
    """The application that a person is on the way to, for the sign-in pages; None if nobody asks."""
    kept = session.get(KEY)
    if not kept:
        return None
    return Asking(
        UUID(kept["application_id"]), kept["client_id"], kept["name"], kept["origin"], kept.get("login_hint", "")
    )


def asked_at(session: Session, request: str) -> datetime | None:
    """When this very authorization request was sent to the sign-in page, or None."""
    kept = session.get(KEY)
    if not kept or kept.get("request") != request:
        return None
    return datetime.fromisoformat(kept["at"])


def form_action(policy: dict[str, Any], origin: str) -> dict[str, Any]:
    """The policy of a page whose form ends, after redirects, at the application: browsers check each hop."""
    return {**policy, "form-action": [*policy.get("form-action", []), origin]}
