"""Writes of factors: add, use, rename, remove, reset; and browsers that stand for the second step."""

from identity.mfa.commands.adding import add_passkey, confirm_totp, generate_recovery_codes, rename_factor
from identity.mfa.commands.checking import (
    verify_message_code,
    verify_passkey,
    verify_recovery_code,
    verify_sign_in_passkey,
    verify_totp,
)
from identity.mfa.commands.messages import add_message_device, confirm_message_device, send_message_code
from identity.mfa.commands.removing import begin_grace, remove_factor, reset_factors, take_back_factors
from identity.mfa.commands.trust import trust_device, untrust_device, untrust_devices

__all__ = [
    "add_message_device",
    "add_passkey",
    "begin_grace",
    "confirm_message_device",
    "confirm_totp",
    "generate_recovery_codes",
    "remove_factor",
    "rename_factor",
    "reset_factors",
    "send_message_code",
    "take_back_factors",
    "trust_device",
    "untrust_device",
    "untrust_devices",
    "verify_message_code",
    "verify_passkey",
    "verify_recovery_code",
    "verify_sign_in_passkey",
    "verify_totp",
]
