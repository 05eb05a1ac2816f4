"""Who showed everything, and is signed in at too many places: for a few minutes this browser may end the others.

A person with a password chooses a new one, which ends all his sessions. One without has just shown all that a sign-in
asks of him, by his own ways in; nothing else could be asked (SE-10).
"""

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from identity.accounts.models import User
from identity.accounts.queries import user_by_id
from identity.gate.usable import is_usable
from identity.kernel import clock
from identity.signin.requests import realm_of

LIFETIME = timedelta(minutes=5)
KEY = "room_wish"
"""Session key: who was refused here, and until when he may make room."""


def note_room_wish(request: HttpRequest, user: User) -> None:
    """He showed everything a moment ago."""
    until = (clock.now() + LIFETIME).timestamp()
    request.session[KEY] = {"user": user.pk.hex, "until": until, "then": user.get_session_auth_hash()}


def take_room_wish(request: HttpRequest) -> User | None:
    """Who that was, once; None when it is too late, or he was contained or shut out since (SE-05)."""
    wish = request.session.pop(KEY, None)
    if wish is None or wish["until"] <= clock.now().timestamp():
        return None
    user = user_by_id(UUID(wish["user"]))
    if user is None or not is_usable(realm_of(request), user=user):
        return None
    return user if constant_time_compare(wish["then"], user.get_session_auth_hash()) else None
