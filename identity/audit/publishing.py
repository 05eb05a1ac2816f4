"""After commit: whoever shows events at once is told. Publishing may be lost; nobody durable depends on it."""

import logging
from collections.abc import Callable

from identity.audit.models import AuditEvent

logger = logging.getLogger(__name__)

Publisher = Callable[[AuditEvent], None]
_publishers: list[Publisher] = []


def add_publisher(publisher: Publisher) -> None:
    """Called from config/wiring.py only. A publisher must be quick and must not touch the database."""
    if publisher not in _publishers:
        _publishers.append(publisher)


def has_publishers() -> bool:
    """Whether anybody would be told."""
    return bool(_publishers)


def publish(row: AuditEvent) -> None:
    """Tell every publisher. One that fails is logged and holds nobody up: the feed resumes from the table."""
    for publisher in _publishers:
        try:
            publisher(row)
        except Exception:
            logger.exception("An event could not be published: %s", row.type)
