"""The palette: bounded, uncached, of this realm and for this actor only."""

import pytest
from django.utils.html import escape

from conftest import make_application, make_user
from console.shell import palette
from console.shell.palette import LIMIT, mark
from identity.access.models import Role
from identity.kernel.permissions import Permission


@pytest.fixture
def find(client_for, realm_a, owner_a):
    client = client_for(realm_a).sign_in(owner_a)
    return lambda term: client.get("/console/find", {"q": term}, headers={"HX-Request": "true"})


@pytest.fixture(autouse=True)
def pages(monkeypatch):
    """The palette's links, whatever areas there are."""
    monkeypatch.setattr("console.shell.sources.reverse", lambda name, args: f"/{name}/{args[0]}")


def test_it_finds_people_and_applications(find, realm_a):
    make_user(realm_a, "mia@example.com", name="Mia Torres")
    make_application(realm_a, name="Miami Portal")
    body = find("mia").content.decode()
    assert "<mark>Mia</mark> Torres" in body
    assert "<mark>Mia</mark>mi Portal" in body


def test_ti_palette_never_shows_another_realms_names(find, realm_a, realm_b, client_for, owner_b):
    make_user(realm_a, "mia@example.com", name="Mia of A")
    make_user(realm_b, "mia@example.com", name="Mia of B")
    assert "of A" in find("mia").content.decode()
    other = client_for(realm_b).sign_in(owner_b).get("/console/find", {"q": "mia"}).content.decode()
    assert "of B" in other
    assert "of A" not in other


def test_it_shows_at_most_eight_of_a_kind_and_asks_for_no_more(find, realm_a, monkeypatch):
    for number in range(LIMIT + 3):
        make_user(realm_a, f"ann{number}@example.com", name=f"Ann {number}")
    people = find("ann").content.decode().partition('aria-label="Do"')[0]
    assert people.count("<mark>Ann</mark>") == LIMIT
    endless = palette.Source(
        "x", Permission.CONSOLE_OPEN, lambda actor, term, limit: iter([palette.Hit("t", "/", "add")] * 99)
    )
    monkeypatch.setattr(palette, "SOURCES", [endless])
    assert find("t").content.decode().count('role="option"') <= 2 * LIMIT


def test_it_is_never_stored(find):
    assert "no-store" in find("x")["Cache-Control"]


def test_what_the_actor_may_not_see_is_not_searched(client_for, realm_a, owner_a, user_a):
    from conftest import actor_of
    from identity.access.commands import assign_role, create_role
    from identity.kernel.context import realm_scope

    with realm_scope(realm_a):
        role = create_role(actor_of(owner_a), kind="console", name="Opener", permissions=["console:open"])
        assign_role(actor_of(owner_a), user_id=user_a.pk, role_id=role.pk)
        assert Role.objects.filter(pk=role.pk).exists()
    body = client_for(realm_a).sign_in(user_a).get("/console/find", {"q": "olivia"}).content.decode()
    assert "owner@example.com" not in body


def test_names_are_escaped_also_where_they_are_marked():
    assert mark("<b>Mia</b>", "mia") == "&lt;b&gt;<mark>Mia</mark>&lt;/b&gt;"
    assert mark("<script>", "script") == "&lt;<mark>script</mark>&gt;"
    assert mark('a"b', "") == escape('a"b')


def test_without_scripts_it_is_a_page(client_for, realm_a, owner_a):
    response = client_for(realm_a).sign_in(owner_a).get("/console/find", {"q": "over"})
    assert b"<html" in response.content
    assert b'role="option"' not in response.content


def test_a_nul_byte_or_a_long_term_is_no_error(find):
    assert find("a\x00b").status_code == 200
    assert find("x" * 5000).status_code == 200
