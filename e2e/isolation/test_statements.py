"""H8: every SQL statement of every page binds every realm-owned table to the request's realm.

Here for a person and for nobody. An owner's pages are asked in test_crawler, and judged there.
"""

import pytest

from e2e.isolation.conftest import World
from e2e.isolation.crawl import addresses, answers_of, object_routes, static_routes
from e2e.isolation.sql_recorder import recorded
from identity.sessions.testing import RealmClient


@pytest.mark.usefixtures("known_browsers")
@pytest.mark.parametrize(("who", "least"), [("person", 0.5), ("anonymous", 0.05)])
def test_h8_every_statement_of_every_page_is_bound_to_the_realm(
    world_a: World, world_b: World, who: str, least: float
) -> None:
    """least: of statements for each page. To send somebody to the sign-in page, the console asks for nothing."""
    client = RealmClient(world_a.realm, raise_request_exception=False)
    if who == "person":
        client.sign_in(world_a.person)
    paths = [route.path({}) for route in static_routes()]
    for route in object_routes():
        paths += addresses(route, world_a)
    problems: set[str] = set()
    statements = 0
    for path in paths:
        with recorded() as recorder:
            answers_of(client, path)
        problems |= {f"{path}: {problem}" for problem in recorder.problems}
        statements += recorder.statements
    assert statements > len(paths) * least
    assert sorted(problems) == []
