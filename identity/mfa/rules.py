"""Pure decisions about factors: their order, what methods reach, what a sign-in must still show, codes as typed."""

import hmac
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from identity.mfa.models import FactorKind
from identity.sessions.rules import ACR_ONE, ACR_THREE, ACR_TWO

STRENGTH: tuple[str, ...] = (
    FactorKind.PASSKEY,
    FactorKind.TOTP,
    FactorKind.SMS,
    FactorKind.EMAIL,
    FactorKind.RECOVERY_CODES,
)
"""The strongest first: what the chooser shows first (and, of equals, what was used last)."""

SECOND_FACTORS: frozenset[str] = frozenset(STRENGTH) - {FactorKind.RECOVERY_CODES}
"""What counts as having a second factor. Recovery codes are the way back, not a factor of their own."""

BY_FACTOR = "factor"
"""What `by` says to the page that asks once more: the password is not enough."""

PERIOD = 30
"""Seconds of one step of an authenticator app (RFC 6238, 4.1)."""
WINDOW = 1
DIGITS = 6
CODE_LIFETIME = timedelta(minutes=5)

RECOVERY_COUNT = 10
RECOVERY_LENGTH = 8
RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""No i, l, o, 0 and 1: codes are read from paper. 31^8 is almost 40 bits, and each counts against a limit."""

MAX_FACTORS = 20
MAX_NAME = 60


# --- what was shown, and what it is worth ---------------------------------------------------------------------------


class Kind(StrEnum):
    """What somebody has to have got hold of to show a method. Two methods of one kind are one factor."""

    KNOWS = "knows"
    INBOX = "inbox"
    NUMBER = "number"
    HOLDS = "holds"
    IS = "is"
    VOUCHED = "vouched"


_AMR_KINDS: Mapping[str, Kind] = {
    "pwd": Kind.KNOWS,
    "pin": Kind.KNOWS,
    "kba": Kind.KNOWS,
    "sms": Kind.NUMBER,
    "otp": Kind.HOLDS,
    "hwk": Kind.HOLDS,
    "swk": Kind.HOLDS,
    "sc": Kind.HOLDS,
    "user": Kind.IS,
    "fpt": Kind.IS,
    "face": Kind.IS,
    "fed": Kind.VOUCHED,
}
_PHISHING_RESISTANT = frozenset({"hwk", "swk"})


@dataclass(frozen=True, slots=True)
class Shown:
    """One method that a person showed: what it says in `amr` (RFC 8176), its kinds, when, and by which device."""

    amr: tuple[str, ...]
    kinds: frozenset[str]
    at: float = 0.0
    device: str = ""
    factor: str = ""
    way: str = ""
    """The identity provider's alias, where one vouched."""
    for_hold: bool = False
    """A code that a held sign-in was confirmed with. It stands for no factor that the realm demands."""


def _vouched(named: Collection[str]) -> set[Kind]:
    """What a provider's word is worth: one kind, whichever single step it names; two only where it was mapped so.

    Its password or its code alone is as good as its bare word, and any factor of ours comes on top (OA-29).
    """
    kinds = {_AMR_KINDS[value] for value in named if value in _AMR_KINDS}
    if len(kinds) > 1:
        return kinds
    return {Kind.VOUCHED, Kind.HOLDS} if "mfa" in named else {Kind.VOUCHED}


