"""The peer under measurement: the JavaScript oidc-provider of peer/server.mjs."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urljoin

from e2e.bench.http import Agent, Unexpected
from e2e.bench.processes import free_port, http_server
from e2e.bench.target import Client, Target, redirect_of

FOLDER = Path(__file__).parent / "peer"
REDIRECT_URI = "https://rp.example/callback"
LOGIN, PASSWORD = "alice", "correct horse battery staple"


class PeerSignIn:
    """The peer signs people in only on the way to a client, at an address of that one interaction."""

    def __init__(self, issuer: str, web: Client) -> None:
        query = {
            "response_type": "code",
            "client_id": web.id,
            "redirect_uri": web.redirect_uri,
            "scope": web.scope,
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        }
        self._url = f"{issuer}/auth?{urlencode(query)}"

    async def open_form(self, agent: Agent) -> str:
        """Return the address of a new interaction."""
        return urljoin(self._url, redirect_of(await agent.get(self._url)))

    async def send_password(self, agent: Agent, form: str) -> None:
        """Send it; the session begins at the request that it leads to."""
        resumed = redirect_of(await agent.post(form, {"login": LOGIN, "password": PASSWORD}, cookies=True))
        if "code=" not in redirect_of(await agent.get(resumed)):
            raise Unexpected("not signed in")


@contextmanager
def peer_server(pinned: list[str], work: Path) -> Iterator[Target]:
    """Serve until the block ends."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    web = Client("bench-web", secrets.token_urlsafe(32), REDIRECT_URI, "openid profile email")
    service = Client("bench-service", secrets.token_urlsafe(32), scope="bench.read")
    environ = {
        "PATH": os.environ["PATH"],
        "NODE_ENV": "production",
        "PORT": str(port),
        "WEB_SECRET": web.secret,
        "SERVICE_SECRET": service.secret,
        "REDIRECT_URI": REDIRECT_URI,
        "LOGIN": LOGIN,
        "PASSWORD": PASSWORD,
    }
    command = [*pinned, str(Path(sys.executable).with_name("node")), "server.mjs"]
    ready = f"{issuer}/.well-known/openid-configuration"
    with http_server(command, environ=environ, ready_url=ready, log=work / "peer.log", folder=FOLDER) as pid:
        yield Target(
            name="peer",
            issuer=issuer,
            web=web,
            service=service,
            sign_in=PeerSignIn(issuer, web),
            app_pids=[pid],
        )
