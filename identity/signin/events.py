"""What happens at the door. What was typed is sealed: for nobody known under the realm's own key."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Outcome, Severity, event, personal
from identity.security.events import REASONS


@event("signin.succeeded", target="user", sentence=_("{target} signed in"), severity=Severity.OK)
class SignInSucceeded(Event):
    """A session began. `application_id`: what the person is on the way to. `new_device`: not seen with him before.

    reasons: what was unlike him, if anything. `country`: a guess from the network.
    """

    method: str = "password"
    application_id: UUID | None = None
    amr: tuple[str, ...] = ()
    new_device: bool = False
    country: str = ""
    reasons: tuple[str, ...] = ()
    identifier: str = personal()


@event(
    "signin.failed",
    target="user",
    sentence=_("{reason}: {identifier}"),
    outcome=Outcome.FAILURE,
)
class SignInFailed(Event):
    """Somebody was not let in. The person was told the same, whatever the reason.

    reason: unknown_name, wrong_password, wrong_code, no_password, disabled, locked, email_unverified, method_off,
    too_many_sessions, or too_many_tries (once for each pause). method: password, email_code, sms_code, passkey, or a
    provider's alias.
    """

    words = {
        "disabled": _("Account is disabled"),
        "email_unverified": _("Email is not confirmed"),
        "too_many_sessions": _("Signed in at too many places"),
        "locked": _("Account is locked"),
        "method_off": _("This way in is switched off"),
        "no_password": _("No password yet"),
        "pending": _("Account waits for approval"),
        "provider_cancelled": _("Cancelled at the provider"),
        "provider_failed": _("The provider’s answer was refused"),
        "provider_unlinked": _("Nobody here is linked with this account"),
        "too_many_tries": _("Too many tries"),
        "unknown_name": _("Unknown name"),
        "wrong_code": _("Wrong code"),
        "wrong_password": _("Wrong password"),
    }
    reason: str = ""
    method: str = "password"
    application_id: UUID | None = None
    identifier: str = personal()


@event("signin.unlocked", target="user", sentence=_("{actor} ended the pause of sign-ins of {target}"))
class SignInUnlocked(Event):
    """What stood against the account after wrong tries is forgotten. by: link, admin or new_password."""

    by: str = "admin"


@event(
    "signin.held",
    target="user",
    sentence=_("A sign-in as {target} is held: {reasons}"),
    outcome=Outcome.FAILURE,
)
class SignInHeld(Event):
    """The first step was right, but the sign-in is unlike the person: another factor has to confirm it first."""

    words = REASONS
    reasons: tuple[str, ...] = ()
    country: str = ""
    application_id: UUID | None = None


@event("signup.completed", target="user", sentence=_("{target} created an account"))
class SignUpCompleted(Event):
    """A person made an account for himself. What a code didn't prove still has to be confirmed."""

    application_id: UUID | None = None
    email: str = personal()


@event("signin.confirmed", target="user", sentence=_("{target} confirmed the password again"), feed=False)
class SignInConfirmed(Event):
    """A signed-in person showed once more who he is, before something important."""

    method: str = "password"


@event(
    "identity.linked",
    target="user",
    sentence=_("{target} can sign in with {alias} as {label}"),
    severity=Severity.MEDIUM,
)
class IdentityLinked(Event):
    """An account elsewhere opens this account from now on."""

    provider_id: UUID | None = None
    alias: str = ""
    label: str = personal()


@event("identity.unlinked", target="user", sentence=_("{target} can no longer sign in with {alias} as {label}"))
class IdentityUnlinked(Event):
    """An account elsewhere opens this account no more."""

    provider_id: UUID | None = None
    alias: str = ""
    label: str = personal()
