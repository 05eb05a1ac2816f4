"""A small HTTP/1.1 client: kept-alive connections, a cookie jar, no redirects; cheap enough for a load."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

TIMEOUT = 60


class Unexpected(Exception):
    """A server answered something else than the operation's result: the request counts as failed."""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, its header names in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's first value, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    def json(self) -> dict[str, Any]:
        """Return the document of a successful answer."""
        if self.status != 200:
            raise Unexpected(f"status {self.status}: {self.body[:160]!r}")
        document: dict[str, Any] = json.loads(self.body)
        return document


class Agent:
    """One browser or API client: a connection to one server, and its cookies."""

    def __init__(self, origin: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        parts = urlsplit(origin)
        self.origin = origin
        self.cookies: dict[str, str] = {}
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._headers = [("Host", parts.netloc), ("Accept", "*/*"), *headers]
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, url: str, *headers: tuple[str, str], cookies: bool = True) -> Response:
        """Send a GET request."""
        return await self._request("GET", url, list(headers), b"", cookies=cookies)

    async def post(self, url: str, form: dict[str, str], *headers: tuple[str, str], cookies: bool = False) -> Response:
        """Send a form."""
        typed = [*headers, ("Content-Type", "application/x-www-form-urlencoded")]
        return await self._request("POST", url, typed, urlencode(form).encode(), cookies=cookies)

    def close(self) -> None:
        """Drop the connection; the cookies stay."""
        if self._stream is not None:
            self._stream[1].close()
            self._stream = None

    async def _request(
        self, method: str, url: str, headers: list[tuple[str, str]], body: bytes, *, cookies: bool
    ) -> Response:
        parts = urlsplit(urljoin(self.origin, url))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if cookies and self.cookies:
            headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        if body or method == "POST":
            headers.append(("Content-Length", str(len(body))))
        lines = [
            f"{method} {target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in self._headers + headers),
        ]
        message = "\r\n".join([*lines, "", ""]).encode() + body
        async with asyncio.timeout(TIMEOUT):
            response = await self._exchange(message)
        for name, value in response.headers:
            if name == "set-cookie":
                self._store_cookie(value)
        return response

    async def _exchange(self, message: bytes) -> Response:
        kept = self._stream is not None
        try:
            return await self._send(message)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            if not kept:
                raise
            # The server had closed an idle connection; a fresh one that fails would be a failure.
            return await self._send(message)

    async def _send(self, message: bytes) -> Response:
        if self._stream is None:
            self._stream = await asyncio.open_connection(*self._address)
        reader, writer = self._stream
        writer.write(message)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in head[1:-2])]
        response = Response(int(head[0].split(" ")[1]), headers, b"")
        if response.status not in (204, 304):
            response = Response(response.status, headers, await _read_body(reader, response))
        if response.header("connection").lower() == "close":
            self.close()
        return response

    def _store_cookie(self, header: str) -> None:
        pair, _, attributes = header.partition(";")
        name, _, value = pair.strip().partition("=")
        if not value or "max-age=0" in attributes.lower().replace(" ", "") or "1970" in attributes:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value


async def _read_body(reader: asyncio.StreamReader, response: Response) -> bytes:
    if "chunked" in response.header("transfer-encoding").lower():
        chunks = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            chunks.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readline()
        return b"".join(chunks)
    if length := response.header("content-length"):
        return await reader.readexactly(int(length))
    return await reader.read()
