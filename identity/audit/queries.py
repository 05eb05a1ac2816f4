"""Reads of the trail. Every filter is an index or a bound on the id; nothing here opens a row of another realm."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from identity.audit.feed import feed_of, quiet_types
from identity.audit.models import AuditEvent, AuditExport, AuditExportChunk
from identity.audit.rules import SHOWN_FOR, export_state
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hashes
from identity.kernel.errors import NotFound
from identity.kernel.events import Outcome, Severity, registry
from identity.kernel.ids import uuid7_floor
from identity.kernel.permissions import Permission

MOST_NAMED = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What to look for. Empty fields ask nothing; several are joined by "and".

    about: ids that must be the actor or the target. person: an identifier as it was typed or stood at that time.
    quiet: also what is too frequent for the feed (each token). feed: only what the feed shows, which is even less.
    """

    types: tuple[str, ...] = ()
    severity: Severity | None = None
    outcomes: tuple[Outcome, ...] = ()
    actor_types: tuple[str, ...] = ()
    actor_id: UUID | None = None
    target_id: UUID | None = None
    about: tuple[UUID, ...] = ()
    person: str = ""
    address: str = ""
    session_id: UUID | None = None
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    quiet: bool = True
    feed: bool = False


def types_of(severity: Severity) -> list[str]:
    """The event types of one severity."""
    return sorted(name for name, event in registry.items() if event.severity is severity)


def find_events(actor: Actor, wanted: EventFilter | None = None) -> QuerySet[AuditEvent]:
    """The realm's events, newest first. Raises PermissionDenied."""
    actor.require(Permission.AUDIT_READ)
    return _matching(actor.realm_id, wanted or EventFilter())


def _matching(realm_id: UUID, wanted: EventFilter) -> QuerySet[AuditEvent]:
    rows = AuditEvent.objects.filter(realm_id=realm_id).order_by("-id")
    exact = {
        "type__in": wanted.types,
        "outcome__in": wanted.outcomes,
        "actor_type__in": wanted.actor_types,
        "actor_id": wanted.actor_id,
        "target_id": wanted.target_id,
        "session_id": wanted.session_id,
        "request_id": wanted.request_id,
        "id__gte": uuid7_floor(wanted.since) if wanted.since else None,
        "id__lt": uuid7_floor(wanted.until) if wanted.until else None,
    }
    rows = rows.filter(**{lookup: value for lookup, value in exact.items() if value})
    if not wanted.quiet:
        rows = rows.exclude(type__in=quiet_types())
    if wanted.feed:
        rows = feed_of(rows)
    if wanted.severity:
        # An alert's severity is its own, not that of its type.
        own = Q(payload__level=str(wanted.severity))
        rows = rows.filter(own | Q(type__in=types_of(wanted.severity), payload__level__isnull=True))
    if wanted.address:
        rows = rows.filter(address_hash__in=keyed_hashes("audit-address", realm_id, wanted.address))
    if wanted.about or wanted.person:
        involved = Q()
        if wanted.about:
            involved |= Q(actor_id__in=wanted.about) | Q(target_id__in=wanted.about)
        if wanted.person:
            involved |= Q(person_hash__in=person_hashes(realm_id, wanted.person))
        rows = rows.filter(involved)
    return rows


def person_hashes(realm_id: UUID, identifier: str) -> list[bytes]:
    """What an identifier is searched by: the trail holds no identifier in clear."""
    return keyed_hashes("audit-person", realm_id, identifier.strip().casefold())


def get_event(actor: Actor, *, event_id: UUID) -> AuditEvent:
    """One event of the realm. Raises PermissionDenied, NotFound."""
    row = find_events(actor).filter(pk=event_id).first()
    if row is None:
        raise NotFound
    return row


def neighbours(actor: Actor, event: AuditEvent, wanted: EventFilter) -> tuple[UUID | None, UUID | None]:
    """The next newer and the next older event of the same list."""
    rows = find_events(actor, wanted)
    newer = rows.filter(id__gt=event.pk).order_by("id").values_list("pk", flat=True).first()
    older = rows.filter(id__lt=event.pk).values_list("pk", flat=True).first()
    return newer, older


def related_events(actor: Actor, event: AuditEvent, limit: int = 8) -> list[AuditEvent]:
    """What else the same request or session did around that time, newest first."""
    near = find_events(actor).exclude(pk=event.pk)
    found: dict[UUID, AuditEvent] = {}
    if event.request_id:
        # The same request is within a minute: the bound keeps this on the realm's index, request_id has none.
        span = (60_000 << 80) - 1
        window = near.filter(id__gte=UUID(int=max(0, event.pk.int - span)), id__lte=UUID(int=event.pk.int + span))
        found |= {row.pk: row for row in window.filter(request_id=event.request_id)[:limit]}
    if event.session_id and event.actor_id:
        by_actor = near.filter(actor_id=event.actor_id, session_id=event.session_id)
        before = by_actor.filter(id__lt=event.pk)[:limit]
        after = by_actor.filter(id__gt=event.pk).order_by("id")[:limit]
        found |= {row.pk: row for row in [*before, *after]}
    nearest = sorted(found.values(), key=lambda row: abs(row.pk.int - event.pk.int))[:limit]
    return sorted(nearest, key=lambda row: row.pk, reverse=True)


def events_about(actor: Actor, *, object_id: UUID, limit: int = 20) -> list[AuditEvent]:
    """The newest events whose actor or target is one object: the Events tab of its page. Raises PermissionDenied."""
    rows = find_events(actor)
    # Two index scans, merged: one OR over both columns would walk the whole realm on SQLite.
    found = [*rows.filter(actor_id=object_id)[:limit], *rows.filter(target_id=object_id)[:limit]]
    return sorted({row.pk: row for row in found}.values(), key=lambda row: row.pk, reverse=True)[:limit]


