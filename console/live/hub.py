"""The open consoles of this process: what is new reaches them, and they close when their authority ends.

The first socket starts the work and the last one stops it, so an idle server does nothing, and no start-up hook is
needed under any server.
"""

import asyncio
import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import connection
from django.utils.safestring import SafeString

from console.live.groups import feed_group
from console.live.publishing import ENDS_AUTHORITY, message_for
from console.live.rows import Viewer, render_row
from console.live.tail import Fresh, Tail, seconds_between_looks
from identity.audit.feed import is_in_feed
from identity.audit.queries import events_by_id
from identity.audit.reading import ReadableEvent, readable
from identity.gate.sockets import Standing, standings
from identity.kernel.context import realm_scope
from identity.realms.models import Realm

if TYPE_CHECKING:
    from identity.gate.actors import Principal

logger = logging.getLogger(__name__)

RECHECK_SECONDS = 3.0
REFUSED, CHANGED = 4403, 1012
REMEMBERED = 2000
EVENTS_IN_A_MESSAGE = 200


class Socket(Protocol):
    """What the hub knows of a consumer."""

    realm: Realm
    principal: "Principal"

    async def close(self, code: int | None = None) -> None:
        """Close it. 4403: not allowed any more. 1012: connect again, what you may has changed."""


def _close_connection() -> None:
    """In the thread that is about to end: `connection` names another one in each thread."""
    connection.close()


