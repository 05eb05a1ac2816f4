"""AC-04, H2: who may do what, as a table in the repository whose differences are reviewed.

Every console route by GET and POST, for each built-in role. A new route appears in the table by being there: run with
WRITE_MATRIX=1 to write it anew, then read the difference.
"""

import os
from pathlib import Path

import pytest
from django.db import transaction

from conftest import make_user
from e2e.isolation.conftest import World
from e2e.isolation.crawl import REGION, Route, pair, places, routes, spelled
from identity.access.models import Role, RoleKind
from identity.kernel.context import realm_scope
from identity.sessions.testing import RealmClient

TABLE = Path(__file__).with_name("authorization_matrix.txt")
OUTSIDE = ("nobody's role", "signed out")


def console_routes() -> list[Route]:
    return sorted((r for r in routes() if r.pattern.startswith("console/")), key=lambda r: r.pattern)


def address(route: Route, world: World, client: RealmClient) -> str:
    """The route with identifiers of the realm's own that open it for the owner, else with the first kind."""
    if not route.kwargs:
        return route.path({})
    if len(route.kwargs) == 2:
        return pair_address(route, world, client)
    tried = []
    for label in world.ids:
        path = route.path({name: spelled(route, name, world, label) for name in route.kwargs})
        status = client.get(path, **REGION).status_code
        if status in (200, 302, 409):
            return path
        if status == 405:
            tried.append(path)
    first = next(iter(world.ids))
    return tried[0] if tried else route.path({name: spelled(route, name, world, first) for name in route.kwargs})


def pair_address(route: Route, world: World, client: RealmClient) -> str:
    """The same for two: a pair that belongs together, rather one that opens a page than one that takes a POST."""
    fit = places(route, world)
    together = [(one, other) for one in world.ids for other in world.ids if (one, other) in fit.together]
    paths = [pair(route, (world, one), (world, other)) for one, other in together]
    first = next(iter(world.ids))
    opened = (path for path in paths if client.get(path, **REGION).status_code in (200, 302, 409))
    return next(opened, None) or next(iter(paths), pair(route, (world, first), (world, first)))


def outcome(client: RealmClient, method: str, path: str) -> str:
    """One letter: + allowed, - refused, 0 not there, . no such method, ? sign in first."""
    with transaction.atomic():
        response = client.generic(method, path, **REGION)
        transaction.set_rollback(True)
    if "/signin" in response.headers.get("Location", "") + response.headers.get("HX-Redirect", ""):
        return "?"
    return {403: "-", 404: "0", 405: "."}.get(response.status_code, "+" if response.status_code < 500 else "!")


@pytest.mark.usefixtures("known_browsers")
def test_ac_04_every_route_and_method_for_every_role(world_a: World) -> None:
    realm = world_a.realm
    with realm_scope(realm):
        names = list(
            Role.objects.filter(kind=RoleKind.CONSOLE, built_in=True).order_by("name").values_list("name", flat=True)
        )
    clients = {}
    for name in names:
        email = f"{name.replace(' ', '.').lower()}@matrix.example"
        clients[name] = RealmClient(realm, raise_request_exception=False).sign_in(make_user(realm, email, role=name))
    clients[OUTSIDE[0]] = RealmClient(realm, raise_request_exception=False).sign_in(
        make_user(realm, "none@matrix.example")
    )
    clients[OUTSIDE[1]] = RealmClient(realm, raise_request_exception=False)
    lines = [
        "columns: " + " | ".join(clients),
        "each: GET then POST; + allowed, - refused, 0 not there, . no such method, ? sign in first",
        "",
    ]
    owner = clients["Owner"]
    for route in console_routes():
        path = address(route, world_a, owner)
        cells = [outcome(client, "GET", path) + outcome(client, "POST", path) for client in clients.values()]
        assert "!" not in "".join(cells), (route.pattern, cells)
        lines.append(f"{' '.join(cells)}  {route.pattern}")
    text = "\n".join(lines) + "\n"
    if os.environ.get("WRITE_MATRIX"):
        TABLE.write_text(text)
    assert text == TABLE.read_text()


def test_nobody_outside_gets_into_the_console() -> None:
    for line in TABLE.read_text().splitlines()[3:]:
        cells, _, pattern = line.rpartition("  ")
        *_, roleless, signed_out = cells.split()
        if pattern in ("console/theme.css", "console/theme", "console/login", "console/jsi18n/"):
            continue
        assert "+" not in roleless, line
        assert "+" not in signed_out, line
