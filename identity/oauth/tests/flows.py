"""A client and a person's browser, for tests: authorize, redeem, refresh, introspect, by the real endpoints."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from conftest import basic
from identity.accounts.models import User
from identity.accounts.queries import mapped_attributes
from identity.applications.models import Application
from identity.audit.models import AuditEvent
from identity.consent.models import Consent
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient

FORM = "application/x-www-form-urlencoded"


def pkce() -> tuple[str, str]:
    """A verifier and its S256 challenge."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def answer_of(response: Any) -> dict[str, str]:
    """The parameters that a redirect sends back to the client."""
    assert response.status_code == 303, (response.status_code, response.content[:2000])
    return dict(parse_qsl(urlsplit(response["Location"]).query, keep_blank_values=True))


def said(realm: Realm, event_type: str) -> list[AuditEvent]:
    """The realm's events of one type, oldest first."""
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=event_type).order_by("id"))


@dataclass
class Flow:
    """One application of one realm, and one person's browser."""

    realm: Realm
    application: Application
    secret: str = ""
    redirect_uri: str = "https://app.example/cb"
    scope: str = "openid profile email"
    browser: RealmClient = field(init=False)
    verifier: str = ""

    def __post_init__(self) -> None:
        self.browser = RealmClient(self.realm)

    # --- the person --------------------------------------------------------------------------------------------------

    def sign_in(self, user: User) -> "Flow":
        """A signed-in browser, with a session as a password sign-in leaves it."""
        self.browser.sign_in(user)
        with realm_scope(self.realm):
            Session.objects.filter(user=user).update(amr=["pwd"], acr="urn:realmkeep:acr:1")
        return self

    def consented(self, user: User, scope: str | None = None, **fields: Any) -> "Flow":
        """A consent in force to what the scopes release now."""
        scopes = sorted((scope or self.scope).split())
        with realm_scope(self.realm):
            told = [each.name for each in mapped_attributes() if each.scope in scopes]
            Consent(
                user=user,
                application=self.application,
                scopes=scopes,
                granted_at=clock.now(),
                updated_at=clock.now(),
                **{"attributes": told, **fields},
            ).save()
        return self

    def session_of(self, user: User) -> Session:
        """The person's newest session."""
        with realm_scope(self.realm):
            session = Session.objects.filter(user=user).order_by("-id").first()
        assert session is not None
        return session

    # --- authorization -----------------------------------------------------------------------------------------------

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """A right authorization request with changes; None leaves a parameter out."""
        self.verifier, challenge = pkce()
        found = {
            "response_type": "code",
            "client_id": self.application.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": "st4te",
            "nonce": "n0nce",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in found.items() if value is not None}

    def authorize(self, **changes: str | None) -> Any:
        """GET the authorization endpoint."""
        return self.browser.get("/oauth/authorize?" + urlencode(self.parameters(**changes)))

    def decide(self, response: Any, decision: str = "allow", **answers: str) -> Any:
        """Answer the consent page that `response` shows, by its own form."""
        where = response.wsgi_request.get_full_path()
        hidden = {"shown": response.context["form"].initial.get("shown", "")}
        return self.browser.post(where, {**hidden, "decision": decision, **answers}, absolute=True)

    def code(self, **changes: str | None) -> str:
        """A code, without a page in between."""
        answer = answer_of(self.authorize(**changes))
        assert "code" in answer, answer
        return answer["code"]

    # --- the client --------------------------------------------------------------------------------------------------

    def post(self, path: str, data: dict[str, str], *, auth: tuple[str, str] | None = None, **extra: Any) -> Any:
        """A form to a protocol endpoint, authenticated as this client unless told otherwise."""
        if auth is None and self.secret:
            auth = (self.application.client_id, self.secret)
        headers = basic(*auth) if auth else {}
        if not auth:
            data = {"client_id": self.application.client_id, **data}
        return RealmClient(self.realm).post(path, urlencode(data), content_type=FORM, **headers, **extra)

    def token(self, *, auth: tuple[str, str] | None = None, **data: str) -> Any:
        """POST the token endpoint."""
        return self.post("/oauth/token", data, auth=auth)

    def redeem(self, code: str, *, auth: tuple[str, str] | None = None, **changes: str) -> Any:
        """Redeem a code."""
        data = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            **changes,
        }
        return self.token(auth=auth, **{name: value for name, value in data.items() if value})

    def refresh(self, refresh_token: str, *, auth: tuple[str, str] | None = None, **data: str) -> Any:
        """Use a refresh token."""
        return self.token(auth=auth, grant_type="refresh_token", refresh_token=refresh_token, **data)

    def tokens(self, **changes: str | None) -> dict[str, Any]:
        """Tokens of a whole sign-in."""
        response = self.redeem(self.code(**changes))
        assert response.status_code == 200, response.content
        return response.json()

    def introspect(self, token: str, *, auth: tuple[str, str] | None = None) -> dict[str, Any]:
        """What introspection says."""
        response = self.post("/oauth/introspect", {"token": token}, auth=auth)
        assert response.status_code == 200, response.content
        return response.json()

    def revoke(self, token: str, *, auth: tuple[str, str] | None = None) -> Any:
        """Revoke a token."""
        return self.post("/oauth/revoke", {"token": token}, auth=auth)

    def without_secret(self) -> "Flow":
        """The same client, keeping its secret to itself."""
        twin = replace(self, secret="")
        twin.browser = self.browser
        return twin

    def document(self, name: str = "openid-configuration") -> dict[str, Any]:
        """A well-known document."""
        return RealmClient(self.realm).get(f"/realms/{self.realm.slug}/.well-known/{name}").json()

    def decoded(self, token: str) -> jwt.Token:
        """A JWT, verified by the published keys."""
        keys = KeySet.import_key_set(self.document("jwks.json"))
        return jwt.decode(token, keys, algorithms=["ES256", "RS256"])

    def userinfo(self, token: str, **extra: Any) -> Any:
        """GET userinfo with a bearer token."""
        return RealmClient(self.realm).get("/oauth/userinfo", HTTP_AUTHORIZATION=f"Bearer {token}", **extra)
