"""TI-01, TI-02, TI-08, H8: the whole product, crawled by owners of two realms where everything is called the same.

Each identifier of one realm is put into each place of each route of the other. Nothing here names a route: what is new
is crawled by being there.
"""

import re
from collections.abc import Iterator

import pytest

from e2e.isolation.conftest import World, snapshot
from e2e.isolation.crawl import REGION, Route, addresses, answers_of, object_routes, read, static_routes, swaps
from e2e.isolation.sql_recorder import recorded
from identity.audit.models import AuditEvent
from identity.sessions.testing import RealmClient

OPEN = {200, 301, 302, 303, 405}
SHUT = {302, 400, 401, 403, 404, 405, 409, 410, 422}


@pytest.mark.usefixtures("known_browsers")
def test_ti_02_h8_no_identifier_of_the_other_realm_opens_anything(world_a: World, world_b: World) -> None:
    """And every statement of a page with identifiers of the realm's own is bound to it."""
    client = world_a.client()
    before = snapshot(world_b.realm)
    opened: list[str] = []
    reached: set[str] = set()
    only_post: set[str] = set()
    statements, unbound = [], set()
    for route in object_routes():
        own_status: dict[str, int] = {}
        for own_path, path in swaps(route, world_a, world_b):
            if own_path not in own_status:
                with recorded() as recorder:
                    for own_answer, body in map(read, answers_of(client, own_path)):
                        assert own_answer < 500, (own_path, own_answer)
                        assert world_b.marker not in body, own_path
                        own_status[own_path] = own_answer
                statements.append(recorder.statements)
                unbound |= {f"{own_path}: {problem}" for problem in recorder.problems}
            status = own_status[own_path]
            if status == 405:
                only_post.add(route.pattern)
            answers = [read(client.get(path, **REGION))]
            if status in OPEN - {405}:
                reached.add(route.pattern)
                answers.append(read(client.get(path)))
            for foreign_status, foreign_body in answers:
                assert foreign_status < 500, (path, foreign_status)
                if world_b.marker in foreign_body or (foreign_status == 200 and route.pattern.startswith("console/")):
                    opened.append(f"{foreign_status} {path}")
    assert opened == []
    assert sum(statements) > len(statements) / 2
    assert sorted(unbound) == []
    # The crawl proves nothing about a route that it never gets into with its own realm's identifiers.
    unreached = {route.pattern for route in object_routes() if _is_page(route)} - reached - only_post
    assert "\n".join(sorted(unreached)) == "", "no identifier of the realm's own opens these"
    assert snapshot(world_b.realm) == before


def _is_page(route: Route) -> bool:
    return route.pattern.startswith(("console/", "account/")) and not NOT_OPENED.fullmatch(route.pattern)


NOT_OPENED = re.compile(
    r"console/realms/.*"  # only operators, in the realm platform: console/realms/tests
    r"|console/identity/.*/(change|delete|history)/"  # change lists that nobody edits by hand
    r"|console/audit/exports/.*"  # a signed link, bound to one person's session: TI-10 in console/audit/tests
)
"""Routes that no identifier of an ordinary realm opens by GET. The other test crawls them by POST."""


@pytest.mark.usefixtures("known_browsers")
def test_ti_02_no_post_reaches_the_other_realm(world_a: World, world_b: World) -> None:
    client = world_a.client()
    before = snapshot(world_b.realm)
    events = AuditEvent.objects.filter(realm_id=world_b.realm.pk).count()
    for route in object_routes():
        for path in dict.fromkeys(foreign for _, foreign in swaps(route, world_a, world_b)):
            response = client.post(path, {"confirm": "yes", "decision": "allow", "name": "x"}, **REGION)
            assert response.status_code < 500, (path, response.status_code)
            # Entrance pages answer a bad link with a page that says so; the console answers with a refusal.
            assert response.status_code in SHUT or not path.startswith("/console/"), (path, response.status_code)
            assert world_b.marker not in response.content.decode(errors="replace"), path
    assert snapshot(world_b.realm) == before
    assert AuditEvent.objects.filter(realm_id=world_b.realm.pk).count() == events


def test_ti_01_a_session_of_one_realm_is_nobody_in_the_other(world_a: World, world_b: World) -> None:
    signed_in = world_a.client()
    stranger = RealmClient(world_b.realm, raise_request_exception=False)
    anonymous = RealmClient(world_b.realm, raise_request_exception=False)
    stranger.cookies.update(signed_in.cookies)
    for path in [*(r.path({}) for r in static_routes()), *_own_addresses(world_b)]:
        response = stranger.get(path)
        status, body = read(response)
        assert status < 500, (path, status)
        assert world_b.owner.name not in body, path
        assert world_a.marker not in body, path
        # Who is sent to the sign-in page is nobody already.
        if "/signin?" not in response.headers.get("Location", ""):
            assert status == anonymous.get(path).status_code, path


def _own_addresses(world: World) -> Iterator[str]:
    for route in object_routes():
        yield from addresses(route, world)


@pytest.mark.usefixtures("known_browsers")
def test_ti_08_h8_fragments_and_pages_say_nothing_of_the_other_realm(world_a: World, world_b: World) -> None:
    """And every statement of them is bound to the realm."""
    client = world_a.client()
    foreign = world_b.ids["person"]
    for route in static_routes():
        asked = [("", {}), *((query, REGION) for query in ("", "?q=dana", "?q=portal", f"?after={foreign}"))]
        for query, headers in asked:
            with recorded() as recorder:
                status, body = read(client.get(route.path({}) + query, **headers))
            assert status < 500, (route.pattern, status)
            assert world_b.marker not in body, (route.pattern, query)
            assert recorder.problems == [], (route.pattern, query)