def shown_of_record(record: Mapping[str, Any]) -> Shown | None:
    """What one authentication record of allauth's says; None for a method that we don't know: it counts nothing.

    A record may name its `amr` itself: a passkey's, or what an identity provider's own was mapped to.
    """
    method, at = record.get("method"), float(record.get("at") or 0)
    named = tuple(str(value) for value in record.get("amr") or ())
    factor = str(record.get("type") or "") if method == "mfa" else ""
    amr: tuple[str, ...]
    if method == "password":
        amr, kinds = ("pwd",), {Kind.KNOWS}
    elif method == "code":
        amr, kinds = (("sms",), {Kind.NUMBER}) if record.get("phone") else (("otp",), {Kind.INBOX})
        return Shown(amr, frozenset(kinds), at, for_hold=bool(record.get("for_hold")))
    elif method == "socialaccount":
        return Shown(("fed", *named), frozenset(_vouched(named)), at, way=str(record.get("provider") or ""))
    elif factor == FactorKind.PASSKEY:
        amr = named or ("swk",)
        kinds = {_AMR_KINDS[value] for value in amr if value in _AMR_KINDS}
    elif factor in (FactorKind.TOTP, FactorKind.RECOVERY_CODES):
        amr, kinds = ("otp",), {Kind.HOLDS}
    elif factor == FactorKind.SMS:
        amr, kinds = ("sms",), {Kind.NUMBER}
    elif factor == FactorKind.EMAIL:
        amr, kinds = ("otp",), {Kind.INBOX}
    else:
        return None
    return Shown(amr, frozenset(kinds), at, str(record.get("id") or ""), factor)


def shown_of(records: Iterable[Mapping[str, Any]]) -> list[Shown]:
    """What all records of a flow say, in order."""
    return [shown for shown in map(shown_of_record, records) if shown is not None]


def level_of(shown: Collection[Shown], *, with_hold: bool = False) -> int:
    """0: nothing. 1: one kind. 2: two kinds. 3: two kinds, one of them a passkey or key, which no page can be fed on.

    What an identity provider says of its own steps counts as it was mapped, so its word alone is one kind. with_hold:
    also what confirmed a held sign-in. Else an application that asks for two factors would be served by a code to the
    mailbox, which the realm may not take for one.
    """
    counted = [each for each in shown if with_hold or not each.for_hold]
    kinds = {kind for each in counted for kind in each.kinds}
    if len(kinds) < 2:
        return len(kinds)
    return 3 if any(_PHISHING_RESISTANT & set(each.amr) for each in counted) else 2


def amr_of(shown: Iterable[Shown]) -> list[str]:
    """The method references (RFC 8176), each once, in order; with `mfa` when they show two kinds."""
    listed = list(shown)
    once = list(dict.fromkeys(value for each in listed for value in each.amr if value != "mfa"))
    return [*once, "mfa"] if level_of(listed) > 1 else once


def way_of(shown: Sequence[Shown]) -> str:
    """How events call the way in: by what was shown first."""
    if not shown:
        return ""
    first = shown[0]
    if first.factor or first.way:
        return first.factor or first.way
    named = {"pwd": "password", "sms": "sms_code", "otp": "email_code", "fed": "provider"}
    return named.get(first.amr[0], first.amr[0])


_ACRS = (ACR_ONE, ACR_ONE, ACR_TWO, ACR_THREE)


def acr_of(shown: Collection[Shown]) -> str:
    """The authentication context class that was reached (OpenID Connect Core 1.0, section 2)."""
    return _ACRS[level_of(shown)]


def level_of_acr(acr: str) -> int:
    """The level that a class stands for; 0 for one that is not ours."""
    return {ACR_ONE: 1, ACR_TWO: 2, ACR_THREE: 3}.get(acr, 0)


def level_of_factor(kind: str) -> int:
    """The level that a first step and this factor reach together: what the chooser may offer for a wish."""
    return 3 if kind == FactorKind.PASSKEY else 2


def _own_kind(kind: str) -> Kind:
    return {FactorKind.SMS: Kind.NUMBER, FactorKind.EMAIL: Kind.INBOX}.get(FactorKind(kind), Kind.HOLDS)


def is_independent(kind: str, shown: Iterable[Shown]) -> bool:
    """Whether a factor of this kind adds something: a code by SMS after a sign-in by SMS shows the same thing twice."""
    return _own_kind(kind) not in {each for one in shown for each in one.kinds}


def level_after(kind: str, shown: Collection[Shown]) -> int:
    """The level that a session reaches once a factor of this kind is shown besides; after a code to an inbox, another

    code to an inbox reaches nothing. Without anything shown yet, as if some first step were.
    """
    if not shown:
        return level_of_factor(kind)
    amr = ("hwk",) if kind == FactorKind.PASSKEY else ()
    return level_of([*shown, Shown(amr, frozenset({_own_kind(kind)}))])


