"""What the feed shows of the trail: not what is too frequent, and not how something new was furnished."""

from django.db.models import QuerySet

from identity.audit.models import AuditEvent
from identity.kernel.events import registry

PROVISIONING = "provisioning"
"""Key in the payload of what an actor with `provisioning` did: a new realm opens with one row, not with its fifteen
built-in roles, scopes and keys."""


def quiet_types() -> list[str]:
    """The event types that stay out of the feed."""
    return sorted(name for name, event in registry.items() if not event.feed)


def is_quiet_type(event_type: str) -> bool:
    """Whether a type stays out of the feed; types of a newer version are shown."""
    definition = registry.get(event_type)
    return definition is not None and not definition.feed


def feed_of(rows: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    """Those of `rows` that the feed shows."""
    return rows.exclude(type__in=quiet_types()).filter(**{f"payload__{PROVISIONING}__isnull": True})


def is_in_feed(row: AuditEvent) -> bool:
    """The same question for one row at hand."""
    return not is_quiet_type(row.type) and PROVISIONING not in row.payload
