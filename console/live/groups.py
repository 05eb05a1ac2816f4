"""Names of channel groups: from the realm's immutable id, of fixed width, so that no two can ever be equal (TI-14)."""

from uuid import UUID


def feed_group(realm_id: UUID) -> str:
    """The group that a realm's open consoles listen to."""
    return f"feed-{realm_id.hex}"