def events_naming(
    actor: Actor, *, object_id: UUID, fields: Mapping[str, Sequence[str]], limit: int = 20
) -> list[AuditEvent]:
    """The newest events about an object, and those that name it in their payload: an organization's memberships.

    fields: payload field → event types that have it. Only the newest MOST_NAMED of those types are looked at, since no
    index knows payloads. Raises PermissionDenied.
    """
    rows = find_events(actor)
    found = {row.pk: row for row in events_about(actor, object_id=object_id, limit=limit)}
    for name, types in fields.items():
        newest = rows.filter(type__in=list(types)).values_list("pk", f"payload__{name}")[:MOST_NAMED]
        ids = [pk for pk, value in newest if value == str(object_id)][:limit]
        found |= {row.pk: row for row in rows.filter(pk__in=ids)}
    return sorted(found.values(), key=lambda row: row.pk, reverse=True)[:limit]


def own_activity(actor: Actor, *, limit: int = 20, before: UUID | None = None) -> list[AuditEvent]:
    """What the actor did and what happened to his account, newest first. Everybody may see his own.

    before: only what is older than this event, for the next page.
    Raises PermissionDenied for anyone who is not a person of this realm.
    """
    if not actor.is_person or actor.id is None or actor.home_realm_id != actor.realm_id:
        actor.require(Permission.AUDIT_READ)
    rows = feed_of(AuditEvent.objects.filter(realm_id=actor.realm_id)).order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = [*rows.filter(actor_id=actor.id)[:limit], *rows.filter(target_id=actor.id)[:limit]]
    return sorted({row.pk: row for row in found}.values(), key=lambda row: row.pk, reverse=True)[:limit]


def count_failures(
    realm_id: UUID, *, since: datetime, until: UUID, types: Sequence[str], most: int, **column: object
) -> list[AuditEvent]:
    """The newest events of some types since a moment and up to an id, at most `most`: what detectors count.

    A flood of failures must not make each reaction slower than the last (DS-07), hence the bound.
    """
    return list(
        AuditEvent.objects.filter(
            realm_id=realm_id, type__in=types, id__gte=uuid7_floor(since), id__lte=until, **column
        ).order_by("-id")[:most]
    )


def events_by_id(realm_id: UUID, ids: Iterable[UUID]) -> list[AuditEvent]:
    """These events of one realm, oldest first. For the live feed, whose sockets were checked one by one."""
    return list(AuditEvent.objects.filter(realm_id=realm_id, pk__in=list(ids)).order_by("id"))


def newest_ids(realm_id: UUID, *, since: datetime, most: int) -> list[UUID]:
    """The newest ids of the feed since a moment, oldest first. The newest, not the oldest: after a burst the page
    would else miss exactly what has just happened (FINDINGS)."""
    rows = feed_of(AuditEvent.objects.filter(realm_id=realm_id, id__gte=uuid7_floor(since)))
    return list(rows.order_by("-id").values_list("pk", flat=True)[:most])[::-1]


def fresh_ids(realm_ids: Sequence[UUID], *, since: datetime, most: int) -> list[tuple[UUID, UUID, str]]:
    """(realm, id, type) of everything since a moment in some realms, oldest first: what the tail looks at."""
    rows = AuditEvent.objects.filter(id__gte=uuid7_floor(since), realm_id__in=realm_ids)
    return list(rows.order_by("-id").values_list("realm_id", "pk", "type")[:most])[::-1]


def in_chunks(rows: QuerySet[AuditEvent], size: int = 500) -> Iterator[list[AuditEvent]]:
    """All rows of a newest-first query in keyset steps: no cursor is held open while a client reads slowly."""
    last: UUID | None = None
    while True:
        step = rows if last is None else rows.filter(id__lt=last)
        chunk = list(step[:size])
        if chunk:
            yield chunk
        if len(chunk) < size:
            return
        last = chunk[-1].pk


def own_exports(actor: Actor) -> QuerySet[AuditExport]:
    """The exports that this person asked for in this session, newest first. Raises PermissionDenied.

    Nobody sees another's, and who signed out is another: what was asked for before is gone with the session (TI-10).
    """
    return _exports_of_person(actor).filter(session_id=actor.session_id)


def _exports_of_person(actor: Actor) -> QuerySet[AuditExport]:
    actor.require(Permission.AUDIT_EXPORT)
    if not actor.is_person or actor.id is None:
        return AuditExport.objects.none()
    return AuditExport.objects.filter(asked_by=actor.id, created_at__gt=clock.now() - SHOWN_FOR).order_by("-id")


def get_own_export(actor: Actor, *, export_id: UUID) -> AuditExport:
    """One of them. Raises PermissionDenied, NotFound."""
    export = own_exports(actor).filter(pk=export_id).first()
    if export is None:
        raise NotFound
    return export


def state_of_export(export: AuditExport) -> str:
    """preparing, ready, failed or expired, now."""
    return export_state(
        status=export.status, created_at=export.created_at, expires_at=export.expires_at, now=clock.now()
    )


def exports_in_hand(actor: Actor) -> int:
    """How many of his exports, of whatever session, are being prepared or wait to be fetched."""
    return sum(state_of_export(export) in ("preparing", "ready") for export in _exports_of_person(actor))


def export_chunks_to_purge(now: datetime) -> QuerySet[AuditExportChunk]:
    """Files that are offered no longer."""
    return AuditExportChunk.objects.filter(Q(export__expires_at__lte=now) | Q(export__created_at__lte=now - SHOWN_FOR))


def exports_to_purge(now: datetime) -> QuerySet[AuditExport]:
    """Exports that the page shows no longer."""
    return AuditExport.objects.filter(created_at__lte=now - SHOWN_FOR)
