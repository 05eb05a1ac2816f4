"""Writes of people: accounts, profiles, addresses, passwords, life cycle and invitations. Each records its event."""

from identity.accounts.commands.addresses import (
    cancel_email_change,
    change_email,
    change_identifiers,
    confirm_email,
    request_email_change,
    revert_email_change,
    send_confirm_link,
)
from identity.accounts.commands.approvals import approve_user, refuse_user
from identity.accounts.commands.attributes import (
    change_attribute,
    define_attribute,
    delete_attribute,
    move_attribute,
    order_attributes,
    set_attributes,
)
from identity.accounts.commands.choosing import new_password_hash
from identity.accounts.commands.codes import make_code, spend_code
from identity.accounts.commands.creation import create_user, note_sign_in, sign_up_user
from identity.accounts.commands.federation import sign_up_federated_user
from identity.accounts.commands.invitations import (
    accept_invitation,
    invite_user,
    resend_invitation,
    revoke_invitation,
)
from identity.accounts.commands.joining import accept_terms, confirm_phone, give_up_phone
from identity.accounts.commands.lifecycle import delete_user, disable_user, enable_user, lock_user, unlock_user
from identity.accounts.commands.passwords import (
    answer_password_wish,
    renew_password_hash,
    require_new_password,
    send_password_reset_link,
    set_password,
    use_reset_link,
)
from identity.accounts.commands.profile import change_profile
from identity.accounts.commands.savedviews import change_view, delete_view, save_view
from identity.accounts.commands.taken_back import keep_taken_back

__all__ = [
    "accept_invitation",
    "accept_terms",
    "answer_password_wish",
    "approve_user",
    "cancel_email_change",
    "change_attribute",
    "change_email",
    "change_identifiers",
    "change_profile",
    "change_view",
    "confirm_email",
    "confirm_phone",
    "create_user",
    "define_attribute",
    "delete_attribute",
    "delete_user",
    "delete_view",
    "disable_user",
    "enable_user",
    "give_up_phone",
    "invite_user",
    "keep_taken_back",
    "lock_user",
    "make_code",
    "move_attribute",
    "new_password_hash",
    "note_sign_in",
    "order_attributes",
    "refuse_user",
    "renew_password_hash",
    "request_email_change",
    "require_new_password",
    "resend_invitation",
    "revert_email_change",
    "revoke_invitation",
    "save_view",
    "send_confirm_link",
    "send_password_reset_link",
    "set_attributes",
    "set_password",
    "sign_up_federated_user",
    "sign_up_user",
    "spend_code",
    "unlock_user",
    "use_reset_link",
]
