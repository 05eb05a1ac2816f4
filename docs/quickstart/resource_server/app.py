"""Acme Orders: a small API that lets callers in by the access tokens of a Realmkeep realm.

    REALMKEEP_ISSUER=http://localhost:8000/realms/acme AUDIENCE=https://api.acme.example/orders python app.py

What decides is in access_tokens.py; this file is a plain WSGI application around it.
"""

import json
import os
import sys
from collections.abc import Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from access_tokens import AccessTokens, KeysUnavailable, Refused

ORDERS = [
    {
        "order": "A-1041",
        "placed": "2026-03-02",
        "items": ["Walnut desk tray", "Brass hook"],
        "total": "84.00 EUR",
    },
    {"order": "A-1057", "placed": "2026-03-19", "items": ["Linen notebook"], "total": "18.50 EUR"},
]


class OrdersApi:
    """One route, `GET /orders`, that needs the scope orders.read."""

    def __init__(self, tokens: AccessTokens) -> None:
        self.tokens = tokens

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        try:
            status, answer = self._answer(environ)
        except Refused as refusal:
            # RFC 6750, section 3: the header tells a client whether to refresh or to ask for more.
            headers["WWW-Authenticate"] = refusal.challenge
            status, answer = HTTPStatus(refusal.status), {"error": refusal.code or "unauthorized"}
        except KeysUnavailable as problem:
            status, answer = HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(problem)}
        body = json.dumps(answer).encode()
        headers["Content-Length"] = str(len(body))
        start_response(f"{status.value} {status.phrase}", list(headers.items()))
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> tuple[HTTPStatus, dict[str, Any]]:
        if environ.get("PATH_INFO") != "/orders":
            return HTTPStatus.NOT_FOUND, {"error": "not_found"}
        if environ["REQUEST_METHOD"] != "GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, {"error": "method_not_allowed"}
        caller = self.tokens.verify(environ.get("HTTP_AUTHORIZATION", ""), scope="orders.read")
        return HTTPStatus.OK, {"for": caller["sub"], "through": caller["client_id"], "orders": ORDERS}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def create_app(environ: dict[str, str]) -> OrdersApi:
    """Build the API from the environment. Raises KeyError for a variable that is missing."""
    audience = environ.get("AUDIENCE", "https://api.acme.example/orders")
    return OrdersApi(AccessTokens(environ["REALMKEEP_ISSUER"].rstrip("/"), audience))


def main(environ: dict[str, str]) -> int:
    """Serve until interrupted."""
    try:
        app = create_app(environ)
    except KeyError as missing:
        print(f"Set {missing.args[0]} first; see docs/quickstart/README.md.", file=sys.stderr)
        return 2
    port = int(environ.get("PORT", "8020"))
    try:
        server = make_server(environ.get("HOST", "127.0.0.1"), port, app, server_class=_Server)
    except OSError as problem:
        print(f"Cannot listen on port {port}: {problem.strerror}. Set PORT to another.", file=sys.stderr)
        return 1
    print(f"Acme Orders is at http://127.0.0.1:{port}/orders and takes tokens of {app.tokens.issuer}")
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main(dict(os.environ)))
