"""Sign people in with OpenID Connect: the steps of the protocol, and every check that a relying party owes.

Copy this file into your own application: it needs Authlib and requests, and knows no pages or cookies.
The server is found through its discovery document, so the issuer and a client id are all it must be told.
"""

import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

# Name the algorithms you expect. Taking whatever a token's header says is how "alg: none" attacks work.
SIGNING_ALGORITHMS = ["ES256", "RS256"]
TIMEOUT = 10  # seconds for any one call to the server
CLOCK_SKEW = 30  # seconds that our clock and the server's may differ


class SignInFailed(Exception):
    """The sign-in cannot be completed. The message may be shown to the person."""


class SignInEnded(Exception):
    """The server no longer honors this sign-in: ended, withdrawn or expired. Ask the person again."""


class ServerUnavailable(Exception):
    """The server cannot be reached, or is not the one that we were told to trust."""


@dataclass(frozen=True)
class Settings:
    """What the administrator of the realm and you agreed on when the application was registered."""

    issuer: str
    client_id: str
    client_secret: str | None  # None for a public client; PKCE protects the code in both cases
    redirect_uri: str
    post_logout_redirect_uri: str
    scope: str


@dataclass(frozen=True)
class PendingSignIn:
    """What must be remembered between leaving for the server and coming back, in this browser's session."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    code_verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))


@dataclass(frozen=True)
class SignIn:
    """A completed sign-in: who the person is, and the tokens that act for the person. Not for browsers."""

    claims: dict[str, Any]
    id_token: str
    access_token: str
    refresh_token: str | None
    scope: str
    expires_at: float


class RelyingParty:
    """One application at one issuer. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] | None = None
        self._keys: KeySet | None = None

    # -- the five steps --------------------------------------------------------------------------------------

    def start(self) -> tuple[str, PendingSignIn]:
        """Return the URL to send the browser to, and what to remember until it comes back."""
        pending = PendingSignIn()
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self.metadata["authorization_endpoint"],
                scope=self.settings.scope,
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.code_verifier,  # sent only as its S256 challenge
            )
        return url, pending

    def finish(self, pending: PendingSignIn, callback_url: str) -> SignIn:
        """Turn the browser's return into a sign-in.

        Raises SignInFailed when the person or the server refused, or when a check fails.
        """
        answer = {name: values[0] for name, values in parse_qs(urlsplit(callback_url).query).items()}
        # Another site can send a browser here with its own code (login CSRF): only our own state continues.
        if not hmac.compare_digest(answer.get("state", ""), pending.state):
            raise SignInFailed("This sign-in was not started here. Please try again.")
        # RFC 9207: an answer of another server must never be taken for this one's (mix-up attack).
        says_who = self.metadata.get("authorization_response_iss_parameter_supported")
        if says_who and answer.get("iss") != self.settings.issuer:
            raise SignInFailed("The answer came from another server. Please try again.")
        if "error" in answer:
            raise SignInFailed(answer.get("error_description") or answer["error"])
        try:
            with self._client() as client:
                tokens = client.fetch_token(
                    self.metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=answer.get("code", ""),
                    code_verifier=pending.code_verifier,
                )
        except AuthlibBaseError as problem:
            raise SignInFailed(f"The server did not accept the sign-in: {problem.error}") from problem
        except requests.RequestException as problem:
            raise ServerUnavailable("The sign-in server cannot be reached.") from problem
        claims = self._verified_claims(tokens, nonce=pending.nonce)
        return _sign_in(claims, tokens["id_token"], tokens)

    def refresh(self, current: SignIn) -> SignIn:
        """Exchange the refresh token. The old one is used up, so store the result before anything else.

        Raises SignInEnded when the server refuses: the session was ended, or consent was withdrawn.
        """
        if current.refresh_token is None:
            raise SignInEnded("There is no refresh token.")
        try:
            with self._client() as client:
                tokens = client.refresh_token(self.metadata["token_endpoint"], current.refresh_token)
        except AuthlibBaseError as problem:
            raise SignInEnded(f"The server refused: {problem.error}") from problem
        except requests.RequestException as problem:
            raise ServerUnavailable("The sign-in server cannot be reached.") from problem
        id_token = tokens.get("id_token")
        if id_token is None:
            return _sign_in(current.claims, current.id_token, tokens)
        claims = self._verified_claims(tokens, nonce=None)
        # OpenID Connect Core 12.2: a refreshed ID token must still be about the same person.
        if claims["sub"] != current.claims["sub"]:
            raise SignInEnded("The server answered for another person.")
        return _sign_in(claims, id_token, tokens)

    def userinfo(self, current: SignIn) -> dict[str, Any]:
        """Ask the server what it knows about the person now. Raises SignInEnded when the token is refused."""
        response = self._get(
            self.metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {current.access_token}"}
        )
        if response.status_code in (401, 403):
            raise SignInEnded("The server no longer accepts the access token.")
        answer = _json(response)
        # OpenID Connect Core 5.3.2: without this check a substituted token would change who is signed in.
        if answer.get("sub") != current.claims["sub"]:
            raise SignInEnded("The server answered for another person.")
        return answer

    def sign_out_url(self, current: SignIn) -> str:
        """Return where to send the browser so that the person is signed out at the server too."""
        return (
            self.metadata["end_session_endpoint"]
            + "?"
            + urlencode(
                {
                    "id_token_hint": current.id_token,
                    "client_id": self.settings.client_id,
                    "post_logout_redirect_uri": self.settings.post_logout_redirect_uri,
                }
            )
        )

    # -- what they stand on ----------------------------------------------------------------------------------

    @property
    def metadata(self) -> dict[str, Any]:
        """The server's discovery document, read once."""
        with self._lock:
            if self._metadata is None:
                document = _json(self._get(f"{self.settings.issuer}/.well-known/openid-configuration"))
                # A document that names another issuer would let that server speak for ours.
                if document.get("issuer") != self.settings.issuer:
                    raise ServerUnavailable("The discovery document names another issuer.")
                self._metadata = document
            return self._metadata

    def _verified_claims(self, tokens: dict[str, Any], nonce: str | None) -> dict[str, Any]:
        """Check signature, issuer, audience, times, nonce and at_hash of the ID token; return its claims."""
        expected = {
            "iss": {"essential": True, "value": self.settings.issuer},
            "aud": {"essential": True, "value": self.settings.client_id},
            "at_hash": {"essential": True},  # ties this ID token to the access token that came with it
        }
        try:
            token = self._decode(tokens.get("id_token", ""))
            claims = CodeIDToken(
                token.claims,
                token.header,
                options=expected,
                params={
                    "nonce": nonce,
                    "client_id": self.settings.client_id,
                    "access_token": tokens["access_token"],
                },
            )
            claims.validate(leeway=CLOCK_SKEW)
        except (JoseError, ValueError) as problem:
            raise SignInFailed(f"The ID token is not valid: {problem}") from problem
        return dict(claims)

    def _decode(self, id_token: str) -> jwt.Token:
        """Verify the signature; read the keys again once when the token names one that we have not seen."""
        try:
            return jwt.decode(id_token, self._key_set(), algorithms=SIGNING_ALGORITHMS)
        except InvalidKeyIdError:
            return jwt.decode(id_token, self._key_set(again=True), algorithms=SIGNING_ALGORITHMS)

    def _key_set(self, *, again: bool = False) -> KeySet:
        uri = self.metadata["jwks_uri"]
        with self._lock:
            if self._keys is None or again:
                self._keys = KeySet.import_key_set(_json(self._get(uri)))
            return self._keys

    def _client(self) -> OAuth2Session:
        return OAuth2Session(
            self.settings.client_id,
            self.settings.client_secret,
            redirect_uri=self.settings.redirect_uri,
            code_challenge_method="S256",
            default_timeout=TIMEOUT,
        )

    def _get(self, url: str, **options: Any) -> requests.Response:
        try:
            return requests.get(url, timeout=TIMEOUT, allow_redirects=False, **options)
        except requests.RequestException as problem:
            raise ServerUnavailable("The sign-in server cannot be reached.") from problem


def _sign_in(claims: dict[str, Any], id_token: str, tokens: dict[str, Any]) -> SignIn:
    return SignIn(
        claims=claims,
        id_token=id_token,
        access_token=tokens["access_token"],
        refresh_token=tokens.get("refresh_token"),
        scope=tokens.get("scope", ""),
        expires_at=time.time() + tokens.get("expires_in", 0),
    )


def _json(response: requests.Response) -> dict[str, Any]:
    if response.status_code != requests.codes.ok:
        raise ServerUnavailable(f"The sign-in server answered {response.status_code}.")
    try:
        document = response.json()
    except requests.JSONDecodeError as problem:
        raise ServerUnavailable("The sign-in server's answer cannot be read.") from problem
    if not isinstance(document, dict):
        raise ServerUnavailable("The sign-in server's answer cannot be read.")
    return document
