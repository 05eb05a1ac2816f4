"""What the door's pages know of a request: the realm, the actor, the application that asks, where to go on."""

from typing import cast
from uuid import UUID

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest

from identity.accounts.models import User
from identity.kernel.actor import Actor, ActorKind
from identity.kernel.naming import prefix_of
from identity.kernel.origin import origin_of_request
from identity.oauth.asking import Asking, asking_application
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.signin.rules import safe_return

AUTHORIZE = "/oauth/authorize"


class EntranceRequest(HttpRequest):
    """What the middleware puts on a request inside a realm."""

    realm: Realm
    actor: Actor
    request_id: str


def realm_of(request: HttpRequest) -> Realm:
    """The realm that the request is in; the door exists nowhere else."""
    return cast(EntranceRequest, request).realm


def actor_of(request: HttpRequest) -> Actor:
    """Who acts: nobody, until somebody is signed in."""
    return cast(EntranceRequest, request).actor


def actor_as(request: HttpRequest, user: User, session: Session | None) -> Actor:
    """The person himself, in the moment of coming in. It holds nothing: the next request builds the real one."""
    return Actor(
        kind=ActorKind.USER,
        realm_id=user.realm_id,
        id=user.pk,
        home_realm_id=user.realm_id,
        session_id=session.pk if session else None,
        origin=origin_of_request(request),
        request_id=cast(EntranceRequest, request).request_id,
        name=user.display_name,
        email=user.email or "",
    )


def asking(request: HttpRequest) -> Asking | None:
    """The application that the person is on the way to. An old wish that this visit has left behind doesn't count."""
    pending = request.session.get("account_login") or {}
    wanted = next_of(request) or request.session.get("account_next", "") or pending.get("redirect_url") or ""
    if not wanted.startswith(f"{prefix_of(realm_of(request))}{AUTHORIZE}?"):
        return None
    return asking_application(request.session)


def asking_id(request: HttpRequest) -> UUID | None:
    """The id of that application, for events."""
    found = asking(request)
    return found.application_id if found else None


def next_of(request: HttpRequest) -> str:
    """Where to go on afterwards, if it is a page of this realm; else nothing."""
    url = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
    return url if safe_return(url, prefix=prefix_of(realm_of(request))) else ""
