"""Writes of the door: who comes in, and the policy of coming in."""

from identity.signin.commands.codes import (
    CODE_WISH,
    answer_code_wish,
    check_sign_in_code,
    wish_for_code,
)
from identity.signin.commands.confirming import send_confirm_code, use_confirm_code
from identity.signin.commands.entrance import (
    check_sign_in,
    confirm_sign_in,
    note_signed_in,
    refuse_unverified,
    wish_for_password,
)
from identity.signin.commands.joining import check_sign_up_code, send_sign_up_code, sign_up
from identity.signin.commands.policies import change_sign_in_policy
from identity.signin.commands.reviews import confirm_review, deny_review, note_held
from identity.signin.commands.upstream import (
    close_provider,
    link_identity,
    refuse_upstream,
    remove_provider,
    sign_up_upstream,
    unlink_identity,
)

__all__ = [
    "CODE_WISH",
    "answer_code_wish",
    "change_sign_in_policy",
    "check_sign_in",
    "check_sign_in_code",
    "check_sign_up_code",
    "close_provider",
    "confirm_review",
    "confirm_sign_in",
    "deny_review",
    "link_identity",
    "note_held",
    "note_signed_in",
    "refuse_unverified",
    "refuse_upstream",
    "remove_provider",
    "send_confirm_code",
    "send_sign_up_code",
    "sign_up",
    "sign_up_upstream",
    "unlink_identity",
    "use_confirm_code",
    "wish_for_code",
    "wish_for_password",
]
