"""The websocket of the console: rows of the feed and counters, for as long as the viewer may see them."""

import asyncio
import json
import logging
import time
from collections import deque
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.live.groups import feed_group
from console.live.hub import hub
from console.live.rows import Viewer, viewer_of
from console.shell import counts
from identity.audit.queries import newest_ids
from identity.gate.actors import Principal
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.kernel.ids import uuid7_floor, uuid7_time
from identity.kernel.permissions import Permission
from identity.realms.models import Realm

logger = logging.getLogger(__name__)

OVERLAP = timedelta(seconds=10)
MOST_RESUMED = 500
ROWS_SHOWN = 50
REMEMBERED = 2000
PACE_SECONDS = 0.1

MOST_FOR_PERSON = 12
MOST_FOR_REALM = 1000
MOST_BYTES = 1024
MESSAGES, MESSAGES_IN_SECONDS = 20, 10.0
SILENT_SECONDS = 30.0

TOO_BIG, TOO_MANY, SILENT = 1009, 4429, 4408


class FeedConsumer(AsyncWebsocketConsumer):
    """One open page. It says `{"resume": id of its newest row}` once; everything else comes from here."""

    realm: Realm
    principal: Principal
    actor: Actor
    viewer: Viewer

    async def connect(self) -> None:
        """Joins the realm's group. Too many sockets of one person or realm are turned away (DS-05)."""
        self.realm = self.scope["realm"]
        self.principal = self.scope["principal"]
        self.actor = self.principal.actor
        self.language: str = self.scope["language"]
        self.viewer = viewer_of(self.actor, self.language, self.scope["mount"].prefix)
        self.sent: dict[UUID, None] = {}
        self.pending: dict[UUID, None] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.received: deque[float] = deque(maxlen=MESSAGES)
        self.flushed_at = 0.0
        self.is_joined = self.has_resumed = False
        self.counts_changed = False
        self.counts_sent = ""
        await self.accept()
        user = self.principal.user
        if (
            user is None
            or hub.count(realm_id=self.realm.pk, user_id=user.pk) >= MOST_FOR_PERSON
            or hub.count(realm_id=self.realm.pk) >= MOST_FOR_REALM
        ):
            await self.close(code=TOO_MANY)
            return
        self.is_joined = True
        hub.add(self)
        await self.channel_layer.group_add(feed_group(self.realm.pk), self.channel_name)
        self._later(self._close_if_silent())

    async def disconnect(self, code: int) -> None:
        """Leaves the group; the last socket stops the hub."""
        self.is_joined = False
        for task in self.tasks:
            task.cancel()
        await self.channel_layer.group_discard(feed_group(self.realm.pk), self.channel_name)
        hub.remove(self)

    def _later(self, work: Any, name: str = "") -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _close_if_silent(self) -> None:
        """A page resumes as soon as it is connected; what doesn't is no page, and only holds a socket (DS-05)."""
        await asyncio.sleep(SILENT_SECONDS)
        if not self.has_resumed:
            await self.close(code=SILENT)

    # --- from the page ------------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """`{"resume": id}`. Anything else is ignored; too big or too often closes the socket."""
        if not self.is_joined:
            return
        if text_data is None or len(text_data) > MOST_BYTES:
            await self.close(code=TOO_BIG)
            return
        now = time.monotonic()
        if len(self.received) == MESSAGES and now - self.received[0] < MESSAGES_IN_SECONDS:
            await self.close(code=TOO_MANY)
            return
        self.received.append(now)
        try:
            message = json.loads(text_data)
            since = (uuid7_time(UUID(message["resume"])) if message["resume"] else clock.now()) - OVERLAP
            uuid7_floor(since)  # an id that no clock of ours made may lie outside all times
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            return
        self.has_resumed = True
        await self._resume(since)

    async def _resume(self, since: datetime) -> None:
        """What was missed: the newest rows since shortly before the last one that the page has."""
        await self._push_counts()
        if not self.actor.can(Permission.AUDIT_READ):
            return

        def missed() -> list[UUID]:
            return newest_ids(self.realm.pk, since=since, most=MOST_RESUMED + 1)

        ids = await hub.call(missed)
        if len(ids) > MOST_RESUMED:
            await self.send(text_data=json.dumps({"reload": True}))
            return
        await self._push(ids, most=MOST_RESUMED)

    # --- from the group -----------------------------------------------------------------------------------------------

    async def feed_events(self, message: dict[str, Any]) -> None:
        """Ids of new events of this realm. Rows go out at once, and under a flood in steps: a slow reader gets the
        newest and never a growing queue (DS-05)."""
        if message["recheck"]:
            hub.recheck_soon()
        self.counts_changed |= bool(message["counts"])
        ids = [UUID(text) for text in message["ids"]]
        hub.note(ids)
        self.pending.update(dict.fromkeys(ids))
        left = PACE_SECONDS - (time.monotonic() - self.flushed_at)
        if left <= 0:
            await self._flush()
        elif not any(task.get_name() == "flush" for task in self.tasks):
            self._later(self._flush_after(left), "flush")

    async def _flush_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        try:
            await self._flush()
        except Exception:
            logger.exception("A live row could not be sent")

    async def _flush(self) -> None:
        self.flushed_at = time.monotonic()
        ids, self.pending = list(self.pending), {}
        if self.actor.can(Permission.AUDIT_READ):
            await self._push(ids, most=ROWS_SHOWN)
        if self.counts_changed:
            self.counts_changed = False
            await self._push_counts()

    async def _push(self, ids: list[UUID], *, most: int) -> None:
        new = sorted(pk for pk in ids if pk not in self.sent)[-most:]
        if not new:
            return
        self.sent.update(dict.fromkeys(new))
        while len(self.sent) > REMEMBERED:
            self.sent.pop(next(iter(self.sent)))
        rows = await hub.rows(self.realm, new[::-1], self.viewer)
        if rows:
            body = SafeString("".join(rows))
            await self.send(text_data=format_html('<div hx-swap-oob="afterbegin:#feed">{}</div>', body))

    async def _push_counts(self) -> None:
        """The number of open alerts in the sidebar, when it has changed."""
        if not self.actor.can(Permission.ALERTS_READ):
            return
        html = await hub.call(self._counts)
        if html != self.counts_sent:
            self.counts_sent = html
            await self.send(text_data=html)

    def _counts(self) -> str:
        source = counts.SOURCES.get("alerts")
        if source is None:
            return ""
        with realm_scope(self.realm), translation.override(self.language):
            count = source(self.actor)
            shown = count if count is not None and count.number else None
            return render_to_string("rk/shell/nav_count.html", {"name": "alerts", "count": shown, "oob": True})
