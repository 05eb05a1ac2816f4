"""Events that the audit room says itself."""

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Outcome, Severity, event


@event(
    "access.denied",
    target="",
    sentence=_("{actor} was refused: {permission} is missing"),
    severity=Severity.MEDIUM,
    outcome=Outcome.DENIED,
)
class AccessDenied(Event):
    """A signed-in actor asked for what he may not do; recorded in the realm that he is signed in to."""

    permission: str = ""
    path: str = ""


@event("audit.exported", target="realm", sentence=_("{actor} exported {count} events"), severity=Severity.MEDIUM)
class AuditExported(Event):
    """Rows of the audit trail left the product as a file."""

    count: int = 0
    format: str = "csv"
