"""The one way out over HTTP, for addresses that others chose: it never reaches what is ours, and never for long.

A provider's discovery page, a gateway for short messages, a list of breached passwords, later a webhook: whoever writes
the URL could make this server ask its own network in his place (server-side request forgery, IN-01 to IN-05).

* The name is resolved once, every address must be public, and the address that was connected is looked at again
  (IN-02): what the text of a URL looks like decides nothing.
* One deadline for all of it, kept by a watchdog that shuts the socket, at whichever step bytes trickle; at most 256 KiB
  of answer, unpacked nowhere (IN-04).
* Redirects are answers, not instructions. No proxy or password file of the environment is used.
* Every failure is one exception without detail for the person; the detail goes to the log (IN-05).
"""

import http.client
import ipaddress
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urlsplit

import certifi
import requests
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from requests.adapters import BaseAdapter

from identity.kernel.errors import RealmkeepError

logger = logging.getLogger(__name__)

DEADLINE = 10.0
"""Seconds for everything: resolving, connecting, TLS, sending and the whole answer."""
MAX_ANSWER = 256 * 1024
MAX_URL = 2000
_SAFE_URL = re.compile(r"[!#-;=?-\[\]_a-z~]+", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9.:_-]+", re.IGNORECASE)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class OutboundFailed(RealmkeepError):
    """The other side could not be asked, or must not be. Says no more than that (IN-05)."""

    code = "outbound_failed"
    default_message = _("The other side could not be reached.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def is_public(address: str) -> bool:
    """Whether an address lies outside: neither ours, nor this machine, nor a way to spell one of these (IN-01).

    Addresses that carry another one inside (mapped, 6to4, NAT64, Teredo) are judged by that one, too.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.scope_id:
            return False
        inner: list[Address | None] = [parsed.ipv4_mapped, parsed.sixtofour, *(parsed.teredo or ())]
        if parsed in _NAT64:
            inner.append(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF))
        if not all(_is_global(each) for each in inner if each is not None):
            return False
        if parsed.ipv4_mapped is not None or parsed in _NAT64 or parsed in _SIX_TO_FOUR:
            return True
    return _is_global(parsed)


def _is_global(address: Address) -> bool:
    return address.is_global and not (
        address.is_multicast or address.is_unspecified or address.is_reserved or address.is_loopback
    )


def _is_allowed(address: str) -> bool:
    """Public, or in a network that the operator named (a provider inside the own network, fakes in tests)."""
    if is_public(address):
        return True
    return _is_named(address)


def _is_named(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in ipaddress.ip_network(network) for network in settings.REALMKEEP_OUTBOUND_NETWORKS)


def checked_url(url: str) -> SplitResult:
    """The parts of a URL that may be asked: https, or http where the operator named networks. Raises OutboundFailed.

    Refuses credentials, control characters, spaces and backslashes (a second request or host could hide in them), and
    every scheme that is not HTTP.
    """
    if len(url) > MAX_URL or not _SAFE_URL.fullmatch(url):
        raise OutboundFailed
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise OutboundFailed from None
    schemes = ("https", "http") if settings.REALMKEEP_OUTBOUND_NETWORKS else ("https",)
    right = parts.scheme in schemes and parts.hostname and "@" not in parts.netloc and port != 0
    if not right or not _HOST.fullmatch(parts.hostname or ""):
        raise OutboundFailed
    return parts


_resolvers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve")


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """All addresses of a name, asked once. The system's resolver knows no deadline: it waits in a thread of its own."""
    asked = _resolvers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = asked.result(timeout=max(0.0, seconds))
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Deadline:
    """Shuts the socket when time is up: a timeout for each read would let somebody send a byte a second for hours."""

    def __init__(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds
        self._twin: socket.socket | None = None
        self._timer: threading.Timer | None = None
        self.is_over = False

    @property
    def left(self) -> float:
        return self.ends - time.monotonic()

    def watch(self, connected: socket.socket) -> None:
        # A twin of the descriptor: TLS takes the first one over, and shutting either shuts the connection.
        self._twin = connected.dup()
        self._timer = threading.Timer(max(0.0, self.left), self._shut)
        self._timer.daemon = True
        self._timer.start()

    def _shut(self) -> None:
        self.is_over = True
        if self._twin is not None:
            with suppress(OSError):
                self._twin.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            # It may be shutting just now: a closed descriptor's number could be somebody else's by then.
            self._timer.join()
        if self._twin is not None:
            self._twin.close()


def _connect(host: str, port: int, deadline: _Deadline) -> socket.socket:
    addresses = _resolve(host, port, deadline.left)
    # One that is ours among them spoils all: which one is taken would be the other side's choice.
    if not addresses or not all(_is_allowed(address) for address in addresses):
        raise OSError("the name leads to an address that is not public")
    connected = _first_that_answers(addresses, port, deadline)
    peer = connected.getpeername()[0]
    if not _is_allowed(peer):
        connected.close()
        raise OSError("connected to an address that is not public")
    deadline.watch(connected)
    return connected


def _first_that_answers(addresses: list[str], port: int, deadline: _Deadline) -> socket.socket:
    for address in addresses[:-1]:
        with suppress(OSError):
            return socket.create_connection((address, port), timeout=max(0.1, deadline.left / 2))
    return socket.create_connection((addresses[-1], port), timeout=max(0.1, deadline.left))


def fetch(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    seconds: float = DEADLINE,
    most: int = MAX_ANSWER,
) -> Answer:
    """Ask the other side once. Redirects are returned like any answer. Raises OutboundFailed."""
    parts = checked_url(url)
    deadline = _Deadline(seconds)
    try:
        return _asked(method, parts, dict(headers or {}), body, deadline, most)
    except (OSError, http.client.HTTPException, NotInTime, ValueError) as error:
        logger.info("Outbound request to %s failed: %s", parts.hostname, type(error).__name__)
        raise OutboundFailed from None
    finally:
        deadline.end()


def _asked(
    method: str, parts: SplitResult, headers: dict[str, str], body: bytes | None, deadline: _Deadline, most: int
) -> Answer:
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    connection = http.client.HTTPConnection(host, port)
    connected = _connect(host, port, deadline)
    try:
        if not secure and not _is_named(connected.getpeername()[0]):
            raise OSError("plain http leaves only for networks that the operator named")
        connected.settimeout(max(0.1, deadline.left))
        connection.sock = _trust().wrap_socket(connected, server_hostname=host) if secure else connected
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # Nothing is unpacked: a small answer can't become a large one.
        connection.request(method, target, body=body, headers={**headers, "Accept-Encoding": "identity"})
        response = connection.getresponse()
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise ValueError("a packed answer")
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(16 * 1024):
            size += len(chunk)
            if size > most:
                raise ValueError("too long an answer")
            chunks.append(chunk)
        if deadline.is_over or (response.length or 0) > 0:
            raise OSError("the answer was cut")
        named = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, named, b"".join(chunks))
    finally:
        with suppress(OSError):
            (connection.sock or connected).close()


class _Adapter(BaseAdapter):
    """`requests` on top of `fetch`, for libraries that bring their own calls."""

    def send(self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any) -> requests.Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        try:
            answer = fetch(
                request.method or "GET",
                request.url or "",
                headers={name: str(value) for name, value in request.headers.items()},
                body=body if isinstance(body, bytes) else None,
            )
        except OutboundFailed as error:
            raise requests.ConnectionError(str(error)) from None
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response._content = answer.body
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is kept open."""


class OutboundSession(requests.Session):
    """A session that can only go out through `fetch`; it follows no redirect and reads no environment."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.adapters.clear()
        self.mount("https://", _Adapter())
        self.mount("http://", _Adapter())

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: an answer that points elsewhere is an answer."""
        return None


Fetch = Callable[..., Answer]
"""The type of `fetch`, for rooms that take it as an argument."""
