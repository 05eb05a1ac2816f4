"""Acme Storefront: a small web application that signs its visitors in at a Realmkeep realm.

    REALMKEEP_ISSUER=http://localhost:8000/realms/acme CLIENT_ID=storefront-web CLIENT_SECRET=… python app.py

The protocol is in relying_party.py, the cookie in browser_sessions.py, the pages in pages.py. This file is
the way between them: a plain WSGI application, so it runs under any server and hides nothing.
"""

import hmac
import mimetypes
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import pages
import requests
from browser_sessions import Session, Sessions
from relying_party import RelyingParty, ServerUnavailable, Settings, SignIn, SignInEnded, SignInFailed

STATIC = Path(__file__).parent / "static"
LARGEST_FORM = 4096  # bytes
REFRESH_AHEAD = 30  # seconds before its end at which an access token is no longer used
REASONS = {
    200: "OK",
    303: "See Other",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Response:
    """What a handler answers."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Request:
    """What a handler is asked: the session exists once somebody needs one."""

    url: str
    session: Session | None
    form: dict[str, str] = field(default_factory=dict)


class Storefront:
    """The application: nine routes over one relying party and its visitors' sessions."""

    def __init__(self, relying_party: RelyingParty, base_url: str, orders_url: str) -> None:
        self.relying_party = relying_party
        self.base_url = base_url
        self.orders_url = orders_url
        self.sessions = Sessions(cookie_name="storefront", secure=base_url.startswith("https://"))
        issuer = urlsplit(relying_party.settings.issuer)
        # Signing out posts to us and is then redirected to the server: form-action covers both steps.
        self.policy = (
            "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self' {issuer.scheme}://{issuer.netloc}"
        )
        self.routes: dict[str, dict[str, Callable[[Request], Response]]] = {
            "/": {"GET": self.home},
            "/signin": {"GET": self.sign_in},
            "/callback": {"GET": self.callback},
            "/userinfo": {"POST": self.userinfo},
            "/refresh": {"POST": self.refresh},
            "/orders": {"POST": self.orders},
            "/signout": {"POST": self.sign_out},
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        response = self._answer(environ)
        start_response(
            f"{response.status} {REASONS[response.status]}",
            [
                ("Content-Security-Policy", self.policy),
                ("Referrer-Policy", "no-referrer"),  # the callback's address holds a code
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Length", str(len(response.body))),
                *response.headers,
            ],
        )
        return [response.body]

    # -- pages -----------------------------------------------------------------------------------------------

    def home(self, request: Request) -> Response:
        """Show who is signed in. Asks the server at each view, so that an ended session shows at once."""
        session = request.session
        if session is None or session.sign_in is None:
            notice = session.notice if session else ""
            _shown(session)
            return _html(pages.welcome(self.relying_party.settings.issuer, notice))
        try:
            person = self._with_token(session, self.relying_party.userinfo)
        except SignInEnded:
            return self._ended(session)
        page = pages.signed_in(session, person)
        _shown(session)
        return _html(page)

    def sign_in(self, request: Request) -> Response:
        """Send the browser to the server."""
        url, pending = self.relying_party.start()
        session = request.session or self.sessions.open()
        session.remember(pending)
        return self._redirect(url, session)

    def callback(self, request: Request) -> Response:
        """Receive the browser from the server, and open a session for the person."""
        state = parse_qs(urlsplit(request.url).query).get("state", [""])[0]
        # Taken out, not looked up: an answer counts once.
        pending = request.session.pending.pop(state, None) if request.session else None
        if pending is None:
            return _html(pages.problem("That sign-in is over", "It was not started in this browser."), 400)
        try:
            sign_in = self.relying_party.finish(pending, request.url)
        except SignInFailed as failure:
            return _html(pages.problem("You are not signed in", str(failure)), 400)
        session = self.sessions.open(replacing=request.session)
        session.sign_in = sign_in
        return self._redirect("/", session)

    def userinfo(self, request: Request) -> Response:
        """Ask the server about the person."""
        ask = self.relying_party.userinfo
        return self._show(request, "Userinfo", lambda session: self._with_token(session, ask))

    def refresh(self, request: Request) -> Response:
        """Exchange the refresh token now."""

        def step(session: Session) -> object:
            fresh = self._refreshed(session)
            return {"expires_in": round(fresh.expires_at - time.time()), "scope": fresh.scope}

        return self._show(request, "A new access token", step)

    def orders(self, request: Request) -> Response:
        """Call the orders API in the person's name."""
        return self._show(request, "Orders", lambda session: self._with_token(session, self._fetch_orders))

    def sign_out(self, request: Request) -> Response:
        """Forget the person here, then sign out at the server."""
        session = request.session
        if session is None or session.sign_in is None:
            return self._redirect("/")
        url = self.relying_party.sign_out_url(session.sign_in)
        return self._redirect(url, self.sessions.open(replacing=session))

    # -- what the handlers share -----------------------------------------------------------------------------

    def _show(self, request: Request, title: str, step: Callable[[Session], object]) -> Response:
        """Run a step with the person's token; show its answer on the home page."""
        session = request.session
        if session is None or session.sign_in is None:
            return self._redirect("/")
        try:
            session.result = (title, step(session))
        except SignInEnded:
            return self._ended(session)
        return self._redirect("/")

    def _with_token[Answer](self, session: Session, call: Callable[[SignIn], Answer]) -> Answer:
        """Call with a token that is good: refreshed before it ends, and once more when it is refused."""
        current = session.sign_in
        if current is None:
            raise SignInEnded
        if current.expires_at - time.time() < REFRESH_AHEAD:
            current = self._refreshed(session)
        try:
            return call(current)
        except SignInEnded:
            return call(self._refreshed(session, used=current))

    def _refreshed(self, session: Session, used: SignIn | None = None) -> SignIn:
        """Refresh once, whoever comes first: a refresh token is good for one use, and two tabs share it."""
        with session.lock:
            current = session.sign_in
            if current is None:
                raise SignInEnded
            if used is None or current is used:
                current = session.sign_in = self.relying_party.refresh(current)
            return current

    def _fetch_orders(self, current: SignIn) -> object:
        try:
            response = requests.get(
                self.orders_url, headers={"Authorization": f"Bearer {current.access_token}"}, timeout=10
            )
        except requests.RequestException:
            return {"error": f"Nothing answers at {self.orders_url}. Start the orders API: bin/demo-api"}
        if response.status_code == requests.codes.unauthorized:
            raise SignInEnded("The API refused the access token.")
        return response.json()

    def _ended(self, session: Session) -> Response:
        fresh = self.sessions.open(replacing=session)
        fresh.notice = "Your session has ended. Please sign in again."
        return self._redirect("/", fresh)

    def _redirect(self, url: str, session: Session | None = None) -> Response:
        cookie = (("Set-Cookie", self.sessions.cookie(session)),) if session else ()
        return Response(303, headers=(("Location", url), ("Cache-Control", "no-store"), *cookie))

    # -- HTTP ------------------------------------------------------------------------------------------------

    def _answer(self, environ: WSGIEnvironment) -> Response:
        path, method = environ.get("PATH_INFO", "/"), environ["REQUEST_METHOD"]
        if path.startswith("/static/"):
            return _static(path.removeprefix("/static/"))
        handlers = self.routes.get(path)
        if handlers is None:
            return _html(pages.problem("Nothing here", "This page does not exist."), 404)
        handler = handlers.get(method)
        if handler is None:
            return _html(pages.problem("Not like this", f"This page does not take {method}."), 405)
        request = Request(
            url=f"{self.base_url}{path}?{environ.get('QUERY_STRING', '')}",
            session=self.sessions.find(environ.get("HTTP_COOKIE", "")),
        )
        if method == "POST":
            request.form = _form(environ)
            # A form of another site carries our cookie but not our token (cross-site request forgery).
            expected = request.session.form_token if request.session else ""
            if not expected or not hmac.compare_digest(request.form.get("form_token", ""), expected):
                return _html(pages.problem("Please try again", "The page was too old to be used."), 403)
        try:
            return handler(request)
        except ServerUnavailable as failure:
            return _html(pages.problem("Signing in is not possible right now", str(failure)), 503)


def _shown(session: Session | None) -> None:
    """Forget what was to be shown once."""
    if session is not None:
        session.notice, session.result = "", None


def _html(text: str, status: int = 200) -> Response:
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"))
    return Response(status, text.encode(), headers)


def _static(name: str) -> Response:
    path = STATIC / name
    # Only files that lie directly in the folder: "../app.py" would be read otherwise (path traversal).
    if path.parent != STATIC or not path.is_file():
        return _html(pages.problem("Nothing here", "This file does not exist."), 404)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(200, path.read_bytes(), (("Content-Type", kind),))


def _form(environ: WSGIEnvironment) -> dict[str, str]:
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return {}
    if not 0 < length <= LARGEST_FORM:
        return {}
    body = environ["wsgi.input"].read(length).decode("utf-8", "replace")
    return {name: values[0] for name, values in parse_qs(body).items()}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log a request without its query: the callback's holds a code, and logs are read by many."""
        self.log_message("%s %s %s", self.command, urlsplit(self.path).path, code)


def create_app(environ: dict[str, str]) -> Storefront:
    """Build the application from the environment. Raises KeyError for a variable that is missing."""
    base_url = environ.get("BASE_URL", f"http://127.0.0.1:{environ.get('PORT', '8010')}").rstrip("/")
    settings = Settings(
        issuer=environ["REALMKEEP_ISSUER"].rstrip("/"),
        client_id=environ["CLIENT_ID"],
        client_secret=environ.get("CLIENT_SECRET") or None,
        redirect_uri=f"{base_url}/callback",
        post_logout_redirect_uri=f"{base_url}/",
        scope=environ.get("SCOPE", "openid profile email orders.read"),
    )
    orders_url = environ.get("ORDERS_URL", "http://127.0.0.1:8020/orders")
    return Storefront(RelyingParty(settings), base_url, orders_url)


def main(environ: dict[str, Any]) -> int:
    """Serve until interrupted."""
    try:
        app = create_app(environ)
    except KeyError as missing:
        print(f"Set {missing.args[0]} first; see docs/quickstart/README.md.", file=sys.stderr)
        return 2
    port = int(environ.get("PORT", "8010"))
    try:
        server = make_server(environ.get("HOST", "127.0.0.1"), port, app, server_class=_Server, handler_class=_Handler)
    except OSError as problem:
        print(f"Cannot listen on port {port}: {problem.strerror}. Set PORT to another.", file=sys.stderr)
        return 1
    print(f"Acme Storefront is at {app.base_url} and signs people in at {app.relying_party.settings.issuer}")
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main(dict(os.environ)))
