"""Numbers in the sidebar: only for things that someone has to act on."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from identity.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Count:
    """A number, how urgent it is (crit, high, med), its icon and the words that a screen reader gets after it."""

    number: int
    level: str
    icon: str
    words: str


Source = Callable[[Actor], Count | None]
SOURCES: dict[str, Source] = {}
"""Navigation item name to the query that counts what waits there. Areas add theirs in their apps' urls module."""


def counts_for(request: HttpRequest) -> dict[str, Count]:
    """What waits for this actor, asked once for a request."""
    cached: dict[str, Count] | None = getattr(request, "_rk_counts", None)
    if cached is None:
        actor = request.actor  # type: ignore[attr-defined]
        found = ((name, source(actor)) for name, source in SOURCES.items())
        cached = {name: count for name, count in found if count and count.number}
        request._rk_counts = cached  # type: ignore[attr-defined]
    return cached
