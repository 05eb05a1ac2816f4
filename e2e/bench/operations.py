"""The operations that are measured: a worker gets ready, and then takes the same step again and again."""

from typing import Any

from e2e.bench.http import Agent, Unexpected
from e2e.bench.target import Target


class Exhausted(Exception):
    """Everything that was prepared has been used."""


class Worker:
    """One of several concurrent clients of an operation; the operations below say what its step is."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.agent = target.agent()

    async def open(self) -> None:
        """Get ready once; not measured."""

    async def prepare(self, count: int) -> None:
        """Make what the next steps use up; not measured."""

    async def step(self) -> None:
        """Do it once; measured. Raises Unexpected for a wrong answer, Exhausted when nothing is left."""
        raise NotImplementedError

    async def verify(self) -> None:
        """Check the effect of the last step; not measured."""


class Discovery(Worker):
    """Read the discovery document."""

    async def step(self) -> None:
        """See Worker."""
        if (await self.agent.get(self.target.discovery_url)).json()["issuer"] != self.target.issuer:
            raise Unexpected("the document names another issuer")


class Keys(Worker):
    """Read the public keys."""

    async def step(self) -> None:
        """See Worker."""
        if not (await self.agent.get(self.target.metadata["jwks_uri"])).json()["keys"]:
            raise Unexpected("no keys")


class ClientCredentials(Worker):
    """A service gets a token for itself."""

    async def step(self) -> None:
        """See Worker."""
        await self.target.service_token(self.agent)


class _WithTokens(Worker):
    """Has a person's tokens."""

    tokens: dict[str, Any]

    async def open(self) -> None:
        """See Worker."""
        self.agent = await self.target.signed_in_agent()
        self.tokens = await self.target.authorize(self.agent)


class Refresh(_WithTokens):
    """Rotate a refresh token."""

    async def step(self) -> None:
        """See Worker."""
        used = self.tokens["refresh_token"]
        self.tokens = await self.target.token(
            self.agent, self.target.web, grant_type="refresh_token", refresh_token=used
        )
        if self.tokens.get("refresh_token", used) == used:
            raise Unexpected("the refresh token was not rotated")


class Introspection(_WithTokens):
    """A client asks about a live access token."""

    async def step(self) -> None:
        """See Worker."""
        if not await _is_active(self.target, self.agent, self.tokens["access_token"], by_service=False):
            raise Unexpected("a live token is not active")


class Userinfo(_WithTokens):
    """A client asks who the person is."""

    async def step(self) -> None:
        """See Worker."""
        bearer = ("Authorization", f"Bearer {self.tokens['access_token']}")
        answer = await self.agent.get(self.target.metadata["userinfo_endpoint"], bearer, cookies=False)
        if not answer.json().get("sub"):
            raise Unexpected("no subject")


class Revocation(Worker):
    """A service revokes a token of its own."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._tokens: list[str] = []
        self._revoked = ""

    async def prepare(self, count: int) -> None:
        """See Worker."""
        while len(self._tokens) < count:
            self._tokens.append(await self.target.service_token(self.agent))

    async def step(self) -> None:
        """See Worker."""
        if not self._tokens:
            raise Exhausted
        token = self._tokens.pop()
        url, client = self.target.metadata["revocation_endpoint"], self.target.service
        response = await self.agent.post(url, {"token": token}, client.authorization)
        if response.status != 200:
            raise Unexpected(f"status {response.status}: {response.body[:160]!r}")
        self._revoked = token

    async def verify(self) -> None:
        """See Worker."""
        if self._revoked and await _is_active(self.target, self.agent, self._revoked, by_service=True):
            raise Unexpected("a revoked token is still active")


class AuthorizeAndCode(Worker):
    """A signed-in person comes through authorization, and the client redeems the code: two requests."""

    async def open(self) -> None:
        """See Worker."""
        self.agent = await self.target.signed_in_agent()

    async def step(self) -> None:
        """See Worker."""
        await self.target.authorize(self.agent)


class PasswordSignIn(Worker):
    """A person sends the password: the form is fetched before, and not measured."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._forms: list[tuple[Agent, Any]] = []

    async def prepare(self, count: int) -> None:
        """See Worker."""
        while len(self._forms) < count:
            agent = self.target.agent()
            self._forms.append((agent, await self.target.sign_in.open_form(agent)))
            agent.close()

    async def step(self) -> None:
        """See Worker."""
        if not self._forms:
            raise Exhausted
        agent, form = self._forms.pop()
        await self.target.sign_in.send_password(agent, form)
        agent.close()


OPERATIONS: dict[str, type[Worker]] = {
    "discovery": Discovery,
    "jwks": Keys,
    "client_credentials": ClientCredentials,
    "refresh": Refresh,
    "introspection": Introspection,
    "userinfo": Userinfo,
    "revocation": Revocation,
    "authorize_and_code": AuthorizeAndCode,
    "password_signin": PasswordSignIn,
}


async def _is_active(target: Target, agent: Agent, token: str, *, by_service: bool) -> bool:
    client = target.service if by_service else target.web
    answer = await agent.post(target.metadata["introspection_endpoint"], {"token": token}, client.authorization)
    return answer.json().get("active") is True
