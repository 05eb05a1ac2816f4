"""Asking a provider who somebody is: discovery, the way there, the code's exchange, keys, the person's page.

OpenID Connect Core and Discovery 1.0, RFC 6749, 7636 (PKCE), 9207 (iss in the answer), 9700. Everything leaves through
`kernel.outbound`, whoever wrote the address (IN-01). A failure names the step, never what the other side said (IN-05).
"""

import base64
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from joserfc import jwt
from joserfc.jwk import ECKey

from identity.kernel import clock
from identity.kernel.errors import RealmkeepError
from identity.kernel.naming import issuer_of
from identity.kernel.outbound import Answer, OutboundFailed, checked_url, fetch
from identity.realms.models import IdentityProvider, ProviderKind, Realm
from identity.realms.providers import OPENID_KINDS
from identity.realms.queries import secrets_of
from identity.signin import social_claims, social_tokens
from identity.signin.social_claims import Upstream

logger = logging.getLogger(__name__)

ISSUERS = {
    ProviderKind.GOOGLE: "https://accounts.google.com",
    ProviderKind.APPLE: "https://appleid.apple.com",
}
MICROSOFT = "https://login.microsoftonline.com/{tenant}/v2.0"
GITHUB = "https://github.com"
GITHUB_API = "https://api.github.com"
APPLE_AUDIENCE = "https://appleid.apple.com"
REMEMBERED = 10 * 60
"""Seconds that a discovery page and keys are good for."""
NEW_KEYS_AFTER = 60
"""At most so often keys are fetched again because a token names an unknown one: forged tokens can't hammer."""
SECRET_LIFETIME = 5 * 60
CALLBACK = "/signin/provider/callback"
AGENT = "Realmkeep"


class UpstreamFailed(RealmkeepError):
    """A step with the provider failed. `reason` is the step: discovery, keys, token, id_token, userinfo, answer."""

    code = "upstream_failed"
    default_message = _("The provider didn’t answer as it should.")


def failed(step: str, why: str, provider: IdentityProvider) -> UpstreamFailed:
    """The failure of a step. Why goes to the log, for operators."""
    logger.warning("Provider %s of realm %s: %s: %s", provider.alias, provider.realm_id, step, why)
    return UpstreamFailed(code=step)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider is asked what. issuer and jwks are empty for those that have no ID token."""

    authorization: str
    token: str
    userinfo: str = ""
    issuer: str = ""
    jwks: str = ""
    token_auth: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    says_iss: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What was sent along, to be found again in the answer."""

    nonce: str
    verifier: str


def callback_of(realm: Realm) -> str:
    """The one address that every provider of a realm sends people back to; from the configured origin (LG-05)."""
    return issuer_of(realm) + CALLBACK


def issuer_at(provider: IdentityProvider) -> str:
    """Where discovery is read."""
    if provider.kind == ProviderKind.MICROSOFT:
        return MICROSOFT.format(tenant=provider.settings["tenant"])
    return ISSUERS.get(ProviderKind(provider.kind)) or str(provider.settings["issuer"])


def endpoints_of(provider: IdentityProvider) -> Endpoints:
    """Where this provider is asked. Raises UpstreamFailed."""
    settings = provider.settings
    match provider.kind:
        case ProviderKind.GITHUB:
            own = settings.get("base_url")
            web, api = (own, f"{own}/api/v3") if own else (GITHUB, GITHUB_API)
            return Endpoints(f"{web}/login/oauth/authorize", f"{web}/login/oauth/access_token", f"{api}/user")
        case ProviderKind.OAUTH2:
            return Endpoints(
                settings["authorization_endpoint"], settings["token_endpoint"], settings["userinfo_endpoint"]
            )
    return _discovered(provider)


