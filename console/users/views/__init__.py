"""Pages and dialogs of the users area."""

from console.users.views.access import Access
from console.users.views.approving import Approve, Refuse
from console.users.views.bulk import DisableMany, EndSessionsOfMany
from console.users.views.creation import Create, Invite
from console.users.views.devices import ForgetDevice
from console.users.views.dialogs import (
    Delete,
    Disable,
    Enable,
    EndSessions,
    GiveRole,
    InviteAgain,
    Lock,
    ResetFactors,
    SendResetLink,
    Unlock,
    UnlockSignIn,
    WithdrawInvitation,
)
from console.users.views.editing import Edit, EditSection
from console.users.views.linking import Unlink
from console.users.views.pages import Activity, Consents, Overview, Sessions, Users
from console.users.views.passwords import RequireNewPassword

__all__ = [
    "Access",
    "Activity",
    "Approve",
    "Consents",
    "Create",
    "Delete",
    "Disable",
    "DisableMany",
    "Edit",
    "EditSection",
    "Enable",
    "EndSessions",
    "EndSessionsOfMany",
    "ForgetDevice",
    "GiveRole",
    "Invite",
    "InviteAgain",
    "Lock",
    "Overview",
    "Refuse",
    "RequireNewPassword",
    "ResetFactors",
    "SendResetLink",
    "Sessions",
    "Unlink",
    "Unlock",
    "UnlockSignIn",
    "Users",
    "WithdrawInvitation",
]
