"""Passkey challenges that wait in a session: each for one purpose and one person, served once."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest

from identity.kernel import clock
from identity.mfa.errors import WrongCode
from identity.mfa.passkeys import LIFETIME

KEY = "passkey_challenge"


def keep_challenge(request: HttpRequest, purpose: str, user_id: UUID, state: dict[str, Any]) -> None:
    """Remember what was asked. A newer question replaces an older one."""
    request.session[KEY] = {
        "purpose": purpose,
        "user": user_id.hex,
        "state": {name: str(value) if value is not None else None for name, value in state.items()},
        "at": clock.now().timestamp(),
    }


def take_challenge(request: HttpRequest, purpose: str, user_id: UUID) -> dict[str, Any]:
    """What was asked, taken out: an answer is looked at once. Raises WrongCode when nothing waits for this."""
    kept = request.session.pop(KEY, None)
    if not kept or kept["purpose"] != purpose or kept["user"] != user_id.hex:
        raise WrongCode
    if clock.now().timestamp() - kept["at"] > LIFETIME.total_seconds():
        raise WrongCode
    return dict(kept["state"])
