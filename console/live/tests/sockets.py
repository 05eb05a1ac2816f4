"""A page's websocket in tests: the whole ASGI application, cookies and all."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from channels.testing import WebsocketCommunicator
from django.db import connection, connections

from config.asgi import application
from console.live.hub import hub
from identity.accounts.models import User
from identity.kernel.naming import cookie_name
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient

ROW = re.compile(r'data-event-id="([0-9a-f-]{36})"')


def cookie_of(realm: Realm, user: User) -> str:
    """A signed-in browser's cookie header."""
    client = RealmClient(realm).sign_in(user)
    name = cookie_name("s", realm)
    return f"{name}={client.cookies[name].value}"


def socket(realm: Realm | str, cookie: str = "", *, origin: str = "http://testserver", language: str = "en") -> Any:
    """An unopened socket of the realm's console."""
    slug = realm if isinstance(realm, str) else realm.slug
    headers = [
        (b"host", b"testserver"),
        (b"origin", origin.encode()),
        (b"cookie", cookie.encode()),
        (b"accept-language", language.encode()),
        (b"user-agent", b"Firefox"),
    ]
    return WebsocketCommunicator(application, f"/realms/{slug}/console/live", headers=headers)


class Page:
    """An open page: what it was sent, and the code that it was closed with."""

    def __init__(self, realm: Realm, cookie: str, **more: Any) -> None:
        self.communicator = socket(realm, cookie, **more)
        self.messages: list[str] = []
        self.code: int | None = None

    async def open(self, last: str = "") -> "Page":
        """Connect, and resume from `last` as the page's script does."""
        connected, _ = await self.communicator.connect(timeout=5)
        assert connected
        await self.say(json.dumps({"resume": last}))
        return self

    async def say(self, text: str) -> None:
        """Send something."""
        await self.communicator.send_to(text_data=text)

    async def listen(self, seconds: float = 0.5, *, until: Callable[["Page"], bool] | None = None) -> "Page":
        """Take what comes until `until` holds, the socket closes, or the time is over."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self.code is None and not (until and until(self)):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            # Not with receive_output's own timeout: that one cancels the application.
            try:
                message = await asyncio.wait_for(asyncio.shield(self._next()), left)
            except TimeoutError:
                break
            self._pending = None
            if message["type"] == "websocket.send":
                self.messages.append(message["text"])
            elif message["type"] == "websocket.close":
                self.code = message.get("code", 1000)
        return self

    def _next(self) -> asyncio.Future[Any]:
        pending = getattr(self, "_pending", None)
        if pending is None:
            pending = self._pending = asyncio.ensure_future(self.communicator.output_queue.get())
        return pending

    @property
    def rows(self) -> list[str]:
        """The ids of the rows, in the order of arrival."""
        return [found for message in self.messages for found in ROW.findall(message)]

    async def close(self) -> None:
        """As when the tab is closed."""
        pending = getattr(self, "_pending", None)
        if pending is not None:
            pending.cancel()
        await self.communicator.disconnect(timeout=5)


async def elsewhere[T](act: Callable[..., T], *arguments: Any) -> T:
    """Do something in another thread, on a connection of its own, as another process would."""

    def there() -> T:
        try:
            return act(*arguments)
        finally:
            connection.close()

    return await asyncio.to_thread(there)


def run[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine; afterwards no socket, thread or connection of it is left."""

    async def whole() -> T:
        try:
            return await work
        finally:
            for open_socket in list(hub.sockets):
                hub.remove(open_socket)
            await asyncio.sleep(0.05)

    try:
        return asyncio.run(whole())
    finally:
        if not connection.in_atomic_block:
            connections.close_all()
