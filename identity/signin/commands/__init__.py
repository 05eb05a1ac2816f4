"""Writes of the door: who comes in, and the policy of coming in."""

from identity.signin.commands.entrance import (
    check_sign_in,
    confirm_sign_in,
    note_signed_in,
    refuse_unverified,
    sign_up,
    wish_for_password,
)
from identity.signin.commands.policies import change_sign_in_policy

__all__ = [
    "change_sign_in_policy",
    "check_sign_in",
    "confirm_sign_in",
    "note_signed_in",
    "refuse_unverified",
    "sign_up",
    "wish_for_password",
]
