"""Pure decisions of the protocol: PKCE, scopes, lifetimes, prompts, and who loses a refresh."""

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from identity.oauth.errors import ProtocolError, invalid_request, invalid_scope

OFFLINE = "offline_access"
OPENID = "openid"
GRACE = timedelta(seconds=10)
"""For so long, a refresh token that was just rotated is taken for a repeated request, not for a stolen one."""

KEY_OVERLAP = timedelta(days=1, minutes=5)
"""How long a former signing key stays published: the longest access token lifetime that a realm can set, and skew."""

CODE_KEPT = timedelta(days=7)
"""How long a used or expired code is remembered: who presents it again may be a thief (OA-05)."""

FAMILY_KEPT = timedelta(days=30)
"""How long a refresh family is remembered after its end, with all its generations: so long, reuse is told as such."""

DENIAL_KEPT = timedelta(hours=1)
"""How long a denied token stays listed after its own expiry; more than any clock is off."""

ID_TOKEN_LIFETIME = timedelta(hours=1)
PROMPTS = ("none", "login", "consent", "select_account")
OFFLINE_CHOICES = {"session": None, "month": timedelta(days=30), "always": None}
"""How long a person lets an application work while she is away: not at all, 30 days, until she stops it."""

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*")


def checked_challenge(challenge: str, method: str) -> str:
    """The S256 code challenge. Raises ProtocolError: PKCE is required, and `plain` proves nothing (RFC 9700, 2.1.1)."""
    if not challenge:
        raise invalid_request("Code challenge required.")
    if method != "S256":
        raise invalid_request("The code challenge method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise invalid_request("The code challenge must be 43 characters of base64url.")
    return challenge


def pkce_matches(verifier: str, challenge: str) -> bool:
    """Whether the verifier belongs to the S256 challenge (RFC 7636, 4.6). An empty challenge never matches.

    Stops a stolen code from being redeemed by anybody but who asked for it (OA-07).
    """
    if not challenge or not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, challenge.encode())


def half_hash(value: str) -> str:
    """`at_hash`: the left half of SHA-256, base64url (OpenID Connect Core 1.0, 3.1.3.6). For ES256 and RS256."""
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:16]).rstrip(b"=").decode()


def split_scope(text: str) -> list[str]:
    """A scope parameter as a list, each value once, in the given order. Raises ProtocolError (RFC 6749, 3.3)."""
    if not text:
        return []
    if not _SCOPE.fullmatch(text):
        raise invalid_scope("The scope parameter is malformed.")
    return list(dict.fromkeys(text.split(" ")))


def requested_scopes(text: str, allowed: Collection[str], *, default: Iterable[str]) -> list[str]:
    """What a client asks for, or `default` if it names nothing. Raises ProtocolError for what it can't have."""
    wanted = split_scope(text)
    if not wanted:
        return [name for name in default if name in allowed]
    for name in wanted:
        if name not in allowed:
            raise invalid_scope("A requested scope does not exist or is not allowed for this application.")
    return wanted


def standing_scopes(
    granted: Iterable[str], *, allowed: Collection[str], consented: Collection[str] | None
) -> list[str]:
    """What is left of granted scopes now: still allowed to the application and, where consent is asked, consented.

    Stops a narrowed consent or registration from living on in what was issued before.
    """
    return [name for name in granted if name in allowed and (consented is None or name in consented)]


def narrowed_scopes(text: str, granted: list[str]) -> list[str]:
    """The scopes of a refreshed access token: all that was granted or fewer (RFC 6749, 6). Raises ProtocolError."""
    wanted = split_scope(text)
    if any(name not in granted for name in wanted):
        raise invalid_scope("A requested scope was not granted.")
    return wanted or granted


def is_theft(*, rotated_at: datetime, now: datetime, successor_used: bool) -> bool:
    """Whether a rotated refresh token that comes again means that somebody else holds it (DECISIONS 19).

    Within ten seconds it is a repeated request or a second tab, and the family lives; a token whose successor was used
    already is two generations old, which no repetition explains (OA-13).
    """
    return successor_used or now - rotated_at > GRACE


def refresh_expiry(*, now: datetime, sliding: timedelta, family_ends: datetime) -> datetime:
    """When a new refresh token expires: it slides, but never past its family."""
    return min(now + sliding, family_ends)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What `prompt` and `max_age` ask of the sign-in and of the consent page (OpenID Connect Core 1.0, 3.1.2.1)."""

    silent: bool = False
    sign_in: bool = False
    consent: bool = False
    max_age: int | None = None


def checked_prompt(prompt: str, max_age: str) -> Prompt:
    """The parsed `prompt` and `max_age`. Raises ProtocolError for what can't be honored."""
    values = set(prompt.split())
    if values - set(PROMPTS):
        raise invalid_request("This value of prompt is not supported.")
    if "none" in values and len(values) > 1:
        raise invalid_request("prompt=none allows no other value.")
    age = None
    if max_age:
        if not re.fullmatch(r"[0-9]{1,9}", max_age):
            raise invalid_request("max_age must be a number of seconds.")
        age = int(max_age)
    return Prompt(
        silent="none" in values,
        sign_in=bool(values & {"login", "select_account"}),
        consent="consent" in values,
        max_age=age,
    )


def needs_fresh_sign_in(prompt: Prompt, *, auth_time: datetime, asked_at: datetime | None, now: datetime) -> bool:
    """Whether the person has to sign in again.

    asked_at: when this very request was first sent to the sign-in page; a sign-in after that satisfies it.
    """
    if asked_at is not None and auth_time >= asked_at:
        return False
    if prompt.sign_in:
        return True
    return prompt.max_age is not None and now - auth_time > timedelta(seconds=prompt.max_age)


UNSUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}
"""Parameters that change a request's meaning and that we don't read; ignoring them would answer another question."""


def refuse_unsupported(names: Collection[str]) -> None:
    """Raises ProtocolError if a request object or registration is sent (OA-25: nothing is ever fetched)."""
    for name, error in UNSUPPORTED.items():
        if name in names:
            raise ProtocolError(error, f"The parameter {name} is not supported.")