# --- what a sign-in must still show ---------------------------------------------------------------------------------


class Step(StrEnum):
    """What comes next in a sign-in. `offer`: a factor has to be added, but not today. `prove`: it is held, and as the
    person has no factor that could confirm it, a code to his confirmed address or number does.
    """

    PASS = "pass"
    CHALLENGE = "challenge"
    PROVE = "prove"
    ENROL = "enrol"
    OFFER = "offer"


def next_step(
    *,
    policy: str,
    usable: bool,
    level: int,
    trusted: bool,
    grace_until: datetime | None,
    now: datetime,
    wanted: int = 1,
    held: bool = False,
    proven: bool = False,
) -> Step:
    """What the second-step stage does. Every branch that lets pass is listed; what is left asks (LG-01, LG-02).

    policy: the realm's setting second_factor. usable: the person holds a factor that adds something to what was shown.
    level: reached in this flow. trusted: this browser stands for the second step, which never serves an application's
    own wish (`wanted`) nor a sign-in that is held. held: it is unlike the person and waits for two kinds of proof.
    proven: a code confirmed that; it confirms nothing else, so a factor that the realm demands is still to be added.
    """
    if held and level < 2:
        if usable:
            return Step.CHALLENGE
        if not proven:
            return Step.PROVE
    if level >= 2:
        return Step.PASS
    if usable:
        return Step.PASS if trusted and wanted < 2 else Step.CHALLENGE
    if policy != "required":
        return Step.PASS
    return Step.OFFER if grace_until is not None and now < grace_until else Step.ENROL


def wanted_level(acr_values: Sequence[str], required: str) -> int:
    """The least level that serves a request: the easiest of the classes it lists, and what the application requires.

    -1 when it lists classes and we have none of them (OpenID Connect Core Unmet Authentication Requirements 1.0).
    """
    levels = [level_of_acr(value) for value in acr_values]
    known = [level for level in levels if level]
    if levels and not known:
        return -1
    return max(min(known, default=1), level_of_acr(required), 1)


# --- codes as people type them --------------------------------------------------------------------------------------


def typed_digits(text: str) -> str:
    """The ASCII digits of a code as it was typed: spaces and dashes dropped, full-width and other digits read (LG-16).

    Anything else makes it no code at all: the empty text, which matches nothing.
    """
    out = []
    for char in unicodedata.normalize("NFKC", text.strip())[:40]:
        if char.isspace() or char in "-–\u200b":
            continue
        value = unicodedata.decimal(char, None)
        if value is None:
            return ""
        out.append(str(value))
    return "".join(out)


def typed_recovery_code(text: str) -> str:
    """A recovery code in its one spelling: dashes, spaces and capitals don't matter."""
    folded = unicodedata.normalize("NFKC", text[:60]).casefold()
    return "".join(char for char in folded if char.isalnum())


def shown_recovery_code(code: str) -> str:
    """As it is shown: two halves."""
    return f"{code[: RECOVERY_LENGTH // 2]}-{code[RECOVERY_LENGTH // 2 :]}"


def step_at(now: datetime) -> int:
    """The time step of a moment."""
    return int(now.timestamp()) // PERIOD


def accepted_step(code: str, codes: Mapping[int, str]) -> int | None:
    """The step whose code this is; None if it is none of them. Compared in constant time, all of them.

    Of two steps that have the same code by chance, the later one: that uses up both.
    """
    found: int | None = None
    for step in sorted(codes):
        if hmac.compare_digest(codes[step], code):
            found = step
    return found


def counter_is_fine(stored: int | None, new: int) -> bool:
    """Whether a passkey's signature counter went on (WebAuthn, 7.2 step 22). Zero twice: the device keeps none."""
    return (not stored and not new) or new > (stored or 0)


def hint_of(kind: str, to: str) -> str:
    """What may be shown of a number or an address after a right first step."""
    if kind == FactorKind.SMS:
        return to[-2:]
    name, _, domain = to.partition("@")
    return f"{name[:1]}…@{domain}"[:40]
