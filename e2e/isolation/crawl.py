"""Every address of the product, from the URL resolver itself: a new route is crawled without being told."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver

from e2e.isolation.conftest import World
from identity.sessions.testing import RealmClient

SKIPPED = re.compile(r"^console/(jsi18n|r/|autocomplete)")
"""Django's admin: a JavaScript catalog, a redirect by content type and autocomplete, which have their own test."""

REGION = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "panel"}
"""Headers with which the console's own script asks. The answer comes without the shell around it, which is the same on
every page and most of what a page costs: of a refusal, a crawl needs no more than the region."""


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


def answers_of(client: RealmClient, path: str) -> list[Any]:
    """The region's answer; and the whole page's where there is one to see: not of a refusal, nor of a way elsewhere."""
    region = client.get(path, **REGION)
    opens = region.status_code == 200 and "HX-Redirect" not in region.headers
    return [region, client.get(path)] if opens else [region]


def read(response: Any) -> tuple[int, str]:
    """Status and text of an answer, streamed or not."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, body.decode(errors="replace")


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


@dataclass(frozen=True)
class Places:
    """Which kinds belong into the two places of a route, and with them some that do not."""

    first: frozenset[str]
    second: frozenset[str]
    together: frozenset[tuple[str, str]]


WRONG = frozenset({"event", "scope"})
"""Kinds that belong beside nothing: one whose identifier names its kind, and one that is a bare UUID."""

_places: dict[str, Places] = {}


def places(route: Route, world: World) -> Places:
    """Asks as the owner which kinds belong into each place of a route with two. No table says so: a new route is asked.

    Into the first belongs what opens a page below the same beginning; into the second, what is answered unlike the
    others beside it, by GET or by a POST that is rolled back.
    """
    if route.pattern not in _places:
        client = world.client()
        first = _belong_first(route, world, client)
        pairs = _belong_together(route, world, client, first or frozenset(world.ids))
        _places[route.pattern] = Places(
            (first or frozenset(one for one, _ in pairs)) | WRONG,
            frozenset(other for _, other in pairs) | WRONG,
            frozenset(pairs),
        )
    return _places[route.pattern]


def _belong_first(route: Route, world: World, client: RealmClient) -> frozenset[str]:
    name = route.kwargs[0]
    beginning = route.pattern[: route.pattern.index(f":{name}>") + len(name) + 2]
    for page in object_routes():
        if page.kwargs == (name,) and page.pattern.startswith(beginning):
            paths = {kind: page.path({name: spelled(page, name, world, kind)}) for kind in world.ids}
            if belong := {kind for kind, path in paths.items() if client.get(path, **REGION).status_code == 200}:
                return frozenset(belong)
    return frozenset()


def _belong_together(route: Route, world: World, client: RealmClient, first: frozenset[str]) -> set[tuple[str, str]]:
    belong: set[tuple[str, str]] = set()
    for method in ("GET", "POST"):
        for one in first:
            answers: dict[str, int] = {}
            for other in world.ids:
                with transaction.atomic():
                    path = pair(route, (world, one), (world, other))
                    answers[other] = client.generic(method, path, **REGION).status_code
                    transaction.set_rollback(True)
            ((usual, alike),) = Counter(answers.values()).most_common(1)
            if usual == 403 and alike == len(answers):
                # Not his to ask, whatever is named.
                return belong
            belong |= {(one, other) for other, status in answers.items() if status != usual}
        if belong:
            break
    return belong


def pair(route: Route, one: tuple[World, str], other: tuple[World, str]) -> str:
    """A route with two places, filled with what these kinds are in these worlds."""
    first, second = route.kwargs
    return route.path({first: spelled(route, first, *one), second: spelled(route, second, *other)})


def swaps(route: Route, own: World, foreign: World) -> Iterator[tuple[str, str]]:
    """Each identifier of each kind of `foreign` in each place of the route, after the same address with `own`'s alone.

    No table says which kind belongs where: all are tried, so a new route needs no annotation. Of two places, the other
    one keeps what belongs there of `own`'s; and what belongs into both comes from `foreign` as well.
    """
    if len(route.kwargs) == 1:
        (name,) = route.kwargs
        for kind in own.ids:
            yield tuple(route.path({name: spelled(route, name, each, kind)}) for each in (own, foreign))  # type: ignore[misc]
        return
    fit = places(route, own)
    for one in own.ids:
        for other in fit.second:
            yield pair(route, (own, one), (own, other)), pair(route, (foreign, one), (own, other))
    for other in own.ids:
        for one in fit.first:
            yield pair(route, (own, one), (own, other)), pair(route, (own, one), (foreign, other))
    for one in fit.first:
        for other in fit.second:
            yield pair(route, (own, one), (own, other)), pair(route, (foreign, one), (foreign, other))


def addresses(route: Route, world: World) -> Iterator[str]:
    """The route with each identifier of each kind of one world in each place, each address once."""
    return iter(dict.fromkeys(own for own, _ in swaps(route, world, world)))
