"""Writes of the audit room itself: exports and remembered refusals. Everything else is recorded by its own room."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.audit import queries
from identity.audit.events import AccessDenied, AuditExported
from identity.audit.models import AuditEvent
from identity.audit.queries import EventFilter
from identity.audit.record import record
from identity.kernel import ratelimit
from identity.kernel.actor import Actor
from identity.kernel.errors import Invalid
from identity.kernel.permissions import Permission

Format = Literal["csv", "json"]
MOST_EXPORTED = 1_000_000
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
    count = rows.order_by()[: MOST_EXPORTED + 1].count()
    if count > MOST_EXPORTED:
        raise Invalid(_("More than a million events match. Narrow the dates, then export again."), field="since")
    exported = record(actor, AuditExported(target_id=actor.realm_id, count=count, format=file_format))
    return Export(count, queries.in_chunks(rows.filter(id__lt=exported.pk)))


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
