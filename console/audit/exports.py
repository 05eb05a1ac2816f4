"""The exports page: what a person asked for, how far it is, and the link that only he can use."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from identity.audit.exporting import signature_of
from identity.audit.models import AuditExport
from identity.audit.queries import own_exports, state_of_export
from identity.kernel.actor import Actor
from identity.kernel.ids import public_id

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One export as the page shows it. `url` is there only while the file is offered."""

    label: str
    count: int
    size: int
    asked_at: datetime
    state: str
    state_text: str
    level: str
    symbol: str
    expires_at: datetime | None
    url: str


def _row(actor: Actor, export: AuditExport) -> ExportRow:
    state = state_of_export(export)
    text, level, symbol = {
        "preparing": (_("Being prepared"), "low", "hourglass_top"),
        "ready": (_("Ready"), "ok", "check_circle"),
        "failed": (_("Failed"), "high", "error"),
        "expired": (_("Expired"), "low", "timer"),
    }[state]
    url = ""
    if state == "ready":
        path = reverse("console:audit_export_file", args=[public_id("export", export.pk)])
        url = f"{path}?signature={signature_of(actor, export)}"
    return ExportRow(
        label=_("CSV") if export.format == "csv" else _("JSON"),
        count=export.count,
        size=export.size,
        asked_at=export.created_at,
        state=state,
        state_text=text,
        level=level,
        symbol=symbol,
        expires_at=export.expires_at,
        url=url,
    )


def rows_of(actor: Actor) -> list[ExportRow]:
    """The person's exports of the last day, newest first."""
    return [_row(actor, export) for export in own_exports(actor)[:MOST_SHOWN]]