class Hub:
    """One for each process. Everything but `rows` runs in the event loop; the database is asked in threads of its own:
    Channels' own helper would share a single thread among all sockets (DECISIONS 36)."""

    def __init__(self) -> None:
        self.sockets: set[Socket] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.task: asyncio.Task[None] | None = None
        self.recheck_now = asyncio.Event()
        self.tail = Tail()
        self._tail_thread: ThreadPoolExecutor | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._events: OrderedDict[UUID, ReadableEvent] = OrderedDict()
        self._rows: OrderedDict[tuple[UUID, Viewer], SafeString] = OrderedDict()

    # --- sockets come and go -----------------------------------------------------------------------------------------

    def add(self, socket: Socket) -> None:
        """A socket opened."""
        loop = asyncio.get_running_loop()
        self.sockets.add(socket)
        if self.task is None or self.task.done() or self.loop is not loop:
            self.loop = loop
            self.recheck_now = asyncio.Event()
            self.tail = Tail()
            self._tail_thread = ThreadPoolExecutor(1, "live-tail")
            self._threads = ThreadPoolExecutor(1, "live-rows")
            self.task = loop.create_task(self._run())

    def remove(self, socket: Socket) -> None:
        """A socket closed."""
        self.sockets.discard(socket)
        if self.sockets or self.task is None:
            return
        self.task.cancel()
        self.task = None
        for threads in (self._tail_thread, self._threads):
            if threads is not None:
                threads.submit(_close_connection)
                threads.shutdown(wait=False)
        self._tail_thread = self._threads = None
        with self._lock:
            self._events.clear()
            self._rows.clear()

    def count(self, *, realm_id: UUID, user_id: UUID | None = None) -> int:
        """How many sockets a realm, or one person in it, has open in this process."""
        return sum(
            1
            for socket in self.sockets
            if socket.realm.pk == realm_id
            and (user_id is None or (socket.principal.user is not None and socket.principal.user.pk == user_id))
        )

    def note(self, ids: Iterable[UUID]) -> None:
        """These ids reached this process over Redis."""
        self.tail.note(ids)

    def recheck_soon(self) -> None:
        """Somebody's authority may have ended: ask now instead of at the next beat."""
        self.recheck_now.set()

    # --- the beat ----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        loop, pause, checked = asyncio.get_running_loop(), seconds_between_looks(), time.monotonic()
        while True:
            started = time.monotonic()
            try:
                # Not through `_in`: SQLite's counter, by which the tail sees writes, begins anew in each connection.
                fresh = await loop.run_in_executor(self._tail_thread, self.tail.look, self._watched())
                await self._tell(fresh)
                urgent = self.recheck_now.is_set() or any(event.type in ENDS_AUTHORITY for event in fresh)
                if urgent or started - checked >= RECHECK_SECONDS:
                    self.recheck_now.clear()
                    checked = started
                    await self._recheck()
            except Exception:
                # A database that is away: sockets stay, and go on when it is back.
                logger.exception("The live feed missed a beat")
                await asyncio.sleep(1)
            left = max(0.01, pause - (time.monotonic() - started))
            try:
                await asyncio.wait_for(self.recheck_now.wait(), min(left, RECHECK_SECONDS))
            except TimeoutError:
                continue

    def _watched(self) -> set[UUID]:
        """The realms of the sockets, and for visiting operators their own: its events may end the visit."""
        homes = {socket.principal.user.realm_id for socket in self.sockets if socket.principal.user is not None}
        return homes | {socket.realm.pk for socket in self.sockets}

    async def _tell(self, fresh: Sequence[Fresh]) -> None:
        layer = get_channel_layer()
        by_realm: dict[UUID, list[tuple[UUID, str]]] = {}
        for event in fresh:
            by_realm.setdefault(event.realm_id, []).append((event.id, event.type))
        for realm_id, events in by_realm.items():
            # One message for each realm and beat; of a flood the newest, since pages show no more than 50.
            message = message_for(events[-EVENTS_IN_A_MESSAGE:])
            await layer.group_send(feed_group(realm_id), {**message, "recheck": False})

    async def _recheck(self) -> None:
        sockets = list(self.sockets)
        asked = [(socket.realm.pk, socket.principal) for socket in sockets]
        for socket, standing in zip(sockets, await self._in(self._threads, standings, asked), strict=True):
            if standing is Standing.ENDED:
                await socket.close(code=REFUSED)
            elif standing is Standing.CHANGED:
                await socket.close(code=CHANGED)

    # --- rows ---------------------------------------------------------------------------------------------------------

    async def rows(self, realm: Realm, ids: Sequence[UUID], viewer: Viewer) -> list[SafeString]:
        """The rows of these events as one viewer sees them, in the order of the ids.

        However many sockets ask, an event is read once, and rendered once for each kind of viewer.
        """
        return await self.call(self._rendered, realm, ids, viewer)

    def _rendered(self, realm: Realm, ids: Sequence[UUID], viewer: Viewer) -> list[SafeString]:
        with self._lock:
            missing = [pk for pk in ids if pk not in self._events]
            if missing:
                with realm_scope(realm):
                    for event in readable(events_by_id(realm.pk, missing)):
                        self._events[event.row.pk] = event
            out = []
            for pk in ids:
                event = self._events.get(pk)
                # Asked again by its realm: a message on a wrong group must not show another realm's event.
                if event is None or event.row.realm_id != realm.pk or not is_in_feed(event.row):
                    continue
                row = self._rows.get((pk, viewer))
                if row is None:
                    row = self._rows[pk, viewer] = render_row(event, viewer, realm)
                out.append(row)
            for cache in (self._events, self._rows):
                while len(cache) > REMEMBERED:
                    cache.popitem(last=False)
            return out

    async def call[T](self, function: Callable[..., T], *arguments: Any) -> T:
        """Run something that asks the database, in the hub's own threads."""
        return await self._in(self._threads, function, *arguments)

    async def _in[T](self, threads: ThreadPoolExecutor | None, function: Callable[..., T], *arguments: Any) -> T:
        def run() -> T:
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            return function(*arguments)

        return await asyncio.get_running_loop().run_in_executor(threads, run)

    def sockets_of_realms(self) -> Counter[UUID]:
        """How many sockets each realm has: for metrics."""
        return Counter(socket.realm.pk for socket in self.sockets)


hub = Hub()
