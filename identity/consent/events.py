"""What people allow applications, and take back."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Severity, event


@event("consent.granted", target="user", sentence=_("{actor} let {name} use {scopes}"))
class ConsentGranted(Event):
    """A person decided on the consent page, or widened or narrowed an earlier decision (then with `changes`)."""

    consent_id: UUID | None = None
    application_id: UUID | None = None
    name: str = ""
    scopes: list[str] | None = None
    offline: bool = False


@event(
    "consent.withdrawn",
    target="user",
    sentence=_("{actor} withdrew the access of {name} to the data of {target}"),
    severity=Severity.MEDIUM,
)
class ConsentWithdrawn(Event):
    """The application lost its access at once; `families` refresh token families went with it."""

    consent_id: UUID | None = None
    application_id: UUID | None = None
    name: str = ""
    families: int = 0
