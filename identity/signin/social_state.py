"""What a person's browser and a provider's answer must have in common: the signed state, and what waits meanwhile.

The state is signed for this realm, names the provider, ends after ten minutes, and is found once in the browser's own
session (OA-26): somebody else's answer, another provider's, an old one or a repeated one belongs to no question.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.internal import statekit
from allauth.socialaccount.providers.base import Provider
from django.core import signing
from django.http import HttpRequest

from identity.kernel import clock
from identity.kernel.origin import origin_of_request
from identity.realms.models import IdentityProvider, Realm
from identity.realms.queries import provider_key
from identity.signin.requests import realm_of
from identity.signin.social_claims import Upstream
from identity.signin.social_protocol import Question

LIFETIME = 10 * 60
MAX_STATE = 400
WAITING = "signin_upstream"
"""Session key: somebody whom a provider vouched for, and who isn't linked with an account yet."""

LOGIN, LINK, TEST = "login", "link", "test"


def _salt(realm: Realm) -> str:
    return f"identity.signin.state.{realm.pk}"


def new_state(realm: Realm, provider: IdentityProvider) -> str:
    """A state that only this realm can have made, for this provider."""
    return signing.dumps({"p": provider.alias, "n": secrets.token_urlsafe(16)}, salt=_salt(realm))


def alias_in(realm: Realm, state: str) -> str | None:
    """Which provider a state is for; None when it is forged, of another realm or too old."""
    if not state or len(state) > MAX_STATE:
        return None
    try:
        said = signing.loads(state, salt=_salt(realm), max_age=LIFETIME)
        return str(said["p"])
    except (signing.BadSignature, ValueError, TypeError, KeyError):
        return None


def stash(request: HttpRequest, provider: Provider, state: str, *, process: str, next_url: str) -> Question:
    """Remember in the browser's session what is asked. Returns what goes along."""
    question = Question(nonce=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48))
    # The person at this moment: a link must not end at somebody who signed in in between.
    data = {"nonce": question.nonce, "user": str(request.user.pk) if request.user.is_authenticated else ""}
    provider.stash_redirect_state(
        request, process, next_url or None, data, state_id=state, pkce_code_verifier=question.verifier
    )
    _keep_origin(request)
    return question


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked with a state."""

    question: Question
    process: str
    next_url: str
    user: str


def unstash(request: HttpRequest, provider: IdentityProvider, state: str) -> Asked | None:
    """What was asked with this state in this browser, once; None otherwise."""
    found = statekit.unstash_state(request, provider_id=provider_key(provider), state_id=state)
    _keep_origin(request)
    if found is None:
        return None
    data = found.get("data") or {}
    return Asked(
        Question(nonce=data.get("nonce", ""), verifier=found.get("pkce_code_verifier", "")),
        process=found.get("process", ""),
        next_url=found.get("next", ""),
        user=data.get("user", ""),
    )


def _keep_origin(request: HttpRequest) -> None:
    """allauth opens the session anew; the address that signs in is to be written on it all the same."""
    request.session.origin = origin_of_request(request)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who came from a provider, and what he was on the way to."""

    alias: str
    upstream: Upstream
    next_url: str = ""
    reason: str = ""
    """Why there is no account yet: first (sign_up is link), taken (the address is somebody's), asked (linking)."""


def keep_waiting(request: HttpRequest, waiting: Waiting) -> None:
    """Remember him for ten minutes, in this browser alone."""
    request.session[WAITING] = {
        "realm": str(realm_of(request).pk),
        "alias": waiting.alias,
        "upstream": waiting.upstream.kept(),
        "next": waiting.next_url,
        "reason": waiting.reason,
        "at": clock.now().timestamp(),
    }


def who_waits(request: HttpRequest) -> Waiting | None:
    """Who waits in this browser, if it isn't too long ago."""
    kept: Any = request.session.get(WAITING)
    if not isinstance(kept, dict) or kept.get("realm") != str(realm_of(request).pk):
        return None
    if not 0 <= clock.now().timestamp() - kept["at"] <= LIFETIME:
        return None
    return Waiting(kept["alias"], Upstream.of(kept["upstream"]), kept["next"], kept["reason"])


def nobody_waits(request: HttpRequest) -> None:
    """Forget him."""
    request.session.pop(WAITING, None)
