"""Authlib as a relying party of a realm: what an application written in Python does."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from e2e.protocol.browser import Browser
from e2e.protocol.realms import REDIRECT_URI, SCOPE, SECRETS, RealmUnderTest


@dataclass(frozen=True)
class Pending:
    """A sign-in that is under way."""

    url: str
    state: str
    nonce: str
    verifier: str


class AuthlibClient:
    """The application `web` of one realm."""

    def __init__(self, realm: RealmUnderTest, client_id: str = "web", secret: str = SECRETS["WEB_SECRET"]) -> None:
        self.realm = realm
        self.session = OAuth2Session(
            client_id, secret, redirect_uri=REDIRECT_URI, code_challenge_method="S256", default_timeout=30
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def start(self, **parameters: str) -> Pending:
        """Begin a sign-in."""
        nonce, verifier = generate_token(), generate_token(48)
        url, state = self.session.create_authorization_url(
            self.realm.metadata["authorization_endpoint"],
            **{"scope": SCOPE, "nonce": nonce, "code_verifier": verifier, **parameters},
        )
        return Pending(url, state, nonce, verifier)

    def authorize(self, browser: Browser, **parameters: str) -> tuple[Pending, dict[str, str]]:
        """Take the person through authorization; return the answer that came back to the application."""
        pending = self.start(**parameters)
        back = browser.visit(pending.url, until=REDIRECT_URI)
        answer = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
        assert answer["state"] == pending.state
        assert answer["iss"] == self.realm.issuer  # RFC 9207
        return pending, answer

    def redeem(self, pending: Pending, answer: dict[str, str]) -> dict[str, Any]:
        """Exchange the code. Raises OAuthError when the server refuses."""
        return self.session.fetch_token(
            self.realm.metadata["token_endpoint"],
            grant_type="authorization_code",
            code=answer["code"],
            code_verifier=pending.verifier,
        )

    def sign_in(self, browser: Browser, **parameters: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Take all steps of a sign-in; return the tokens and the verified claims of the ID token."""
        pending, answer = self.authorize(browser, **parameters)
        tokens = dict(self.redeem(pending, answer))
        return tokens, self.verify(tokens, pending.nonce)

    def verify(self, tokens: dict[str, Any], nonce: str | None) -> dict[str, Any]:
        """Check the ID token as Authlib does for an application."""
        token = jwt.decode(tokens["id_token"], KeySet.import_key_set(self.realm.keys()), algorithms=["ES256"])
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": self.realm.issuer},
                "aud": {"essential": True, "value": self.session.client_id},
                "at_hash": {"essential": True},
            },
            params={"nonce": nonce, "client_id": self.session.client_id, "access_token": tokens["access_token"]},
        )
        claims.validate()
        return dict(claims)

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """Rotate a refresh token. Raises OAuthError when the server refuses."""
        return dict(self.session.refresh_token(self.realm.metadata["token_endpoint"], refresh_token))

    def introspect(self, token: str) -> dict[str, Any]:
        """Ask about a token."""
        return self.session.introspect_token(self.realm.metadata["introspection_endpoint"], token=token).json()

    def revoke(self, token: str) -> int:
        """Revoke a token; return the status."""
        return self.session.revoke_token(self.realm.metadata["revocation_endpoint"], token=token).status_code

    def userinfo(self, access_token: str) -> Any:
        """Ask userinfo; return the response."""
        return self.session.get(
            self.realm.metadata["userinfo_endpoint"],
            withhold_token=True,
            headers={"Authorization": f"Bearer {access_token}"},
        )
