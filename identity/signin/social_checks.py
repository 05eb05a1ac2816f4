"""“Test this provider”: each step that can be tried without a person, and what came of it. Nothing is remembered.

What is said is one of few words for each step: an admin who types addresses learns nothing of what lies behind them
(IN-05).
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from identity.kernel.crypto import SealBroken
from identity.kernel.outbound import OutboundFailed, checked_url, fetch
from identity.realms.models import IdentityProvider, ProviderKind
from identity.realms.providers import OPENID_KINDS, needs_secret
from identity.realms.queries import secrets_of
from identity.signin import social_protocol, social_tokens
from identity.signin.social_protocol import Endpoints, UpstreamFailed, callback_of

ACCEPTED = frozenset({"invalid_grant", "bad_verification_code", "invalid_code"})
"""What a token endpoint says to the right client with a wrong code."""
REFUSED = frozenset({"invalid_client", "unauthorized_client", "incorrect_client_credentials"})
NO_CODE = "test"


class Outcome(StrEnum):
    """What came of a step."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: secret, discovery, keys, endpoints, client; or one of TRIP."""

    name: str
    outcome: Outcome


TRIP = ("discovery", "answer", "token", "keys", "id_token", "userinfo")
"""The steps of the whole way there and back, in their order; `UpstreamFailed` names the one that failed."""
OPENID_ONLY = frozenset({"discovery", "keys", "id_token"})


def trip_steps(provider: IdentityProvider, *, wrong: str = "") -> list[Step]:
    """What came of each step of a trip, by the one that was wrong; none: all are right."""
    names = [name for name in TRIP if provider.kind in OPENID_KINDS or name not in OPENID_ONLY]
    at = names.index(wrong) if wrong in names else len(names)
    outcomes = [Outcome.RIGHT] * at + [Outcome.WRONG] + [Outcome.SKIPPED] * len(names)
    return [Step(name, outcome) for name, outcome in zip(names, outcomes, strict=False)]


def check_provider(provider: IdentityProvider) -> list[Step]:
    """Try all steps in the order of a sign-in. After one that is wrong, those that need it are skipped."""
    steps = [Step("secret", _secret(provider))]
    endpoints = None
    openid = provider.kind in OPENID_KINDS
    try:
        if openid:
            url = f"{social_protocol.issuer_at(provider)}/.well-known/openid-configuration"
            social_protocol.remembered(provider, "discovery", url, anew=True)
        endpoints = social_protocol.endpoints_of(provider)
        if openid:
            steps.append(Step("discovery", Outcome.RIGHT))
    except UpstreamFailed:
        steps.append(Step("discovery", Outcome.WRONG))
    if openid:
        steps.append(Step("keys", _keys(provider, endpoints)))
    steps.append(Step("endpoints", _endpoints(endpoints)))
    steps.append(Step("client", _client(provider, endpoints, steps[0].outcome)))
    return steps


def _secret(provider: IdentityProvider) -> Outcome:
    """Whether what lies sealed opens; Apple's key has to sign, too."""
    if not needs_secret(provider.settings):
        return Outcome.SKIPPED
    try:
        if not secrets_of(provider):
            return Outcome.WRONG
        if provider.kind == ProviderKind.APPLE:
            social_protocol.apple_secret(provider)
    except (SealBroken, ValueError, KeyError):
        return Outcome.WRONG
    return Outcome.RIGHT


def _keys(provider: IdentityProvider, endpoints: Endpoints | None) -> Outcome:
    """Whether there is a key that ID tokens may be signed with."""
    if endpoints is None:
        return Outcome.SKIPPED
    try:
        keys = social_protocol.keys_of(provider, endpoints, anew=True)
    except UpstreamFailed:
        return Outcome.WRONG
    return Outcome.RIGHT if social_tokens.has_usable_key(keys) else Outcome.WRONG


def _endpoints(endpoints: Endpoints | None) -> Outcome:
    if endpoints is None:
        return Outcome.SKIPPED
    try:
        for url in filter(None, (endpoints.authorization, endpoints.token, endpoints.userinfo)):
            checked_url(url)
    except OutboundFailed:
        return Outcome.WRONG
    return Outcome.RIGHT


def _client(provider: IdentityProvider, endpoints: Endpoints | None, secret: Outcome) -> Outcome:
    """Whether the provider knows us: it is asked with a code that can't be right (RFC 6749, 5.2)."""
    if endpoints is None or secret is Outcome.WRONG:
        return Outcome.SKIPPED
    body, headers = social_protocol.token_request(provider, endpoints)
    body |= {
        "grant_type": "authorization_code",
        "code": NO_CODE,
        "redirect_uri": callback_of(provider.realm),
        "code_verifier": NO_CODE * 12,
    }
    named = {"Accept": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        answer = fetch("POST", endpoints.token, headers=named, body=social_protocol.form_body(body))
        said = json.loads(answer.body)
    except (OutboundFailed, ValueError, RecursionError):
        return Outcome.WRONG
    error = said.get("error") if isinstance(said, dict) else None
    if error in ACCEPTED:
        return Outcome.RIGHT
    if error in REFUSED or answer.status == HTTPStatus.UNAUTHORIZED:
        return Outcome.WRONG
    return Outcome.UNKNOWN
