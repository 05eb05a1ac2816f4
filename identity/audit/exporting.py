"""Prepared exports: what was asked for, sealed; their pieces, sealed; and the signature of the one link to them."""

import base64
import binascii
import dataclasses
import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from identity.audit.models import AuditExport, AuditExportChunk
from identity.audit.queries import EventFilter
from identity.kernel.actor import Actor
from identity.kernel.context import RealmLike, realm_scope
from identity.kernel.crypto import mac, mac_is_right, seal, unseal
from identity.kernel.events import Outcome, Severity
from identity.kernel.ids import uuid7
from identity.kernel.tenancy import realm_id_of

_TABLE, _CHUNKS = "identity_auditexport", "identity_auditexportchunk"
_LABEL = "audit-export"


def _plain(value: Any) -> Any:
    return [str(item) for item in value] if isinstance(value, tuple) else str(value)


def sealed_filter(wanted: EventFilter, *, realm_id: UUID, export_id: UUID) -> bytes:
    """The filter as a sealed box: a name or an address that somebody searched for may be in it."""
    values = {f.name: getattr(wanted, f.name) for f in dataclasses.fields(wanted)}
    times = {name: value.isoformat() for name, value in values.items() if isinstance(value, datetime)}
    kept = {name: value if isinstance(value, bool) else _plain(value) for name, value in values.items() if value}
    text = json.dumps({**kept, **times, "quiet": wanted.quiet}).encode()
    return seal(text, realm_id=realm_id, table=_TABLE, pk=export_id, field="wanted")


def filter_of(export: AuditExport) -> EventFilter:
    """What the export is to hold. Raises SealBroken."""
    text = unseal(bytes(export.wanted_sealed), realm_id=realm_id_of(export), table=_TABLE, pk=export.pk, field="wanted")
    values: dict[str, Any] = json.loads(text)
    for name in ("actor_id", "target_id", "session_id"):
        if name in values:
            values[name] = UUID(values[name])
    for name in ("since", "until"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    for name in ("types", "actor_types"):
        if name in values:
            values[name] = tuple(values[name])
    if "about" in values:
        values["about"] = tuple(UUID(pk) for pk in values["about"])
    if "outcomes" in values:
        values["outcomes"] = tuple(Outcome(each) for each in values["outcomes"])
    if "severity" in values:
        values["severity"] = Severity(values["severity"])
    return EventFilter(**values)


def _place(export_id: UUID, number: int) -> str:
    """A chunk opens only at its place in its export: pieces can't be swapped, left out or lent."""
    return f"{export_id.hex}/{number}"


def chunk_of(export: AuditExport, number: int, piece: bytes) -> AuditExportChunk:
    """The unsaved row of one piece."""
    pk = uuid7()
    box = seal(
        zlib.compress(piece),
        realm_id=realm_id_of(export),
        table=_CHUNKS,
        pk=pk,
        field=_place(export.pk, number),
    )
    return AuditExportChunk(id=pk, export=export, number=number, sealed=box)


def pieces_of(realm: RealmLike, export: AuditExport) -> Iterator[bytes]:
    """The file, piece by piece. Each is read by itself, in the realm: this runs while the answer is being sent."""
    number = 0
    while True:
        with realm_scope(realm):
            chunk = AuditExportChunk.objects.filter(export_id=export.pk, number=number).first()
        if chunk is None:
            return
        box = bytes(chunk.sealed)
        yield zlib.decompress(
            unseal(box, realm_id=realm.pk, table=_CHUNKS, pk=chunk.pk, field=_place(export.pk, number))
        )
        number += 1


def _statement(actor: Actor, export: AuditExport) -> bytes:
    until = export.expires_at.isoformat() if export.expires_at else ""
    parts = (realm_id_of(export), export.pk, actor.id, actor.session_id, actor.visit_id, until)
    return "|".join(map(str, parts)).encode()


def signature_of(actor: Actor, export: AuditExport) -> str:
    """The signature of a link that works for this actor in this session, until the offer ends."""
    return base64.urlsafe_b64encode(mac(_LABEL, _statement(actor, export))).decode().rstrip("=")


def signature_is_right(actor: Actor, export: AuditExport, signature: str) -> bool:
    """Whether the link was made for exactly this actor, session and export."""
    try:
        tag = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except (binascii.Error, ValueError):
        return False
    return mac_is_right(_LABEL, _statement(actor, export), tag)
