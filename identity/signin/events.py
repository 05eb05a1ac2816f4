"""What happens at the door. What was typed is sealed: for nobody known under the realm's own key."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Outcome, Severity, event, personal


@event("signin.succeeded", target="user", sentence=_("{target} signed in"), severity=Severity.OK)
class SignInSucceeded(Event):
    """A session began. `application_id`: what the person is on the way to. `new_device`: not seen with him before."""

    method: str = "password"
    application_id: UUID | None = None
    amr: tuple[str, ...] = ()
    new_device: bool = False
    identifier: str = personal()


@event(
    "signin.failed",
    target="user",
    sentence=_("{reason}: {identifier}"),
    outcome=Outcome.FAILURE,
)
class SignInFailed(Event):
    """Somebody was not let in. The person was told the same, whatever the reason.

    reason: unknown_name, wrong_password, no_password, disabled, locked, email_unverified, or too_many_tries (once for
    each pause).
    """

    words = {
        "disabled": _("Account is disabled"),
        "email_unverified": _("Email is not confirmed"),
        "locked": _("Account is locked"),
        "no_password": _("No password yet"),
        "too_many_tries": _("Too many tries"),
        "unknown_name": _("Unknown name"),
        "wrong_password": _("Wrong password"),
    }
    reason: str = ""
    method: str = "password"
    application_id: UUID | None = None
    identifier: str = personal()


@event("signup.completed", target="user", sentence=_("{target} created an account"))
class SignUpCompleted(Event):
    """A person made an account for himself; the address still has to be confirmed."""

    application_id: UUID | None = None
    email: str = personal()


@event("signin.confirmed", target="user", sentence=_("{target} confirmed the password again"), feed=False)
class SignInConfirmed(Event):
    """A signed-in person showed once more who he is, before something important."""

    method: str = "password"
