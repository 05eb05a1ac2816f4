"""What tests ask of the outbox: deliver, then read what a person would have got; and fakes of providers over HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

from django.test import override_settings

from identity.courier.commands import deliver_due
from identity.courier.queries import OutboxMessage, outbox_messages
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.realms.models import Realm


def mails(realm: Realm) -> list[OutboxMessage]:
    """Everything that is due is delivered; the realm's mails, oldest first."""
    while deliver_due():
        pass
    with realm_scope(realm):
        return outbox_messages(system_actor(realm.pk))[::-1]


def path_of(link: str) -> str:
    """The path of a link in a mail, as the test client wants it."""
    return "/" + link.split("/", 3)[3]


@dataclass(frozen=True, slots=True)
class Heard:
    """One request that a fake provider got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The body as a form's fields."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


Said = tuple[int, str]
Behavior = Callable[[Heard], Said]


class FakeProvider:
    """A provider of short messages on this machine, spoken to over HTTP by the real client code.

    `behavior` answers each request with status and body; it may wait, to be slow, or raise, to hang up.
    """

    def __init__(self, behavior: Behavior | None = None) -> None:
        self.heard: list[Heard] = []
        self.behavior = behavior or (lambda _heard: (200, "{}"))
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                heard = Heard(self.command, self.path, headers, self.rfile.read(length))
                fake.heard.append(heard)
                with suppress(OSError):
                    status, body = fake.behavior(heard)
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body.encode())))
                    self.end_headers()
                    self.wfile.write(body.encode())

            do_GET = do_PUT = do_POST  # noqa: N815 - the library's names

            def log_message(self, *_args: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        # How often it looks whether it shall stop: each test's end waits for that.
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def twilio_says(heard: Heard) -> Said:
    """What Twilio answers to a message or verification that it takes."""
    sid = "VE" if "Verifications" in heard.path else "SM"
    return 201, json.dumps({"sid": sid + "0" * 32, "status": "queued"})


@contextmanager
def fake_provider(behavior: Behavior | None = None) -> Iterator[FakeProvider]:
    """A fake provider that this installation may reach, and that Twilio's and SNS's addresses lead to."""
    fake = FakeProvider(behavior)
    settings = override_settings(
        REALMKEEP_OUTBOUND_NETWORKS=["127.0.0.0/8"],
        REALMKEEP_TWILIO_URL=fake.url,
        REALMKEEP_TWILIO_VERIFY_URL=fake.url,
        REALMKEEP_SNS_URL=f"{fake.url}/",
    )
    try:
        with settings:
            yield fake
    finally:
        fake.close()
