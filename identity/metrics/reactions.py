"""Counts events as they happen. Runs in the transaction that deletes the outbox row: each event counts exactly once."""

from uuid import UUID

from identity.audit.models import AuditEvent
from identity.metrics import counting, rules


def on_counted_event(event: AuditEvent) -> None:
    """One more in the realm's series, and in the application's where the event names one."""
    scopes = [event.realm_id]
    application = event.payload.get("application_id")
    if application:
        scopes.append(UUID(application))
    counting.add(event.realm_id, rules.COUNTED[event.type], event.occurred_at, scopes)
