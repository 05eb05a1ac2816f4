"""A server under measurement, and the protocol steps that any OpenID Connect server offers."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import count
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from e2e.bench.http import Agent, Response, Unexpected

MOST_REDIRECTS = 6


@dataclass(frozen=True)
class Client:
    """A registered client; it authenticates with client_secret_basic."""

    id: str
    secret: str
    redirect_uri: str = ""
    scope: str = ""

    @property
    def authorization(self) -> tuple[str, str]:
        """The header that authenticates it."""
        pair = base64.b64encode(f"{self.id}:{self.secret}".encode()).decode()
        return "Authorization", f"Basic {pair}"


class SignIn(Protocol):
    """How a person signs in at one server: its form is its own, unlike the protocol."""

    async def open_form(self, agent: Agent) -> Any:
        """Fetch what the form needs; not measured."""

    async def send_password(self, agent: Agent, form: Any) -> None:
        """Send the password: one request, measured. Raises Unexpected when the person is not signed in."""


@dataclass
class Target:
    """One server: where it is, who its clients are, and the roots of its process trees."""

    name: str
    issuer: str
    web: Client
    service: Client
    sign_in: SignIn
    app_pids: list[int]
    db_pids: list[int] = field(default_factory=list)
    behind_proxy: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    _visitors: Iterator[int] = field(default_factory=count)

    @property
    def discovery_url(self) -> str:
        """Where the metadata is read."""
        return f"{self.issuer}/.well-known/openid-configuration"

    def agent(self) -> Agent:
        """Return a new client of this server, without cookies.

        Where the server believes a proxy, each client has an address of its own, as visitors do: limits on
        tries from one address stay on, and one load generator does not run into them.
        """
        parts = urlsplit(self.issuer)
        address = ip_address("10.0.0.1") + next(self._visitors)
        headers = (("X-Forwarded-For", str(address)),) if self.behind_proxy else ()
        return Agent(f"{parts.scheme}://{parts.netloc}", headers)

    async def discover(self) -> None:
        """Read the endpoints."""
        agent = self.agent()
        self.metadata = (await agent.get(self.discovery_url)).json()
        agent.close()

    async def signed_in_agent(self) -> Agent:
        """Return a browser in which a person is signed in."""
        agent = self.agent()
        await self.sign_in.send_password(agent, await self.sign_in.open_form(agent))
        return agent

    async def token(self, agent: Agent, client: Client, **form: str) -> dict[str, Any]:
        """Ask the token endpoint."""
        return (await agent.post(self.metadata["token_endpoint"], form, client.authorization)).json()

    async def service_token(self, agent: Agent) -> str:
        """Return an access token of the service itself."""
        answer = await self.token(agent, self.service, grant_type="client_credentials", scope=self.service.scope)
        if str(answer.get("token_type", "")).lower() != "bearer":
            raise Unexpected(f"no bearer token in {sorted(answer)}")
        return str(answer["access_token"])

    async def authorize(self, agent: Agent) -> dict[str, Any]:
        """Take a signed-in browser through authorization and redeem the code: two requests."""
        verifier, state, nonce = secrets.token_urlsafe(32), secrets.token_hex(8), secrets.token_hex(8)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.web.id,
            "redirect_uri": self.web.redirect_uri,
            "scope": self.web.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        back = await self._follow(agent, f"{self.metadata['authorization_endpoint']}?{urlencode(query)}")
        answer = parse_qs(urlsplit(back).query)
        if answer.get("state") != [state] or "code" not in answer:
            raise Unexpected(f"no code in {back[:200]}")
        tokens = await self.token(
            agent,
            self.web,
            grant_type="authorization_code",
            code=answer["code"][0],
            redirect_uri=self.web.redirect_uri,
            code_verifier=verifier,
        )
        claims = _claims(tokens["id_token"])
        if claims.get("nonce") != nonce or not claims.get("sub") or not tokens.get("access_token"):
            raise Unexpected("the ID token is not the one that was asked for")
        return tokens

    async def _follow(self, agent: Agent, url: str) -> str:
        for _ in range(MOST_REDIRECTS):
            response = await agent.get(url)
            location = redirect_of(response)
            if location.startswith(self.web.redirect_uri):
                return location
            url = urljoin(url, location)
        raise Unexpected(f"still redirected after {MOST_REDIRECTS} steps")


def redirect_of(response: Response) -> str:
    """Return where a response leads; raises Unexpected when it leads nowhere."""
    if response.status not in (302, 303):
        raise Unexpected(f"status {response.status}: {response.body[:160]!r}")
    return response.header("location")


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
