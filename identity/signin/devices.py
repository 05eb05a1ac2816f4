"""Devices that a person signed in from before, by a signed cookie: a way in that others can't lock (RL-08)."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import cast
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse

from identity.accounts.models import User
from identity.accounts.queries import find_user_by_identifier
from identity.kernel.naming import cookie_name
from identity.kernel.origin import origin_of_request
from identity.realms.models import Realm
from identity.sessions.middleware import cookie_arguments
from identity.signin.recognition import Recognition, counts_as_known, recognized
from identity.signin.requests import realm_of

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


def remember_device(request: HttpRequest, response: HttpResponse, realm: Realm, user_id: UUID, device_id: str) -> None:
    """Let this device be known for this person, by its id for him: at most the five who used it last."""
    others = [(user, other) for user, other in _known(request, realm) if user != user_id.hex]
    response.set_cookie(
        cookie_name("t", realm),
        signing.dumps([(user_id.hex, device_id), *others][:MOST_PEOPLE], salt=_salt(realm)),
        max_age=int(REMEMBERED.total_seconds()),
        httponly=True,
        **cookie_arguments(realm),
    )


def label_of(request: HttpRequest) -> str:
    """What the browser calls itself, without what all of them say: lists make "Firefox on macOS" of it."""
    agent = origin_of_request(request).user_agent
    return re.sub(r"Mozilla/5\.0 |AppleWebKit/\S+ |\(KHTML, like Gecko\) |Gecko/\S+ ", "", agent)[:100]


def recognize(request: HttpRequest, user: User) -> Recognition:
    """The device that this person is signing in from; looked up once for each request, which asks again and again."""
    found = cast("dict[UUID, Recognition]", request.__dict__.setdefault("_recognized", {}))
    if user.pk not in found:
        realm = realm_of(request)
        found[user.pk] = recognized(
            user,
            realm=realm,
            ip=origin_of_request(request).ip,
            label=label_of(request),
            cookie=known_devices(request, realm).get(user.pk, ""),
        )
    return found[user.pk]


def known_device(request: HttpRequest) -> Callable[[User], str]:
    """Says the id of this device for a person who is known on it now, else an empty text.

    The cookie alone is not enough: a device that was denied, forgotten or copied elsewhere tries like any other. Who
    comes in is recognized by the same look-up; it costs a query only for who fails on a device with a cookie.
    """

    def of(user: User) -> str:
        if user.pk not in known_devices(request, realm_of(request)):
            return ""
        came = recognize(request, user)
        return came.device_id if came.device is not None and counts_as_known(came.device) else ""

    return of


def known_device_of(request: HttpRequest, identifier: str) -> str:
    """Person and device, where this browser is known for whom the name belongs to; else an empty text.

    Asked of nobody without a cookie, so a stranger's question does the same work for every name (LG-23).
    """
    if not known_devices(request, realm_of(request)):
        return ""
    user = find_user_by_identifier(identifier)
    device_id = known_device(request)(user) if user is not None else ""
    return f"{user.pk} {device_id}" if user is not None and device_id else ""
