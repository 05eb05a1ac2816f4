"""Background work of the audit room."""

from identity.audit import commands
from identity.kernel.jobs import Run, background
from identity.kernel.permissions import Permission


def _give_up(run: Run) -> None:
    commands.give_up_export(run.actor, export_id=run.objects["export"])


@background(
    "audit.build_export",
    permission=Permission.AUDIT_EXPORT,
    objects={"export": "identity.AuditExport"},
    in_steps=True,
    given_up=_give_up,
)
def build_export(run: Run) -> None:
    """Write the file that somebody asked for."""
    commands.build_export(run.actor, export_id=run.objects["export"], keep=run.keep)
