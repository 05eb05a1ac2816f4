"""Who listens: the console's actor of a websocket, built from its cookies before the socket opens."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import parse_cookie
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from identity.gate.actors import console_actor
from identity.kernel.origin import Origin, clean_user_agent, client_ip
from identity.kernel.permissions import Permission
from identity.realms.mount import App, Scope, refuse_socket

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


def language_of(user: Any, realm: Any, accepted: str) -> str:
    """The viewer's language: the person's own, else what the browser asks for, else the realm's."""
    wanted = [getattr(user, "language", None) or "", *(code for code, _ in parse_accept_lang_header(accepted))]
    for code in [*wanted, realm.setting("language")]:
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


class ConsoleActorScope:
    """Opens the socket for people who may open this realm's console, and for nobody else."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Puts actor, user, visit and language into the scope, or refuses the socket."""
        cookies = parse_cookie(_header(scope, b"cookie"))
        realm = scope["realm"]
        origin = origin_of_scope(scope)

        def identify() -> Any:
            try:
                return console_actor(realm, cookies, origin)
            finally:
                connection.close()

        actor, user, visit = await sync_to_async(identify, thread_sensitive=False)()
        if actor is None or not actor.is_person or not actor.can_somewhere(Permission.CONSOLE_OPEN):
            await refuse_socket(receive, send, REFUSED)
            return
        language = language_of(user, realm, _header(scope, b"accept-language"))
        await self.app({**scope, "actor": actor, "user": user, "visit": visit, "language": language}, receive, send)
