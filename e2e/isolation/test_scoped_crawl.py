"""AC-02, AC-04: the whole console, crawled by people who hold rights on a single object of their realm and no more.

Everything else of the realm carries a marker: no page, fragment, search or filter shows it, and no POST changes it.
"""

from collections.abc import Iterator

import pytest
from django.db import transaction

from conftest import make_application, make_user
from e2e.isolation.conftest import World, snapshot
from e2e.isolation.crawl import REGION, Route, answers_of, object_routes, read, spelled, static_routes
from identity.access.commands import add_member, create_organization, grant_several
from identity.access.permission_sync import GRANTABLE
from identity.accounts.models import User
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.sessions.testing import RealmClient

SHOWN_TO_ALL = ("Realm alphamark", "View alphamark", "Olivia alphamark", "API alphamark", "Orders alphamark")
"""The realm's name; a view that its owner shares with everybody, with who shares it; the APIs that applications use."""

QUERIES = ("", "?q=dana", "?q=portal", "?q=example.com")
TABLES = (
    "identity.User", "identity.Session", "identity.Application", "identity.Consent", "identity.Organization",
    "identity.Membership", "identity.Role", "identity.RoleAssignment", "identity.ObjectGrant", "identity.Invitation",
    "identity.Alert", "identity.Message", "identity.ClientSecret", "identity.SigningKey", "identity.ResourceServer",
    "identity.Scope", "identity.SavedView",
)  # fmt: skip


@pytest.fixture(params=["organization", "application"])
def manager(request: pytest.FixtureRequest, world_a: World) -> RealmClient:
    """Signed in as somebody who holds all that can be granted on one object, where nobody of the marked ones is."""
    realm = world_a.realm
    person: User = make_user(realm, "manager@example.com", name="Mona Manager")
    member = make_user(realm, "ivy@example.com", name="Ivy Inside")
    application, _ = make_application(realm, name="Kiosk", client_id="kiosk")
    with realm_scope(realm), transaction.atomic():
        system = system_actor(realm.pk)
        organization = create_organization(system, slug="inside", name="Insiders")
        add_member(system, organization_id=organization.pk, user_id=member.pk)
        managed = organization if request.param == "organization" else application
        grant_several(
            system,
            user_id=person.pk,
            permissions=GRANTABLE[request.param],
            kind=request.param,
            object_id=managed.pk,
        )
    return RealmClient(realm, raise_request_exception=False).sign_in(person)


def addresses(route: Route, world: World) -> Iterator[str]:
    """The route with every identifier in its first place, beside what belongs to a person, an application, a role."""
    first, *others = route.kwargs
    for kind in world.ids:
        for beside in ("person", "secret", "scope") if others else ("person",):
            values = {name: spelled(route, name, world, beside) for name in others}
            yield route.path({**values, first: spelled(route, first, world, kind)})


def marks_of(body: str) -> str:
    for text in SHOWN_TO_ALL:
        body = body.replace(text, "")
    at = body.find("alphamark")
    return "" if at < 0 else body[max(at - 60, 0) : at + 20]


@pytest.mark.usefixtures("known_browsers")
def test_ac_04_a_manager_of_one_object_sees_nothing_of_the_rest(world_a: World, manager: RealmClient) -> None:
    seen = []
    for route in static_routes():
        if route.pattern.startswith("console/"):
            for query, headers in [("", {}), *((query, REGION) for query in QUERIES)]:
                status, body = read(manager.get(route.path({}) + query, **headers))
                assert status < 500, (route.pattern, query)
                if mark := marks_of(body):
                    seen.append(f"{route.path({})}{query}: {mark}")
    for route in object_routes():
        if route.pattern.startswith("console/"):
            for path in addresses(route, world_a):
                for status, body in map(read, answers_of(manager, path)):
                    assert status < 500, path
                    if mark := marks_of(body):
                        seen.append(f"{path}: {mark}")
    assert "\n".join(sorted({each[:150] for each in seen})) == ""


@pytest.mark.usefixtures("known_browsers")
def test_ac_02_a_manager_of_one_object_changes_nothing_of_the_rest(world_a: World, manager: RealmClient) -> None:
    before = {name: rows for name, rows in snapshot(world_a.realm).items() if name in TABLES}
    for route in object_routes():
        if route.pattern.startswith("console/"):
            for path in addresses(route, world_a):
                data = {"confirm": "yes", "name": "x", "reason": "because", "minutes": "60"}
                response = manager.post(path, data, **REGION)
                assert response.status_code in (302, 400, 403, 404, 405, 409, 410, 422), (path, response.status_code)
    ids = [world_a.ids[each] for each in ("person", "session", "consent", "application")]
    for route in static_routes():
        if route.pattern.startswith("console/") and "visit" not in route.pattern and "logout" not in route.pattern:
            for chosen in ids:
                data = {"ids": chosen, "_selected_action": chosen, "select_across": "1", "confirm": "yes"}
                assert manager.post(route.path({}), data).status_code < 500, route.pattern
    after = {name: rows for name, rows in snapshot(world_a.realm).items() if name in TABLES}
    assert after.keys() == before.keys()
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
