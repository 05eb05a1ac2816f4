"""The trail as a file: CSV for spreadsheets, JSON for programs, written piece by piece."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

from django.utils import translation

from identity.audit.models import AuditEvent
from identity.audit.reading import ReadableEvent, readable
from identity.kernel.ids import public_id

Format = Literal["csv", "json"]
COLUMNS = (
    "id", "time", "type", "severity", "outcome", "sentence", "actor_type", "actor_id", "actor_name", "actor_email",
    "target_type", "target_id", "target_name", "address", "user_agent", "session_id", "request_id", "details",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def record_of(event: ReadableEvent) -> dict[str, Any]:
    """One event as flat values."""
    row = event.row
    return {
        "id": public_id("event", row.pk),
        "time": row.occurred_at.isoformat(timespec="milliseconds"),
        "type": row.type,
        "severity": str(event.severity),
        "outcome": row.outcome,
        "sentence": event.sentence(),
        "actor_type": row.actor_type,
        "actor_id": str(row.actor_id or ""),
        "actor_name": event.personal.get("actor_name", ""),
        "actor_email": event.personal.get("actor_email", ""),
        "target_type": row.target_type,
        "target_id": str(row.target_id or ""),
        "target_name": event.personal.get("target_name", ""),
        "address": event.ip,
        "user_agent": event.user_agent,
        "session_id": public_id("session", row.session_id) if row.session_id else "",
        "request_id": row.request_id,
        "details": row.payload,
    }


def plain_cell(value: str) -> str:
    """Stops a name such as `=cmd|…` from being run by the spreadsheet that opens the file (AC-13)."""
    if value.lstrip()[:1] in _FORMULA or value[:1] in ("\t", "\r", "\n"):
        return f"'{value}"
    return value


def _csv(chunk: Iterable[ReadableEvent], *, first: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    if first:
        writer.writerow(COLUMNS)
    for event in chunk:
        values = record_of(event)
        values["details"] = json.dumps(values["details"], ensure_ascii=False, sort_keys=True)
        writer.writerow([plain_cell(str(values[name])) for name in COLUMNS])
    return out.getvalue()


def _json(chunk: Iterable[ReadableEvent], *, first: bool) -> str:
    lines = [json.dumps(record_of(event), ensure_ascii=False, sort_keys=True) for event in chunk]
    return ("[\n" if first else "") + "".join(
        f"{'' if first and n == 0 else ',\n'}{line}" for n, line in enumerate(lines)
    )


def text_of(chunks: Iterator[list[AuditEvent]], file_format: Format, language: str) -> Iterator[str]:
    """The file, a piece for each chunk. The language is set for each piece: it must not leak into other requests."""
    write: Callable[..., str] = _csv if file_format == "csv" else _json
    first = True
    for chunk in chunks:
        with translation.override(language):
            yield write(readable(chunk), first=first)
        first = False
    if first:
        yield write([], first=True)
    if file_format == "json":
        yield "\n]\n"
