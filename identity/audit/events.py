"""Events that the audit room says itself."""

from uuid import UUID

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


@event("audit.export_ordered", target="realm", sentence=_("{actor} asked for an export of {count} events"))
class AuditExportOrdered(Event):
    """A large export is prepared in the background."""

    export_id: UUID | None = None
    count: int = 0
    format: str = "csv"


@event(
    "audit.export_prepared",
    target="realm",
    sentence=_("An export of {count} events is ready for {actor}"),
    severity=Severity.OK,
)
class AuditExportPrepared(Event):
    """The file is offered to who asked for it, for some minutes. Fetching it says audit.exported."""

    export_id: UUID | None = None
    count: int = 0
    size: int = 0


@event(
    "audit.export_failed",
    target="realm",
    sentence=_("An export of the audit trail could not be prepared"),
    outcome=Outcome.FAILURE,
)
class AuditExportFailed(Event):
    """It was given up, or who asked for it lost the right to it meanwhile."""

    export_id: UUID | None = None
