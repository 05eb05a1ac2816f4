"""Devices that a person signed in from before, by a signed cookie: a way in that others can't lock (RL-08)."""

import re
import secrets
from datetime import timedelta
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse

from identity.kernel.naming import cookie_name
from identity.kernel.origin import origin_of_request
from identity.realms.models import Realm
from identity.sessions.middleware import cookie_arguments

REMEMBERED = timedelta(days=180)
MOST_PEOPLE = 5


def _salt(realm: Realm) -> str:
    return f"identity.signin.device.{realm.pk}"


def _known(request: HttpRequest, realm: Realm) -> list[tuple[str, str]]:
    value = request.COOKIES.get(cookie_name("t", realm), "")
    if not value or len(value) > 1500:
        return []
    try:
        pairs = signing.loads(value, salt=_salt(realm), max_age=REMEMBERED)
        return [(UUID(user).hex, str(device)) for user, device in pairs][:MOST_PEOPLE]
    except (signing.BadSignature, ValueError, TypeError):
        return []


def known_devices(request: HttpRequest, realm: Realm) -> dict[UUID, str]:
    """Who signed in from this device before, and its id for each. A forged cookie, or another realm's, says nothing."""
    return {UUID(user): device for user, device in _known(request, realm)}


def remember_device(request: HttpRequest, response: HttpResponse, realm: Realm, user_id: UUID) -> str:
    """Let this device be known for this person: at most the five who used it last. Returns its id for the person."""
    known = _known(request, realm)
    device = next((device for user, device in known if user == user_id.hex), secrets.token_urlsafe(12))
    others = [(user, device_id) for user, device_id in known if user != user_id.hex]
    response.set_cookie(
        cookie_name("t", realm),
        signing.dumps([(user_id.hex, device), *others][:MOST_PEOPLE], salt=_salt(realm)),
        max_age=int(REMEMBERED.total_seconds()),
        httponly=True,
        **cookie_arguments(realm),
    )
    return device


def label_of(request: HttpRequest) -> str:
    """What the browser calls itself, without what all of them say: lists make "Firefox on macOS" of it."""
    agent = origin_of_request(request).user_agent
    return re.sub(r"Mozilla/5\.0 |AppleWebKit/\S+ |\(KHTML, like Gecko\) |Gecko/\S+ ", "", agent)[:100]
