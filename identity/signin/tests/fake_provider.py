"""A small identity provider, a real HTTP server: OpenID Connect, plain OAuth 2, GitHub's way; bent as tests like."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

Claims = dict[str, Any]


def key_of(kid: str, kind: str = "EC") -> Any:
    """A fresh signing key."""
    if kind == "RSA":
        return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, private=True)
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"}, private=True)


class FakeProvider:
    """`with FakeProvider() as fake:`; fake.issuer is its address. Whatever it answers can be changed before."""

    def __init__(self) -> None:
        self.client_id = "realmkeep"
        self.client_secret = "fake-client-secret"
        self.person: Claims = {
            "sub": "u-1",
            "email": "dana@corp.example",
            "email_verified": True,
            "name": "Dana Corp",
            "given_name": "Dana",
            "family_name": "Corp",
        }
        self.key = key_of("k1")
        self.published = [self.key]
        self.alg = "ES256"
        self.header: Claims = {}
        self.bend: Callable[[Claims], Claims] = lambda claims: claims
        self.bend_page: Callable[[Claims], Claims] = lambda page: page
        self.userinfo: Claims | None = None
        self.sign: Callable[[Claims], str] | None = None
        self.discovery: Claims = {}
        self.token_auth = ["client_secret_post"]
        self.emails: list[Claims] | None = []
        self.status: dict[str, int] = {}
        self.asked: list[tuple[str, str]] = []
        self.last_token_request: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, Claims] = {}

    def __enter__(self) -> "FakeProvider":
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._answer(self, "GET", b"")

            def do_POST(self) -> None:
                outer._answer(self, "POST", self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        # How often it looks whether it shall stop: each test's end waits for that.
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    # --- what a browser does there ------------------------------------------------------------------------------

    def agree(self, location: str, **changes: str) -> str:
        """The person says yes at the address that we sent him to. Returns where the browser comes back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], **changes}
        return f"{asked['redirect_uri']}?{urlencode({name: value for name, value in answer.items() if value})}"

    def refuse(self, location: str, error: str = "access_denied") -> str:
        """The person turns back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        return f"{asked['redirect_uri']}?{urlencode({'error': error, 'state': asked['state']})}"

    # --- what a server asks there --------------------------------------------------------------------------------

    def _answer(self, handler: BaseHTTPRequestHandler, method: str, body: bytes) -> None:
        path = urlsplit(handler.path).path
        self.asked.append((method, path))
        if path in ("/authorize", "/login/oauth/authorize"):
            self._page(handler)
            return
        status, content = 200, {}
        match path:
            case "/.well-known/openid-configuration":
                content = self._discovered()
            case "/jwks":
                content = {"keys": [key.as_dict(private=False) for key in self.published]}
            case "/token" | "/login/oauth/access_token":
                status, content = self._token(handler, body)
            case "/userinfo" | "/api/v3/user" | "/api/v3/user/emails":
                status, content = self._about(handler, path)
            case _:
                status = 404
        status = self.status.get(path, status)
        raw = json.dumps(content).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)

    def _page(self, handler: BaseHTTPRequestHandler) -> None:
        """What a person sees there: one link that says yes, one that says no."""
        here = f"{self.issuer}{handler.path}"
        yes, no = self.agree(here).replace("&", "&amp;"), self.refuse(here).replace("&", "&amp;")
        html = (
            f"<!doctype html><title>Corp ID</title><h1>Corp ID</h1>"
            f'<p><a id="yes" href="{yes}">Continue as {self.person["name"]}</a></p>'
            f'<p><a id="no" href="{no}">Cancel</a></p>'
        ).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html; charset=utf-8")
        handler.send_header("Content-Length", str(len(html)))
        handler.end_headers()
        handler.wfile.write(html)

    def _discovered(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "token_endpoint_auth_methods_supported": self.token_auth,
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            **self.discovery,
        }

    def _token(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Claims]:
        posted = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        basic = handler.headers.get("Authorization", "")
        if basic.startswith("Basic "):
            name, _, secret = base64.b64decode(basic[6:]).decode().partition(":")
            posted |= {"client_id": unquote(name), "client_secret": unquote(secret), "way": "basic"}
        self.last_token_request = posted
        asked = self.codes.pop(posted.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(posted.get("code_verifier", "").encode()).digest())
        right = (
            asked is not None
            and posted.get("grant_type") == "authorization_code"
            and posted.get("client_id") == self.client_id
            and (self.client_secret in ("", posted.get("client_secret")))
            and posted.get("redirect_uri") == asked["redirect_uri"]
            and asked.get("code_challenge_method") == "S256"
            and challenge.rstrip(b"=").decode() == asked.get("code_challenge")
        )
        if not right:
            return 400, {"error": "invalid_grant"}
        access = secrets.token_urlsafe(16)
        self.tokens[access] = dict(self.person)
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": 300}
        if "nonce" in asked:
            answer["id_token"] = self.id_token(asked["nonce"])
        return 200, self.bend_page(answer)

    def id_token(self, nonce: str) -> str:
        """Signed as configured."""
        now = int(time.time())
        claims = self.bend(
            {
                **self.person,
                "iss": self.issuer,
                "aud": self.client_id,
                "iat": now,
                "exp": now + 300,
                "nonce": nonce,
            }
        )
        if self.sign is not None:
            return self.sign(claims)
        return jwt.encode({"alg": self.alg, "kid": self.key.kid, **self.header}, claims, self.key)

    def _about(self, handler: BaseHTTPRequestHandler, path: str) -> tuple[int, Claims | list[Claims]]:
        person = self.tokens.get(handler.headers.get("Authorization", "").removeprefix("Bearer "))
        if person is None:
            return 401, {"error": "invalid_token"}
        if path.endswith("/emails"):
            return (404, {}) if self.emails is None else (200, self.emails)
        return 200, self.userinfo if self.userinfo is not None else person
