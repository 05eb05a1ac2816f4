"""The person's own trail in sentences to the person: "You" only for what came out of an own session, else "Someone"."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.devices import device_of
from identity.audit.models import AuditEvent
from identity.audit.reading import ReadableEvent, readable
from identity.kernel.actor import ActorKind
from identity.kernel.ids import public_id


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list."""

    public_id: str
    when: datetime
    sentence: str
    where: str


BY_SELF: dict[str, Promise] = {
    "access.denied": gettext_lazy("You asked for something that you have no permission for."),
    "consent.granted": gettext_lazy("You let %(name)s use some of your data."),
    "consent.withdrawn": gettext_lazy("You withdrew the access of %(name)s."),
    "email.change_cancelled": gettext_lazy("You kept your present email."),
    "email.change_requested": gettext_lazy("You asked to change your email."),
    "email.changed": gettext_lazy("You changed your email."),
    "email.change_reverted": gettext_lazy("You took back a change of your email."),
    "email.verified": gettext_lazy("You confirmed your email."),
    "device.forgotten": gettext_lazy("You forgot a device."),
    "device.trusted": gettext_lazy("You let a browser skip the second step."),
    "device.untrusted": gettext_lazy("A browser is asked for the second step again."),
    "factor.added": gettext_lazy("You added a way to confirm that it’s you."),
    "factor.code_sent": gettext_lazy("You asked for a code."),
    "factor.refused": gettext_lazy("A code or passkey didn’t work."),
    "factor.removed": gettext_lazy("You removed a way to confirm that it’s you."),
    "factor.renamed": gettext_lazy("You renamed a passkey."),
    "factor.used": gettext_lazy("You confirmed that it was you."),
    "identity.linked": gettext_lazy("You linked an account elsewhere."),
    "identity.unlinked": gettext_lazy("You unlinked an account elsewhere."),
    "invitation.accepted": gettext_lazy("You accepted the invitation."),
    "invitation.resumed": gettext_lazy("You took up the invitation again."),
    "password.changed": gettext_lazy("You set a new password."),
    "password.reset_requested": gettext_lazy("You asked for a link to choose a new password."),
    "phone.change_requested": gettext_lazy("You asked to change your phone number."),
    "phone.change_reverted": gettext_lazy("You took back a change of your phone number."),
    "phone.changed": gettext_lazy("You changed your phone number."),
    "phone.removed": gettext_lazy("You removed your phone number."),
    "phone.verified": gettext_lazy("You confirmed your phone number."),
    "recovery_codes.generated": gettext_lazy("You made new recovery codes."),
    "review.confirmed": gettext_lazy("You said that a sign-in was you."),
    "review.denied": gettext_lazy("You said that a sign-in wasn’t you, and your account was secured."),
    "review.opened": gettext_lazy("We asked whether a sign-in was you."),
    "session.ended": gettext_lazy("You signed a device out."),
    "session.ended:signed_out": gettext_lazy("You signed out."),
    "session.ended:sign_in_denied": gettext_lazy("A device was signed out after a sign-in that wasn’t you."),
    "signin.held": gettext_lazy("A sign-in was held until another step confirms it."),
    "signin.succeeded": gettext_lazy("You signed in."),
    "signin.unlocked": gettext_lazy("You ended a pause of sign-in."),
    "signup.completed": gettext_lazy("You created your account."),
    "terms.accepted": gettext_lazy("You accepted the terms."),
    "user.attributes_changed": gettext_lazy("You changed your details."),
    "user.created": gettext_lazy("You created your account."),
    "user.profile_changed": gettext_lazy("You changed your details."),
}
"""What the person did; a reason after the colon goes before. An event that is not here is told in its own sentence."""

BY_OTHERS: dict[str, Promise] = {
    "consent.withdrawn": gettext_lazy("An admin withdrew the access of %(name)s."),
    "email.changed": gettext_lazy("An admin changed your email."),
    "email.change_reverted": gettext_lazy("Someone took back a change of your email with the link in a mail."),
    "email.verified": gettext_lazy("Your email was confirmed with the link in a mail."),
    "device.forgotten": gettext_lazy("An admin forgot one of your devices."),
    "device.untrusted": gettext_lazy("Your browsers are asked for the second step again."),
    "factor.refused": gettext_lazy("Someone tried a code or passkey in vain."),
    "factor.reset": gettext_lazy("An admin reset your second step."),
    "factor.used": gettext_lazy("Someone signed in with a passkey of yours."),
    "invitation.accepted": gettext_lazy("Your invitation was accepted with the link in a mail."),
    "invitation.resumed": gettext_lazy("Your invitation was taken up again with the link in a mail."),
    "password.changed": gettext_lazy("Someone set a new password for your account."),
    "password.reset_requested": gettext_lazy("Someone asked for a link to choose a new password."),
    "phone.change_reverted": gettext_lazy("Someone took back a change of your phone number with a link."),
    "role.assigned": gettext_lazy("An admin gave you a role."),
    "role.unassigned": gettext_lazy("An admin took a role away from you."),
    "session.ended": gettext_lazy("An admin signed one of your devices out."),
    "signin.failed": gettext_lazy("Someone tried to sign in and failed."),
    "signin.succeeded": gettext_lazy("Someone signed in."),
    "user.created": gettext_lazy("Your account was created."),
    "user.disabled": gettext_lazy("Your account was disabled."),
    "user.approved": gettext_lazy("Your account was approved."),
    "user.enabled": gettext_lazy("Your account was enabled again."),
    "user.identifiers_changed": gettext_lazy("An admin changed how you are found."),
    "user.invited": gettext_lazy("You were invited."),
    "user.locked": gettext_lazy("Your account was locked."),
    "user.profile_changed": gettext_lazy("An admin changed your details."),
    "user.unlocked": gettext_lazy("Your account was unlocked."),
}
"""What others did to the account. They are not named: who runs a realm is the realm's business."""


def entries(rows: Iterable[AuditEvent], *, user_id: UUID) -> list[Entry]:
    """The rows as lines for the person whose account it is, in the given order."""
    return [_entry(event, user_id) for event in readable(rows)]


def _entry(event: ReadableEvent, user_id: UUID) -> Entry:
    own = event.row.actor_type == ActorKind.USER and event.row.actor_id == user_id
    where = []
    # An admin's device and address are not the account owner's to see.
    if own or event.row.actor_type == ActorKind.ANONYMOUS:
        where = [str(device_of(event.user_agent)) if event.user_agent else "", event.ip]
    return Entry(
        public_id("event", event.row.pk), event.row.occurred_at, _sentence(event, own), " · ".join(filter(None, where))
    )


def _sentence(event: ReadableEvent, own: bool) -> str:
    catalog = BY_SELF if own else BY_OTHERS
    known = catalog.get(f"{event.row.type}:{event.row.payload.get('reason', '')}") or catalog.get(event.row.type)
    if known is not None:
        values = {"name": event.personal.get("name") or event.row.payload.get("name", "")}
        return str(known) % values
    parts = []
    for part in event.parts():
        # By name, also who reads: the verb is in the third person, which "you" is not in every language.
        if part.kind == "user" and part.id != event.row.target_id and not (own and part.id == event.row.actor_id):
            parts.append(_("an admin"))
        else:
            parts.append(part.text)
    return capfirst("".join(parts)) + "."
