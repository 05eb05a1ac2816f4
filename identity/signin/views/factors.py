"""What pages that ask for a factor share: which one, its challenge, and checking what was typed or signed."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from identity.accounts.models import User
from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound
from identity.mfa import commands
from identity.mfa.models import FactorKind
from identity.mfa.passkeys import parsed, request_options
from identity.mfa.queries import Factor, authenticator_devices
from identity.signin.challenges import keep_challenge, take_challenge
from identity.signin.requests import realm_of

ICONS = {
    FactorKind.PASSKEY: "passkey",
    FactorKind.TOTP: "mobile_lock_portrait",
    FactorKind.SMS: "sms",
    FactorKind.EMAIL: "mail",
    FactorKind.RECOVERY_CODES: "password",
    "password": "lock",
}
TITLES = {
    FactorKind.PASSKEY: gettext_lazy("Passkey"),
    FactorKind.TOTP: gettext_lazy("Authenticator app"),
    FactorKind.SMS: gettext_lazy("Text message"),
    FactorKind.EMAIL: gettext_lazy("Email"),
    FactorKind.RECOVERY_CODES: gettext_lazy("Recovery code"),
    "password": gettext_lazy("Password"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to confirm, as the chooser lists it. id: of the factor; of all passkeys it is the kind."""

    id: str
    kind: str
    title: str
    text: str
    icon: str


def text_of(factor: Factor) -> str:
    """What the chooser says of a factor."""
    match factor.kind:
        case FactorKind.PASSKEY:
            return _("Fingerprint, face or screen lock")
        case FactorKind.TOTP:
            return _("6-digit code from your app")
        case FactorKind.SMS:
            return _("To the number ending in %(end)s") % {"end": factor.hint}
        case FactorKind.EMAIL:
            return _("To %(address)s") % {"address": factor.hint}
    return _("One of the codes you saved")


def choices_of(factors: list[Factor]) -> list[Choice]:
    """The chooser's rows: all passkeys are one, since the browser asks which."""
    out: list[Choice] = []
    for factor in factors:
        one = factor.kind == FactorKind.PASSKEY
        if one and any(choice.kind == factor.kind for choice in out):
            continue
        if factor.kind == FactorKind.RECOVERY_CODES and not factor.left:
            continue
        out.append(
            Choice(
                factor.kind if one else factor.id,
                factor.kind,
                str(TITLES[factor.kind]),
                text_of(factor),
                ICONS[factor.kind],
            )
        )
    return out


def chosen(factors: list[Factor], wanted: str) -> Factor:
    """The factor of an id or kind; else the first. Raises NotFound when there is none."""
    for factor in factors:
        if wanted in (factor.id, factor.kind):
            return factor
    if not factors:
        raise NotFound
    return factors[0]


def passkey_question(request: HttpRequest, user: User, purpose: str) -> dict[str, Any]:
    """Options for the browser, with the person's own keys; what was asked waits in the session."""
    held = list(authenticator_devices(user.pk, FactorKind.PASSKEY))
    options, state = request_options(realm_of(request), held, verified=False)
    keep_challenge(request, purpose, user.pk, state)
    return options


@dataclass(frozen=True, slots=True)
class Proof:
    """A factor that was shown: for the records of this flow."""

    kind: str
    device: str
    amr: tuple[str, ...] = ()


def check_factor(request: HttpRequest, actor: Actor, user: User, factor: Factor, purpose: str) -> Proof:
    """Check what was posted for a factor. Raises WrongCode, RateLimited, NotFound."""
    if factor.kind == FactorKind.PASSKEY:
        state = take_challenge(request, purpose, user.pk)
        found = commands.verify_passkey(
            actor, user_id=user.pk, state=state, credential=parsed(request.POST.get("credential", ""))
        )
        return Proof(factor.kind, found.device.persistent_id, found.amr)
    code = request.POST.get("code", "")[:100]
    if factor.kind == FactorKind.TOTP:
        device = commands.verify_totp(actor, user_id=user.pk, code=code)
    elif factor.kind == FactorKind.RECOVERY_CODES:
        device = commands.verify_recovery_code(actor, user_id=user.pk, code=code)
    else:
        device = commands.verify_message_code(actor, user_id=user.pk, factor_id=factor.id, code=code)
    return Proof(factor.kind, device.persistent_id)


def wrong_text(kind: str) -> str:
    """Why a code may have failed, in the words of its kind."""
    match kind:
        case FactorKind.TOTP:
            return _("That code didn’t work. Codes change every 30 seconds and work once, so wait for the next one.")
        case FactorKind.PASSKEY:
            return _("That passkey didn’t work here. Try again, or use another way.")
        case FactorKind.RECOVERY_CODES:
            return _("That code didn’t work. Each one works once.")
    return _("That code didn’t work. Check the latest message, or send a new code.")
