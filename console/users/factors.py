"""A person's factors as admins see them: what there is and since when, never a secret, number or device name."""

from typing import Any

from django.utils.translation import gettext as _

from console.users.people import Rights, short, user_url
from identity.accounts.models import User
from identity.kernel.actor import Actor
from identity.mfa.models import FactorKind
from identity.mfa.queries import Factor, factors_seen_by

ICONS = {
    FactorKind.PASSKEY: "passkey",
    FactorKind.TOTP: "mobile_lock_portrait",
    FactorKind.SMS: "sms",
    FactorKind.EMAIL: "mail",
    FactorKind.RECOVERY_CODES: "password",
}


def factor_words(kind: str) -> str:
    """What a kind is called."""
    return {
        FactorKind.PASSKEY: _("Passkey"),
        FactorKind.TOTP: _("Authenticator app"),
        FactorKind.SMS: _("Text message codes"),
        FactorKind.EMAIL: _("Email codes"),
        FactorKind.RECOVERY_CODES: _("Recovery codes"),
    }[FactorKind(kind)]


def _row(factor: Factor) -> dict[str, Any]:
    if factor.kind == FactorKind.RECOVERY_CODES:
        note = _("%(n)s left") % {"n": factor.left}
    elif factor.last_used_at is not None:
        note = _("used %(when)s") % {"when": short(factor.last_used_at)}
    else:
        note = _("added %(when)s") % {"when": short(factor.created_at)}
    return {"icon": ICONS[FactorKind(factor.kind)], "label": factor_words(factor.kind), "note": note}


def factor_panel(actor: Actor, user: User, rights: Rights) -> dict[str, Any]:
    """The card of the person's page."""
    factors = factors_seen_by(actor, user_id=user.pk)
    return {
        "factors": [_row(factor) for factor in factors],
        "has_second_factor": any(factor.is_second_factor for factor in factors),
        "factor_grace_until": user.factor_grace_until,
        "reset_factors_url": user_url(user.pk, "user_reset_factors")
        if factors and rights.write and not rights.is_self
        else "",
    }
