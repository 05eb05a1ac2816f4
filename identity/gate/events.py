"""What happens to background work that does not come to its end."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from identity.kernel.events import Event, Outcome, Severity, event


@event(
    "job.refused",
    target="job",
    sentence=_("Background work was refused: {reason}"),
    severity=Severity.MEDIUM,
    outcome=Outcome.DENIED,
)
class JobRefused(Event):
    """A job died without effect. `level`: its own severity; critical if the queue's row is not what we put there.

    A forged one is told in the platform's trail, since nothing in it can be believed; `claimed_realm` is what it said.
    """

    words = {
        "actor": _("who asked for it may not act any more"),
        "forged": _("it was altered in the queue"),
        "object_gone": _("what it was about is gone"),
        "permission": _("who asked for it may not do this any more"),
        "realm": _("the realm is closed"),
        "refused": _("it is not possible any more"),
        "unknown_task": _("nothing of this name can be done"),
    }

    task: str = ""
    reason: str = ""
    level: str = str(Severity.MEDIUM)
    claimed_realm: UUID | None = None


@event(
    "job.failed",
    target="job",
    sentence=_("Background work failed {attempts} times and was given up"),
    severity=Severity.HIGH,
    outcome=Outcome.FAILURE,
)
class JobFailed(Event):
    """It failed, or its worker died, so often that it is not tried again. `error`: the kind of the last failure."""

    task: str = ""
    attempts: int = 0
    error: str = ""
