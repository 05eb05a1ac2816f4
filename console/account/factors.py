"""What the security page shows of factors and of browsers that stand for the second step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from console.account.access import AccountRequest
from console.devices import Device, device_of
from identity.mfa.models import FactorKind
from identity.mfa.queries import Factor, factors_of, methods_offered, trusted_devices
from identity.mfa.rules import RECOVERY_COUNT

FEW_CODES = 3


@dataclass(frozen=True, slots=True)
class TrustedRow:
    """A browser that is not asked for the second step."""

    id: UUID
    what: Device
    until: datetime


def factor_context(request: AccountRequest) -> dict[str, Any]:
    """Passkeys apart; the rest is the second step, by strength. What the realm doesn't offer is not offered."""
    factors = factors_of(request.user.pk)
    offered = methods_offered(request.realm)
    held = {factor.kind for factor in factors}
    second = [f for f in factors if f.kind in (FactorKind.TOTP, FactorKind.SMS, FactorKind.EMAIL)]
    codes = next((f for f in factors if f.kind == FactorKind.RECOVERY_CODES), None)
    return {
        "passkeys": [factor for factor in factors if factor.kind == FactorKind.PASSKEY],
        "may_add_passkey": FactorKind.PASSKEY in offered or request.realm.setting("passkey_sign_in"),
        "second_steps": second,
        "missing_steps": [kind for kind in offered if kind != FactorKind.PASSKEY and kind not in held],
        "recovery": codes,
        "recovery_total": RECOVERY_COUNT,
        "few_codes": codes is not None and codes.left <= FEW_CODES,
        "has_second_factor": any(factor.is_second_factor for factor in factors),
        "trusted": [
            TrustedRow(device.pk, device_of(device.label), device.trusted_until)
            for device in trusted_devices(request.actor)
            if device.trusted_until is not None
        ],
    }


def has_codes(factors: list[Factor]) -> bool:
    """Whether there is a way back in when the factor is lost."""
    return any(factor.kind == FactorKind.RECOVERY_CODES and factor.left for factor in factors)
