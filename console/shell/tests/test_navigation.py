"""The sidebar shows what there is and what the actor may open."""

from dataclasses import replace

import pytest
from django.test import RequestFactory

from console.shell import counts
from console.shell.counts import Count
from console.shell.navigation import navigation_for
from identity.kernel.context import realm_scope
from identity.kernel.permissions import Permission


@pytest.fixture
def sidebar(realm_a, as_owner_a):
    def _sidebar(path="/console/", *permissions):
        request = RequestFactory().get(path)
        held = frozenset({Permission.CONSOLE_OPEN, *permissions})
        request.realm = realm_a
        request.actor = replace(as_owner_a, permissions=held, object_permissions=frozenset())
        with realm_scope(realm_a):
            return navigation_for(request)

    return _sidebar


def names(navigation):
    return [item.name for item in navigation.items]


def test_nothing_that_he_may_not_open_is_shown(sidebar):
    assert names(sidebar()) == ["index"]
    assert names(sidebar("/console/", Permission.ROLES_READ)) == ["index", "roles"]


def test_a_group_without_items_has_no_heading(sidebar):
    assert [str(group.label) for group in sidebar("/console/", Permission.ROLES_READ).groups] == ["", "People"]


def test_one_who_holds_a_permission_on_one_object_sees_its_area(realm_a, as_owner_a):
    request = RequestFactory().get("/console/")
    request.realm = realm_a
    one = frozenset({(Permission.APPLICATIONS_READ, "application", realm_a.pk)})
    request.actor = replace(as_owner_a, permissions=frozenset({Permission.CONSOLE_OPEN}), object_permissions=one)
    with realm_scope(realm_a):
        assert "applications" in names(navigation_for(request))


@pytest.mark.parametrize(
    ("path", "name"),
    [("/console/", "index"), ("/console/roles", "roles"), ("/console/roles/rol_x/edit", "roles"),
     ("/console/rolesx", None), ("/console/find", None)],
)  # fmt: skip
def test_the_open_area_is_the_longest_prefix(sidebar, path, name):
    current = sidebar(path, Permission.ROLES_READ).current
    assert (current and current.name) == name


def test_realms_are_for_operators(sidebar):
    assert "realms" not in names(sidebar("/console/", *(p for p in Permission if not p.startswith("realms:"))))


def test_counts_are_asked_once_for_a_request(sidebar, monkeypatch):
    asked = []
    monkeypatch.setitem(counts.SOURCES, "roles", lambda actor: asked.append(1) or Count(2, "high", "warning", "to do"))
    navigation = sidebar("/console/", Permission.ROLES_READ)
    assert asked == [1]
    assert next(item for item in navigation.items if item.name == "roles").count.number == 2
