"""Writes of the door: who comes in, and the policy of coming in."""

from identity.signin.commands.codes import (
    CODE_WISH,
    answer_code_wish,
    check_sign_in_code,
    wish_for_code,
)
from identity.signin.commands.confirming import send_confirm_code, use_confirm_code
from identity.signin.commands.entrance import (
    answer_wish_for_password,
    check_sign_in,
    confirm_sign_in,
    note_signed_in,
    refuse_more_sessions,
    refuse_unverified,
    wish_for_password,
)
from identity.signin.commands.invited import resume_invitation
from identity.signin.commands.joining import NewPasskey, check_sign_up_code, send_sign_up_code, sign_up
from identity.signin.commands.numbers import (
    confirm_phone_change,
    remove_phone,
    request_phone_change,
    revert_phone_change,
    send_number_code,
)
from identity.signin.commands.policies import change_sign_in_policy
from identity.signin.commands.recovery import (
    RESET_CODE_WISH,
    answer_reset_code_wish,
    use_reset_code,
    wish_for_reset_code,
)
from identity.signin.commands.reviews import confirm_review, deny_review, note_held
from identity.signin.commands.unlocking import (
    UNLOCK_WISH,
    answer_unlock_wish,
    end_pauses_after_reset,
    unlock_sign_in,
    use_unlock_link,
    wish_for_unlock,
)
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
    "RESET_CODE_WISH",
    "UNLOCK_WISH",
    "NewPasskey",
    "answer_code_wish",
    "answer_reset_code_wish",
    "answer_unlock_wish",
    "answer_wish_for_password",
    "change_sign_in_policy",
    "check_sign_in",
    "check_sign_in_code",
    "check_sign_up_code",
    "close_provider",
    "confirm_phone_change",
    "confirm_review",
    "confirm_sign_in",
    "deny_review",
    "end_pauses_after_reset",
    "link_identity",
    "note_held",
    "note_signed_in",
    "refuse_more_sessions",
    "refuse_unverified",
    "refuse_upstream",
    "remove_phone",
    "remove_provider",
    "request_phone_change",
    "resume_invitation",
    "revert_phone_change",
    "send_confirm_code",
    "send_number_code",
    "send_sign_up_code",
    "sign_up",
    "sign_up_upstream",
    "unlink_identity",
    "unlock_sign_in",
    "use_confirm_code",
    "use_reset_code",
    "use_unlock_link",
    "wish_for_code",
    "wish_for_password",
    "wish_for_reset_code",
    "wish_for_unlock",
]
