"""Who listens: the console's actor of a websocket, built from its cookies before the socket opens."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import parse_cookie

from identity.gate.actors import Principal, console_principal
from identity.gate.language import language_for
from identity.kernel.naming import cookie_name
from identity.kernel.origin import Origin, clean_user_agent, client_ip
from identity.kernel.permissions import Permission
from identity.realms.mount import App, Scope

REFUSED = 4403


def _header(scope: Scope, name: bytes) -> str:
    return b",".join(value for key, value in scope["headers"] if key == name).decode("latin1")


def origin_of_scope(scope: Scope) -> Origin:
    """The Origin of a websocket; counts proxies exactly as HTTP does."""
    peer = (scope.get("client") or [""])[0]
    return Origin(
        ip=client_ip(peer, _header(scope, b"x-forwarded-for"), settings.REALMKEEP_TRUSTED_PROXIES),
        user_agent=clean_user_agent(_header(scope, b"user-agent")),
    )


class ConsoleActorScope:
    """Opens the socket for people who may open this realm's console, and for nobody else."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Puts principal and language into the scope, or refuses the socket."""
        cookies = parse_cookie(_header(scope, b"cookie"))
        realm = scope["realm"]
        origin = origin_of_scope(scope)

        def identify() -> Principal:
            try:
                return console_principal(realm, cookies, origin=origin)
            finally:
                connection.close()

        principal = await sync_to_async(identify, thread_sensitive=False)()
        if not principal.actor.is_person or not principal.actor.can_somewhere(Permission.CONSOLE_OPEN):
            # Opened and closed: only so does the page learn why, and loads itself anew instead of trying again.
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": REFUSED})
            return
        language = language_for(
            realm,
            chosen=cookies.get(cookie_name("l", realm), ""),
            own=principal.user.language if principal.user is not None else None,
            accepted=_header(scope, b"accept-language"),
        )
        await self.app({**scope, "principal": principal, "language": language}, receive, send)
