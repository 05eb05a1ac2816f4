"""What happens to people. Names and addresses are sealed under the person's own key."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Outcome, Severity, event, personal


@event("user.created", target="user", sentence=_("{actor} created the account of {target}"))
class UserCreated(Event):
    """An account exists. `how`: by an admin or file, by sign_up, or by invitation."""

    how: str = "admin"
    email: str = personal()


@event("user.profile_changed", target="user", sentence=_("{actor} changed the profile of {target}"))
class UserProfileChanged(Event):
    """Names, language or time zone changed. Values are personal data: only which fields is open."""

    fields: tuple[str, ...] = ()


@event(
    "user.identifiers_changed",
    target="user",
    sentence=_("{actor} changed how {target} is found: {fields}"),
    severity=Severity.MEDIUM,
)
class UserIdentifiersChanged(Event):
    """Phone number or username changed."""

    words = {"phone": _("phone number"), "username": _("username")}

    fields: tuple[str, ...] = ()


@event(
    "email.change_requested", target="user", sentence=_("{actor} asked to change the email of {target}"),
    severity=Severity.MEDIUM,
)  # fmt: skip
class EmailChangeRequested(Event):
    """A link went to the new address and a notice to the present one; nothing has changed yet."""

    email: str = personal()
    new_email: str = personal()


@event("email.change_cancelled", target="user", sentence=_("{actor} kept the present email of {target}"))
class EmailChangeCancelled(Event):
    """The link that was mailed to the new address stopped working."""

    new_email: str = personal()


@event("email.changed", target="user", sentence=_("{actor} changed the email of {target}"), severity=Severity.MEDIUM)
class EmailChanged(Event):
    """The account has another address; the former one got a link to take the change back."""

    email: str = personal()
    former_email: str = personal()
    verified: bool = False


@event(
    "email.change_reverted",
    target="user",
    sentence=_("{actor} took back the change of email of {target}"),
    severity=Severity.HIGH,
)
class EmailChangeReverted(Event):
    """The former address's owner did not want the change: all sessions ended and the password is void."""

    email: str = personal()
    refused_email: str = personal()
    sessions_ended: int = 0


@event("email.verified", target="user", sentence=_("{target} confirmed the email address"))
class EmailVerified(Event):
    """The person showed that mail to this address is read."""

    email: str = personal()


@event(
    "password.changed", target="user", sentence=_("{actor} set a new password for {target}"), severity=Severity.MEDIUM
)
class PasswordChanged(Event):
    """`how`: changed with the old one, by a reset link, by an admin, renewed at a sign-in, or for the first time."""

    how: str = "changed"
    sessions_ended: int = 0


@event(
    "password.change_required",
    target="user",
    sentence=_("{actor} asked {target} for a new password at the next sign-in"),
    severity=Severity.MEDIUM,
)
class PasswordChangeRequired(Event):
    """Nobody comes in with the account before its password is replaced. why: admin, breached or contained."""

    why: str = "admin"
    reason: str = personal()
    sessions_ended: int = 0


@event(
    "password.reset_requested",
    target="user",
    sentence=_("{actor} had a way to choose a new password sent to {target}"),
)
class PasswordResetRequested(Event):
    """A single-use link went to the verified address, or a code to the number. Unknown names leave no event."""

    email: str = personal()


@event(
    "breach_check.unavailable",
    target="realm",
    sentence=_("The service that knows stolen passwords does not answer"),
    severity=Severity.MEDIUM,
    outcome=Outcome.FAILURE,
)
class BreachCheckUnavailable(Event):
    """New passwords are held against the bundled list alone. Said at most once an hour."""


@event("user.disabled", target="user", sentence=_("{actor} disabled the account of {target}"), severity=Severity.MEDIUM)
class UserDisabled(Event):
    """The person can't sign in and what was issued stopped working at once."""

    reason: str = personal()
    sessions_ended: int = 0


@event("user.enabled", target="user", sentence=_("{actor} enabled the account of {target}"), severity=Severity.MEDIUM)
class UserEnabled(Event):
    """The person can sign in again."""


@event("user.approved", target="user", sentence=_("{actor} approved the account of {target}"), severity=Severity.MEDIUM)
class UserApproved(Event):
    """Somebody who made an account for himself may come in from now on. He is told."""


@event("user.refused", target="user", sentence=_("{actor} refused the account of {target}"), severity=Severity.MEDIUM)
class UserRefused(Event):
    """The account that waited for approval is gone; nobody ever came in with it."""

    reason: str = personal()
    email: str = personal()


@event("terms.accepted", target="user", sentence=_("{target} accepted the terms, version {terms_version}"))
class TermsAccepted(Event):
    """The person agreed to the terms in force, at sign-up or at a later sign-in."""

    terms_version: str = ""


@event("phone.verified", target="user", sentence=_("{target} confirmed the phone number"))
class PhoneVerified(Event):
    """The person showed that text messages to this number are read."""

    phone: str = personal()


@event(
    "phone.change_requested",
    target="user",
    sentence=_("{actor} asked to change the phone number of {target}"),
    severity=Severity.MEDIUM,
)
class PhoneChangeRequested(Event):
    """A code went to the new number, unless somebody else has it; nothing has changed yet."""

    phone: str = personal()
    new_phone: str = personal()


