"""The request as console pages see it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest

from identity.kernel.actor import Actor
from identity.realms.models import Realm

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails


class ConsoleRequest(HttpRequest):
    """What the middleware adds. Only a type: requests are never made of it."""

    realm: Realm
    actor: Actor
    htmx: "HtmxDetails"


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a region. A boosted link or a restored history entry needs the whole page."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return bool(htmx) and htmx is not None and not htmx.boosted and not htmx.history_restore_request


def number_in(text: str) -> int | None:
    """A number that a page carried along; None for anything else, also for one that no page ever carried."""
    return int(text) if text.isdecimal() and len(text) < 10 else None
