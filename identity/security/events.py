"""What happens to alerts. An alert's own severity is in `level`, since one type of event carries all of them."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Severity, event, personal

REASONS = {
    "new_device": _("new device"),
    "new_country": _("new country"),
    "impossible_travel": _("sooner than anybody travels"),
    "denied_device": _("a device that was denied"),
}


@event(
    "alert.raised",
    target="alert",
    sentence=_("{target} needs a decision: {about}"),
    severity=Severity.HIGH,
)
class AlertRaised(Event):
    """A detector found something. `about` names the person or address."""

    number: int = 0
    detector: str = ""
    level: str = ""
    tries: int = 0
    about: str = personal()


@event("alert.escalated", target="alert", sentence=_("{target} became graver: {about}"), severity=Severity.HIGH)
class AlertEscalated(Event):
    """An open alert goes on, and is graver than it was."""

    number: int = 0
    detector: str = ""
    level: str = ""
    tries: int = 0
    about: str = personal()


@event("alert.taken", target="alert", sentence=_("{actor} took {target}"))
class AlertTaken(Event):
    """Somebody looks after it."""

    number: int = 0


@event(
    "alert.contained",
    target="alert",
    sentence=_("{actor} contained {target}: {about}"),
    severity=Severity.MEDIUM,
)
class AlertContained(Event):
    """Something was done about it, with what it really hit."""

    number: int = 0
    locked: bool = False
    sessions_ended: int = 0
    about: str = personal()


@event("alert.dismissed", target="alert", sentence=_("{actor} dismissed {target} as expected"))
class AlertDismissed(Event):
    """It was no trouble, or trouble that was expected."""

    number: int = 0
    note: str = personal()


@event(
    "review.opened",
    target="user",
    sentence=_("{target} is asked about a sign-in: {reasons}"),
    severity=Severity.MEDIUM,
)
class ReviewOpened(Event):
    """A sign-in was unlike the person, who is asked whether it was he. `country`: a guess from the network."""

    words = REASONS
    reasons: tuple[str, ...] = ()
    country: str = ""
    device: str = personal()


@event("review.confirmed", target="user", sentence=_("{target} confirmed a sign-in"))
class ReviewConfirmed(Event):
    """It was the person; the device is known from now on."""

    session_id: UUID | None = None


@event("review.denied", target="user", sentence=_("{target} denied a sign-in"), severity=Severity.HIGH)
class ReviewDenied(Event):
    """It was somebody else: everything is signed out, the password is void, what was added since is taken back."""

    session_id: UUID | None = None
    sessions_ended: int = 0
    factors_removed: tuple[str, ...] = ()
    identities_unlinked: tuple[str, ...] = ()
    consents_withdrawn: int = 0