@event(
    "phone.changed",
    target="user",
    sentence=_("{actor} changed the phone number of {target}"),
    severity=Severity.MEDIUM,
)
class PhoneChanged(Event):
    """The person proved another number, or a first one; address and former number got a link to take it back."""

    phone: str = personal()
    former_phone: str = personal()
    former_proven: bool = False


@event(
    "phone.removed",
    target="user",
    sentence=_("{actor} removed the phone number of {target}"),
    severity=Severity.MEDIUM,
)
class PhoneRemoved(Event):
    """The account has no number any more; address and former number got a link to take that back."""

    former_phone: str = personal()
    former_proven: bool = False


@event(
    "phone.change_reverted",
    target="user",
    sentence=_("{actor} took back the change of the phone number of {target}"),
    severity=Severity.HIGH,
)
class PhoneChangeReverted(Event):
    """Its owner did not want the change: all sessions ended; `password` says whether the password is void."""

    phone: str = personal()
    refused_phone: str = personal()
    password: bool = False
    sessions_ended: int = 0


@event("user.locked", target="user", sentence=_("{actor} locked the account of {target}"), severity=Severity.MEDIUM)
class UserLocked(Event):
    """Like disabled, but it ends by itself after `minutes` (None: only by unlocking)."""

    minutes: int | None = None
    reason: str = personal()
    sessions_ended: int = 0


@event("user.unlocked", target="user", sentence=_("{actor} unlocked the account of {target}"))
class UserUnlocked(Event):
    """A lock ended before its time."""


@event("user.deleted", target="user", sentence=_("{actor} deleted the account of {target}"), severity=Severity.HIGH)
class UserDeleted(Event):
    """The account and everything that belongs to it is gone; the trail stays."""

    email: str = personal()
    sessions_ended: int = 0


@event("user.invited", target="user", sentence=_("{actor} invited {target}"))
class UserInvited(Event):
    """A single-use link went to the address. `again`: an earlier link stopped working with it."""

    invitation_id: UUID | None = None
    email: str = personal()
    again: bool = False


@event("invitation.accepted", target="user", sentence=_("{target} accepted the invitation"))
class InvitationAccepted(Event):
    """The person chose a first password; the address is thereby verified."""

    invitation_id: UUID | None = None
    email: str = personal()


@event("invitation.resumed", target="user", sentence=_("{target} took up the invitation again"))
class InvitationResumed(Event):
    """It had been accepted and left before there was a way in: its link let the person in once more."""

    invitation_id: UUID | None = None
    email: str = personal()
    sessions_ended: int = 0


@event("invitation.revoked", target="user", sentence=_("{actor} withdrew the invitation of {target}"))
class InvitationRevoked(Event):
    """The link stopped working; the account stays, without a password."""

    invitation_id: UUID | None = None


@event("user.attributes_changed", target="user", sentence=_("{actor} changed details of {target}: {fields}"))
class UserAttributesChanged(Event):
    """Values of custom attributes changed. They are personal data: only which attributes is open."""

    fields: tuple[str, ...] = ()


@event("attribute.defined", target="attribute", sentence=_("{actor} added the attribute {attribute}"))
class AttributeDefined(Event):
    """People of the realm can have this from now on."""

    attribute: str = ""


@event("attribute.changed", target="attribute", sentence=_("{actor} changed the attribute {attribute}"))
class AttributeChanged(Event):
    """`changes` has what it asks for, who may see and change it, and what tokens call it."""

    attribute: str = ""


@event("attribute.moved", target="attribute", sentence=_("{actor} moved the attribute {attribute}"))
class AttributeMoved(Event):
    """Its field stands at another place: `changes` has where, counted from 1."""

    attribute: str = ""


@event(
    "attribute.deleted",
    target="attribute",
    sentence=_("{actor} deleted the attribute {attribute}"),
    severity=Severity.HIGH,
)
class AttributeDeleted(Event):
    """The attribute and every value of it are gone. `people`: how many had one."""

    attribute: str = ""
    people: int = 0


LISTS = {
    "applications": _("Applications"),
    "audit": _("Audit trail"),
    "consents": _("Consents"),
    "organizations": _("Organizations"),
    "sessions": _("Sessions"),
    "users": _("Users"),
}
"""The console's lists as readers know them."""


@event("view.saved", target="view", sentence=_("{actor} saved a view of the list {area}"), feed=False)
class ViewSaved(Event):
    """A person keeps the filters of a list. They may name people, so the view's name is sealed and they stay out."""

    words = LISTS

    area: str = ""
    name: str = personal()
    shared: bool = False


@event("view.changed", target="view", sentence=_("{actor} changed a saved view of the list {area}"), feed=False)
class ViewChanged(Event):
    """`changes` has what it is to others: shared or not, opened first or not."""

    words = LISTS

    area: str = ""
    name: str = personal()


@event("view.deleted", target="view", sentence=_("{actor} deleted a saved view of the list {area}"), feed=False)
class ViewDeleted(Event):
    """The list itself is as it was."""

    words = LISTS

    area: str = ""
    name: str = personal()
    shared: bool = False
