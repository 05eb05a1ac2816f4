"""Writes of the audit room itself: exports and remembered refusals. Everything else is recorded by its own room."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.audit import queries
from identity.audit.events import (
    AccessDenied,
    AuditExported,
    AuditExportFailed,
    AuditExportOrdered,
    AuditExportPrepared,
)
from identity.audit.exporting import chunk_of, filter_of, pieces_of, sealed_filter, signature_is_right
from identity.audit.files import Format, text_of
from identity.audit.models import AuditEvent, AuditExport, AuditExportChunk, ExportStatus
from identity.audit.queries import EventFilter
from identity.audit.record import record
from identity.audit.rules import CHUNK_BYTES, MOST_EXPORTED, MOST_IN_HAND, OFFERED_FOR
from identity.kernel import clock, jobs, ratelimit
from identity.kernel.actor import Actor
from identity.kernel.context import RealmLike
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.ids import uuid7, uuid7_floor
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write

_ONE_REFUSAL = ratelimit.Limit("access-denied", 1, timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Export:
    """Rows that may leave now: how many, and the rows themselves in chunks, newest first."""

    count: int
    chunks: Iterator[list[AuditEvent]]


@transaction.atomic
def export_events(actor: Actor, *, wanted: EventFilter, file_format: Format) -> Export:
    """Let the matching events leave as a file. What is recorded later is not in it.

    Raises PermissionDenied, Invalid (more than a million rows). Says audit.exported.
    """
    actor.require(Permission.AUDIT_EXPORT)
    rows = queries.find_events(actor, wanted)
    count = _count(actor, wanted)
    exported = record(actor, AuditExported(target_id=actor.realm_id, count=count, format=file_format))
    return Export(count, queries.in_chunks(rows.filter(id__lt=exported.pk)))


def _count(actor: Actor, wanted: EventFilter) -> int:
    count = queries.find_events(actor, wanted).order_by()[: MOST_EXPORTED + 1].count()
    if count > MOST_EXPORTED:
        raise Invalid(_("More than a million events match. Narrow the dates, then export again."), field="since")
    return count


@transaction.atomic
def order_export(actor: Actor, *, wanted: EventFilter, file_format: Format, language: str) -> AuditExport:
    """Have the matching events prepared as a file in the background, for this person in this session alone (TI-10).

    Raises PermissionDenied, Invalid (more than a million rows), Conflict (three of his are waiting already).
    Says audit.export_ordered.
    """
    actor.require(Permission.AUDIT_EXPORT)
    if not actor.is_person or actor.id is None:
        raise NotFound
    if queries.exports_in_hand(actor) >= MOST_IN_HAND:
        raise Conflict(_("Three of your exports are waiting already. Fetch those first, or wait until they expire."))
    count, now, pk = _count(actor, wanted), clock.now(), uuid7()
    export = AuditExport(
        id=pk,
        realm_id=actor.realm_id,
        asked_by=actor.id,
        session_id=actor.session_id,
        format=file_format,
        language=language,
        wanted_sealed=sealed_filter(wanted, realm_id=actor.realm_id, export_id=pk),
        until_id=uuid7_floor(now),
        count=count,
        created_at=now,
    )
    export.save(force_insert=True)
    jobs.enqueue(actor, "audit.build_export", objects={"export": pk})
    record(
        actor,
        AuditExportOrdered(target_id=actor.realm_id, export_id=pk, count=count, format=file_format),
    )
    return export


def build_export(actor: Actor, *, export_id: UUID, keep: Callable[[], None]) -> AuditExport | None:
    """Write an ordered file, piece by piece, each in a transaction of its own. What an earlier try left is replaced.

    keep: raises inside a transaction when another worker has taken the work over. Returns None when it is done already.
    Raises PermissionDenied, NotFound. Says audit.export_prepared.
    """
    actor.require(Permission.AUDIT_EXPORT)
    with transaction.atomic():
        keep()
        export = _export_in_work(export_id)
        if export is None:
            return None
        AuditExportChunk.objects.filter(export_id=export.pk).delete()
    rows = queries.find_events(actor, filter_of(export)).filter(id__lt=export.until_id)
    count = size = number = 0

    def counted() -> Iterator[list[AuditEvent]]:
        nonlocal count
        for chunk in queries.in_chunks(rows):
            count += len(chunk)
            yield chunk

    for piece in _pieces(text_of(counted(), cast(Format, export.format), export.language)):
        with transaction.atomic():
            keep()
            chunk_of(export, number, piece).save(force_insert=True)
        size, number = size + len(piece), number + 1
    with transaction.atomic():
        keep()
        export = _export_in_work(export_id)
        if export is None:
            return None
        export.status, export.count, export.size = ExportStatus.READY, count, size
        export.finished_at = clock.now()
        export.expires_at = export.finished_at + OFFERED_FOR
        export.save(update_fields=["status", "count", "size", "finished_at", "expires_at"])
        record(actor, AuditExportPrepared(target_id=actor.realm_id, export_id=export.pk, count=count, size=size))
    return export


def _export_in_work(export_id: UUID) -> AuditExport | None:
    export = for_write(AuditExport.objects.filter(pk=export_id)).first()
    if export is None:
        raise NotFound
    return export if export.status == ExportStatus.PREPARING else None


def _pieces(texts: Iterator[str]) -> Iterator[bytes]:
    """The same text in pieces worth a row of their own."""
    kept = bytearray()
    for text in texts:
        kept += text.encode()
        if len(kept) >= CHUNK_BYTES:
            yield bytes(kept)
            kept.clear()
    if kept:
        yield bytes(kept)


@transaction.atomic
def give_up_export(actor: Actor, *, export_id: UUID) -> None:
    """It will not be prepared: tell who asked for it, and delete what there is of it. Says audit.export_failed."""
    actor.require(Permission.AUDIT_EXPORT)
    export = _export_in_work(export_id)
    if export is None:
        return
    AuditExportChunk.objects.filter(export_id=export.pk).delete()
    export.status, export.finished_at = ExportStatus.FAILED, clock.now()
    export.save(update_fields=["status", "finished_at"])
    record(actor, AuditExportFailed(target_id=actor.realm_id, export_id=export.pk))


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A prepared file that may leave now."""

    format: Format
    size: int
    pieces: Iterator[bytes]


@transaction.atomic
def fetch_export(actor: Actor, *, realm: RealmLike, export_id: UUID, signature: str) -> PreparedFile:
    """Let a prepared file leave, to the one person and session that its link was made for, before it expires (TI-10).

    Raises PermissionDenied; NotFound for whatever else is wrong. Says audit.exported.
    """
    actor.require(Permission.AUDIT_EXPORT)
    export = queries.get_own_export(actor, export_id=export_id)
    if not signature_is_right(actor, export, signature) or queries.state_of_export(export) != "ready":
        raise NotFound
    file_format = cast(Format, export.format)
    record(actor, AuditExported(target_id=actor.realm_id, count=export.count, format=file_format))
    return PreparedFile(file_format, export.size, pieces_of(realm, export))


@transaction.atomic
def record_refusal(actor: Actor, *, permission: str, path: str) -> AuditEvent | None:
    """Remember that a signed-in actor was refused; once a minute for each permission (DECISIONS 22).

    Called by an edge after the refused command rolled back. Anonymous refusals are only counted, never recorded: a
    scanner could otherwise fill the trail. Says access.denied.
    """
    if not actor.is_person or actor.id is None:
        return None
    if ratelimit.hit(_ONE_REFUSAL, f"{actor.id}:{permission}") > 1:
        return None
    return record(actor, AccessDenied(permission=permission, path=path[:200]))
