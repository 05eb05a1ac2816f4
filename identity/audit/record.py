"""Recording: one immutable audit row and one outbox row for each durable consumer, in the command's own transaction."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from identity.audit import outbox, publishing
from identity.audit.feed import PROVISIONING
from identity.audit.models import AuditEvent, Outbox
from identity.audit.subjects import seal_personal
from identity.kernel import clock, sql
from identity.kernel.actor import Actor, ActorKind
from identity.kernel.crypto import keyed_hash
from identity.kernel.events import Event
from identity.kernel.ids import uuid7, uuid7_time


def record(actor: Actor, event: Event, *, on_behalf_of: UUID | None = None) -> AuditEvent:
    """Write what has happened, atomically with it, and publish it when the transaction commits.

    Raises RuntimeError outside `atomic`: an event without its change, or a change without its event, must be
    impossible. Never retried with the same id (the databases differ in how they refuse that).
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{event.type} was recorded outside a transaction.")
    columns = columns_of(actor, event, on_behalf_of=on_behalf_of)
    sql.take(sql.Step(rows=rows_of(columns)))
    row = sql.stored(AuditEvent, columns)
    transaction.on_commit(partial(publishing.publish, row), robust=True)
    return row


def rows_of(columns: Mapping[str, Any]) -> tuple[sql.Insert, ...]:
    """What is written for an event, in one statement: its row, and one for each consumer that waits for it."""
    waiting = (
        sql.Insert(
            Outbox, {"id": uuid7(), "event_id": columns["id"], "realm_id": columns["realm_id"], "consumer": consumer}
        )
        for consumer in outbox.consumers_of(columns["type"])
    )
    return sql.Insert(AuditEvent, {name: value for name, value in columns.items() if value is not None}), *waiting


LONGEST = 300


def readable_text(value: str) -> str:
    """`value` as a line of the trail may hold it: at most 300 characters, all printable.

    Stops a typed name from forging a second line, coloring a terminal or turning a sentence around (IN-07): control
    and direction characters show as a replacement character.
    """
    if len(value) <= LONGEST and value.isprintable():
        return value
    kept = "".join(char if char.isprintable() else "\ufffd" for char in value[: LONGEST + 1])
    return kept if len(kept) <= LONGEST else kept[: LONGEST - 1] + "…"


def columns_of(
    actor: Actor, event: Event, *, on_behalf_of: UUID | None = None, in_one_statement: bool = False
) -> dict[str, Any]:
    """The row of an event, by column. in_one_statement: a hot path inserts it inside its own single statement."""
    realm_id = actor.realm_id
    event_id = uuid7()
    payload = event.payload()
    if actor.visit_id is not None:
        payload["visit_id"] = str(actor.visit_id)
    if clock.is_moved():
        payload["backfilled"] = True
    if actor.provisioning:
        payload[PROVISIONING] = True
    nobody = realm_id
    data: dict[UUID, dict[str, str]] = {}
    of_actor = {
        key: value
        for key, value in (
            ("actor_name", readable_text(actor.name) if actor.kind is not ActorKind.SYSTEM else ""),
            ("actor_email", actor.email),
            ("ip", actor.origin.ip),
            ("user_agent", actor.origin.user_agent),
        )
        if value
    }
    data.setdefault(actor.id if actor.is_person and actor.id else nobody, {}).update(of_actor)
    typed = event.personal_data()
    personal = {name: readable_text(value) for name, value in typed.items()}
    shortened = sorted(name for name, value in typed.items() if len(value) > LONGEST)
    if shortened:
        payload["shortened"] = shortened
    data.setdefault(event.subject_id or nobody, {}).update(personal)
    homes = {actor.id: actor.home_realm_id} if actor.id and actor.home_realm_id else None
    person = typed.get("identifier") or typed.get("email") or actor.email
    return {
        "id": event_id,
        "realm_id": realm_id,
        "type": event.type,
        "schema_version": event.version,
        "occurred_at": uuid7_time(event_id),
        "actor_type": str(actor.kind),
        "actor_id": actor.id,
        "actor_realm": actor.home_realm_id,
        "on_behalf_of": on_behalf_of,
        "session_id": actor.session_id,
        "request_id": actor.request_id[:64],
        "target_type": event.target_type,
        "target_id": event.target_id,
        "outcome": str(event.outcome),
        "payload": payload,
        "pii": seal_personal(realm_id, event_id, data, homes, in_one_statement=in_one_statement),
        "person_hash": keyed_hash("audit-person", realm_id, person.strip().casefold()) if person else None,
        "address_hash": keyed_hash("audit-address", realm_id, actor.origin.ip) if actor.origin.ip else None,
    }