def _discovered(provider: IdentityProvider) -> Endpoints:
    issuer = issuer_at(provider)
    page = remembered(provider, "discovery", f"{issuer}/.well-known/openid-configuration")
    said = page.get("issuer")
    if not isinstance(said, str) or not _same_issuer(provider, said, issuer):
        # Another issuer's page at this address would make its tokens ours (OpenID Connect Discovery 1.0, 4.3).
        raise failed("discovery", "the page names another issuer", provider)
    values = {name: page.get(name, "") for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    for name, value in values.items():
        if not _is_url(value):
            raise failed("discovery", f"no usable {name}", provider)
    userinfo = page.get("userinfo_endpoint", "")
    return Endpoints(
        authorization=values["authorization_endpoint"],
        token=values["token_endpoint"],
        jwks=values["jwks_uri"],
        userinfo=userinfo if _is_url(userinfo) else "",
        issuer=said,
        token_auth=_words(page.get("token_endpoint_auth_methods_supported")),
        algorithms=_words(page.get("id_token_signing_alg_values_supported")),
        says_iss=page.get("authorization_response_iss_parameter_supported") is True,
    )


def _same_issuer(provider: IdentityProvider, said: str, issuer: str) -> bool:
    if said.rstrip("/") == issuer:
        return True
    return provider.kind == ProviderKind.MICROSOFT and (
        said == MICROSOFT.format(tenant=social_tokens.TEMPLATE) or bool(social_tokens.MICROSOFT_ISSUER.fullmatch(said))
    )


def _words(value: Any) -> tuple[str, ...]:
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def _is_url(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(checked_url(value))
    except OutboundFailed:
        return False


def remembered(provider: IdentityProvider, step: str, url: str, *, anew: bool = False) -> dict[str, Any]:
    """A public page of the provider, at most ten minutes old. Raises UpstreamFailed."""
    key = f"provider-{step}-{hashlib.sha256(url.encode()).hexdigest()}"
    found: dict[str, Any] | None = None if anew else cache.get(key)
    if found is None:
        found = _json(provider, step, _asked(provider, step, "GET", url))
        cache.set(key, found, REMEMBERED)
    return found


def _asked(
    provider: IdentityProvider, step: str, method: str, url: str, *, body: bytes | None = None, **headers: str
) -> Answer:
    named = {"Accept": "application/json", "User-Agent": AGENT}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        answer = fetch(method, url, headers=named, body=body)
    except OutboundFailed:
        raise failed(step, "no answer", provider) from None
    if not answer.is_success:
        raise failed(step, f"status {answer.status}", provider)
    return answer


def _json(provider: IdentityProvider, step: str, answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise failed(step, "no JSON object", provider)
    return found


# --- the way there --------------------------------------------------------------------------------------------------


def authorization_url(
    provider: IdentityProvider, endpoints: Endpoints, question: Question, *, state: str, hint: str = ""
) -> str:
    """Where the browser is sent. Always a code, always PKCE with S256 (RFC 9700, 2.1.1), for OpenID always a nonce."""
    realm: Realm = provider.realm
    values = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": callback_of(realm),
        "scope": " ".join(provider.scopes),
        "state": state,
        "code_challenge": _challenge(question.verifier),
        "code_challenge_method": "S256",
    }
    if provider.kind in OPENID_KINDS:
        values["nonce"] = question.nonce
        if hint:
            values["login_hint"] = hint
    if provider.kind == ProviderKind.APPLE and provider.scopes:
        # Apple gives name and address only to who takes the answer by POST.
        values["response_mode"] = "form_post"
    if hosted := provider.settings.get("hosted_domain"):
        values["hd"] = hosted
    parts = urlsplit(endpoints.authorization)
    query = "&".join(filter(None, [parts.query, urlencode({k: v for k, v in values.items() if v})]))
    return parts._replace(query=query, fragment="").geturl()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


# --- the way back ---------------------------------------------------------------------------------------------------


def check_iss(provider: IdentityProvider, endpoints: Endpoints, iss: str | None) -> None:
    """Raises UpstreamFailed for an answer of another provider (RFC 9207: the mix-up attack)."""
    if iss is None and not endpoints.says_iss:
        return
    if iss != endpoints.issuer or not iss:
        raise failed("answer", "iss is missing or another provider’s", provider)


def who_came(
    provider: IdentityProvider, endpoints: Endpoints, question: Question, *, code: str, posted_user: str = ""
) -> Upstream:
    """Redeem the code and find out who it is. Raises UpstreamFailed."""
    tokens = _tokens(provider, endpoints, question, code)
    access = tokens.get("access_token")
    proven: dict[str, Any] = {}
    claims: dict[str, Any] = {}
    if provider.kind in OPENID_KINDS:
        proven = _proven(provider, endpoints, question, tokens.get("id_token"))
        claims = {**_page(provider, endpoints, access, of=proven["sub"]), **proven}
        if provider.kind == ProviderKind.APPLE:
            claims = {**social_claims.apple_name(posted_user), **claims}
    else:
        claims = _page(provider, endpoints, access)
        if provider.kind == ProviderKind.GITHUB:
            claims = {**claims, "email_verified": False, **_github_address(provider, endpoints, access)}
    found = social_claims.upstream_of(
        provider.kind,
        provider.settings,
        provider.attribute_mapping,
        provider.amr_mapping,
        claims=claims,
        proven=proven,
    )
    if not found.subject:
        raise failed("userinfo", "nothing says who it is", provider)
    return found


def _tokens(provider: IdentityProvider, endpoints: Endpoints, question: Question, code: str) -> dict[str, Any]:
    body, headers = token_request(provider, endpoints)
    body |= {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": callback_of(provider.realm),
        "code_verifier": question.verifier,
    }
    answer = _asked(provider, "token", "POST", endpoints.token, body=form_body(body), **headers)
    form = answer.headers.get("content-type", "").startswith(("application/x-www-form-urlencoded", "text/plain"))
    if form and not answer.body.lstrip().startswith(b"{"):
        found: dict[str, Any] = dict(parse_qsl(answer.body.decode("utf-8", "replace")))
    else:
        found = _json(provider, "token", answer)
    # GitHub answers a wrong code with 200 and an error in it.
    if "error" in found or not isinstance(found.get("access_token"), str):
        raise failed("token", "no access token", provider)
    return found


def form_body(values: Mapping[str, str]) -> bytes:
    """As a form is sent."""
    return urlencode(values).encode()


def token_request(provider: IdentityProvider, endpoints: Endpoints) -> tuple[dict[str, str], dict[str, str]]:
    """How we prove ourselves: values of the body, and headers (RFC 6749, 2.3.1)."""
    headers = {"Content_Type": "application/x-www-form-urlencoded"}
    body = {"client_id": provider.client_id}
    if provider.kind == ProviderKind.APPLE:
        return {**body, "client_secret": apple_secret(provider)}, headers
    secret = secrets_of(provider).get("client_secret", "")
    way = provider.settings.get("token_auth", "auto")
    if way == "auto":
        only_basic = "client_secret_basic" in endpoints.token_auth and "client_secret_post" not in endpoints.token_auth
        way = "basic" if only_basic else "post"
    if way == "none" or not secret:
        return body, headers
    if way == "basic":
        pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
        return {}, {**headers, "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {**body, "client_secret": secret}, headers


def apple_secret(provider: IdentityProvider) -> str:
    """What Apple takes for a secret: a short-lived token, signed with the key that it gave out (ES256)."""
    now = int(clock.now().timestamp())
    key = ECKey.import_key(secrets_of(provider)["private_key"])
    claims = {
        "iss": provider.settings["team_id"],
        "sub": provider.client_id,
        "aud": APPLE_AUDIENCE,
        "iat": now,
        "exp": now + SECRET_LIFETIME,
    }
    return jwt.encode({"alg": "ES256", "kid": provider.settings["key_id"]}, claims, key, default_type=None)


def _proven(provider: IdentityProvider, endpoints: Endpoints, question: Question, token: Any) -> dict[str, Any]:
    """The ID token's claims, signature and all checked, although it came straight from the token endpoint."""
    if not isinstance(token, str):
        raise failed("id_token", "none", provider)
    try:
        claims = _signed(provider, endpoints, token)
        expected = social_tokens.Expected(endpoints.issuer, provider.client_id, question.nonce, clock.now())
        social_tokens.check_claims(claims, expected)
    except social_tokens.NotValid as error:
        raise failed("id_token", str(error), provider) from None
    if (hosted := provider.settings.get("hosted_domain")) and claims.get("hd") != hosted:
        raise failed("id_token", "of another hosted domain", provider)
    return claims


def _signed(provider: IdentityProvider, endpoints: Endpoints, token: str) -> dict[str, Any]:
    try:
        return social_tokens.verified_claims(token, keys_of(provider, endpoints), allowed=endpoints.algorithms)
    except social_tokens.UnknownKey:
        if not cache.add(f"provider-new-keys-{provider.pk}", 1, NEW_KEYS_AFTER):
            raise
    return social_tokens.verified_claims(token, keys_of(provider, endpoints, anew=True), allowed=endpoints.algorithms)


def keys_of(provider: IdentityProvider, endpoints: Endpoints, *, anew: bool = False) -> list[Mapping[str, Any]]:
    """The keys that the provider signs with. Raises UpstreamFailed."""
    keys = remembered(provider, "keys", endpoints.jwks, anew=anew).get("keys")
    if not isinstance(keys, list) or not keys:
        raise failed("keys", "no keys", provider)
    return keys


def _page(provider: IdentityProvider, endpoints: Endpoints, access: Any, *, of: str = "") -> dict[str, Any]:
    """What the person's page says; for OpenID only if it is the same person's (OpenID Connect Core 1.0, 5.3.2)."""
    if not endpoints.userinfo:
        return {}
    answer = _asked(provider, "userinfo", "GET", endpoints.userinfo, Authorization=f"Bearer {access}")
    claims = _json(provider, "userinfo", answer)
    if of and claims.get("sub") != of:
        raise failed("userinfo", "about somebody else", provider)
    return claims


def _github_address(provider: IdentityProvider, endpoints: Endpoints, access: Any) -> dict[str, Any]:
    """GitHub shows the addresses on a page of their own, if the person lets it; a missing one is no failure."""
    try:
        answer = fetch(
            "GET",
            f"{endpoints.userinfo}/emails",
            headers={"Accept": "application/json", "User-Agent": AGENT, "Authorization": f"Bearer {access}"},
        )
    except OutboundFailed:
        raise failed("userinfo", "no answer", provider) from None
    if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
        return {}
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not answer.is_success or not isinstance(found, list):
        raise failed("userinfo", "no list of addresses", provider)
    return social_claims.primary_address(found)
