"""Every address of the product, from the URL resolver itself: a new route is crawled without being told."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

from e2e.isolation.conftest import World

SKIPPED = re.compile(r"^console/(jsi18n|r/|autocomplete)")
"""Django's admin: a JavaScript catalog, a redirect by content type and autocomplete, which have their own test."""


@dataclass(frozen=True)
class Route:
    """A pattern and the names of what varies in it."""

    pattern: str
    kwargs: tuple[str, ...]

    def path(self, values: dict[str, str]) -> str:
        """The address with these values."""
        text = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], self.pattern)
        return "/" + text


def _joined(prefix: str, pattern: URLPattern | URLResolver) -> str:
    return prefix + str(pattern.pattern).removeprefix("^").removesuffix(r"\Z").removesuffix("$")


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[Route]:
    """All routes below a realm's mount."""
    for entry in (resolver or get_resolver()).url_patterns:
        text = _joined(prefix, entry)
        if isinstance(entry, URLResolver):
            yield from routes(entry, text)
        elif not SKIPPED.match(text) and "(?P" not in text:
            yield Route(text, tuple(re.findall(r"<(?:\w+:)?(\w+)>", text)))


def static_routes() -> list[Route]:
    """Those without an identifier."""
    return [route for route in routes() if not route.kwargs]


def object_routes() -> list[Route]:
    """Those with at least one identifier."""
    return [route for route in routes() if route.kwargs]


def spelled(route: Route, name: str, world: World, kind: str) -> str:
    """An identifier as this route spells it: a bare UUID for uuid converters and Django's admin, else the public id."""
    bare = f"<uuid:{name}>" in route.pattern or name == "object_id"
    return world.raw(kind) if bare else world.ids[kind]


def addresses(route: Route, own: World, swapped: World) -> Iterator[str]:
    """The route with each identifier of each kind of `swapped` in each place; the other places keep `own`'s.

    No table says which kind belongs where: all are tried, so a new route needs no annotation.
    """
    for name in route.kwargs:
        others = [other for other in route.kwargs if other != name]
        for kind in swapped.ids:
            for beside in own.ids if others else [kind]:
                values = {other: spelled(route, other, own, beside) for other in others}
                yield route.path({**values, name: spelled(route, name, swapped, kind)})
