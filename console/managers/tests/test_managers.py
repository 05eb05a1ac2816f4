"""Managers of one object: added and taken away on its page, and what the manager of one application can do."""

import pytest

from conftest import make_application, make_user
from identity.access.commands import assign_role, create_organization, create_role, grant_object
from identity.access.models import ObjectGrant
from identity.access.queries import roles_of_user
from identity.audit.models import AuditEvent
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def uid(user):
    return public_id("user", user.pk)


def rid(role):
    return public_id("role", role.pk)


def held(realm, user):
    with realm_scope(realm):
        return set(ObjectGrant.objects.filter(user=user).values_list("permission__codename", flat=True))


def said(realm, type_):
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("id"))


@pytest.fixture
def portal(realm_a):
    return make_application(realm_a)[0]


@pytest.fixture
def retail(realm_a, as_owner_a):
    with realm_scope(realm_a):
        return create_organization(as_owner_a, slug="retail", name="Acme Retail")


@pytest.fixture(params=["application", "organization"])
def managed(request, portal, retail):
    """Page and dialogs of one object, and a permission that can be granted there beside reading."""
    if request.param == "application":
        base = f"/console/applications/{public_id('application', portal.pk)}"
        return base, f"{base}/access", ["applications:read", "applications:write"]
    base = f"/console/organizations/{public_id('organization', retail.pk)}"
    return base, f"{base}/managers", ["users:read", "users:write"]


def test_a_manager_is_added_and_loses_one_permission_after_the_other(as_owner, realm_a, user_a, managed):
    base, page, words = managed
    response = as_owner.post(f"{base}/managers/add", {"user": uid(user_a), "permissions": words})
    assert response["Location"].endswith(page)
    assert held(realm_a, user_a) == set(words)
    assert [event.payload["permission"] for event in said(realm_a, "grant.added")] == words
    assert said(realm_a, "grant.added")[0].payload["object_name"] in {"Portal", "Acme Retail"}
    assert "Dana Okafor" in as_owner.get(page).content.decode()
    taking = f"{base}/managers/{uid(user_a)}/take"
    assert words[1] in as_owner.get(taking).content.decode()
    assert as_owner.post(taking, {}).status_code == 422
    as_owner.post(taking, {"permissions": [words[1]]})
    assert held(realm_a, user_a) == {words[0]}
    assert [event.payload["permission"] for event in said(realm_a, "grant.removed")] == [words[1]]
    as_owner.post(taking, {"permissions": [words[0]]})
    assert as_owner.get(taking).status_code == 404
    assert as_owner.get(page).status_code == 200


def test_both_dialogs_are_pages_and_regions_and_say_what_is_missing(as_owner, realm_a, user_a, managed):
    base, _page, words = managed
    for headers in ({}, HTMX):
        text = as_owner.get(f"{base}/managers/add?q=dana", headers=headers).content.decode()
        assert "Dana Okafor" in text
        assert ("<html" in text) is not bool(headers)
    assert "Choose a person." in as_owner.post(f"{base}/managers/add", {"permissions": words}).content.decode()
    response = as_owner.post(f"{base}/managers/add", {"user": uid(user_a)})
    assert response.status_code == 422
    assert held(realm_a, user_a) == set()


def test_ac_02_nobody_grants_what_he_does_not_hold(realm_a, as_owner_a, user_a, portal):
    giver = make_user(realm_a, "giver@example.com")
    with realm_scope(realm_a):
        words = ["roles:assign", "roles:read", "users:read", "applications:read"]
        role = create_role(as_owner_a, kind="console", name="Giver", permissions=words)
        assign_role(as_owner_a, user_id=giver.pk, role_id=role.pk)
    client = RealmClient(realm_a).sign_in(giver)
    base = f"/console/applications/{public_id('application', portal.pk)}/managers"
    assert "applications:secrets" not in client.get(f"{base}/add").content.decode()
    sent = {"user": uid(user_a), "permissions": ["applications:read", "applications:secrets"]}
    assert client.post(f"{base}/add", sent).status_code == 403
    assert held(realm_a, user_a) == set()
    with realm_scope(realm_a):
        grant_object(
            as_owner_a,
            user_id=user_a.pk,
            permission="applications:secrets",
            kind="application",
            object_id=portal.pk,
        )
    taking = f"{base}/{uid(user_a)}/take"
    assert client.post(taking, {"permissions": ["applications:secrets"]}).status_code == 403
    assert held(realm_a, user_a) == {"applications:secrets"}


@pytest.mark.parametrize("role", ["Auditor", "Application manager", "Help desk"])
def test_who_may_not_give_roles_names_no_managers(as_role, realm_a, user_a, managed, role):
    base, page, words = managed
    client = as_role(role)
    assert "managers/add" not in client.get(page).content.decode()
    assert client.get(f"{base}/managers/add").status_code == 403
    assert client.post(f"{base}/managers/add", {"user": uid(user_a), "permissions": words}).status_code == 403
    assert held(realm_a, user_a) == set()


def test_ti_02_the_managers_of_another_realms_objects_are_not_there(as_owner, realm_b, user_b, as_owner_b, portal):
    other, _secret = make_application(realm_b)
    with realm_scope(realm_b):
        grant_object(
            as_owner_b, user_id=user_b.pk, permission="applications:read", kind="application", object_id=other.pk
        )
    base = f"/console/applications/{public_id('application', other.pk)}"
    for path in ("/access", "/managers/add", f"/managers/{uid(user_b)}/take"):
        assert as_owner.get(base + path).status_code == 404, path
    here = f"/console/applications/{public_id('application', portal.pk)}/managers"
    sent = {"user": uid(user_b), "permissions": ["applications:read"]}
    assert as_owner.post(f"{here}/add", sent).status_code == 404
    assert held(realm_b, user_b) == {"applications:read"}


# --- the manager of one application ---------------------------------------------------------------------------------


@pytest.fixture
def buyer(realm_a, as_owner_a, portal):
    with realm_scope(realm_a):
        return create_role(as_owner_a, kind="application", name="buyer", application_id=portal.pk)


@pytest.fixture
def manager(realm_a, as_owner_a, portal):
    """A console opened by somebody who manages the portal and holds nothing else."""
    person = make_user(realm_a, "manager@example.com", name="Mara Manager")
    with realm_scope(realm_a):
        for word in ("applications:read", "applications:write", "roles:assign", "sessions:read"):
            grant_object(as_owner_a, user_id=person.pk, permission=word, kind="application", object_id=portal.pk)
    return RealmClient(realm_a).sign_in(person)


def test_the_manager_of_one_application_sees_it_alone(manager, realm_a, as_owner_a, portal, buyer):
    other, _secret = make_application(realm_a, name="Ledger", client_id="ledger")
    with realm_scope(realm_a):
        foreign = create_role(as_owner_a, kind="application", name="bookkeeper", application_id=other.pk)
        wide = create_role(as_owner_a, kind="application", name="everywhere")
    listed = manager.get("/console/applications").content.decode()
    assert "Portal" in listed
    assert "Ledger" not in listed
    assert manager.get(f"/console/applications/{public_id('application', other.pk)}/access").status_code == 404
    found = manager.get("/console/roles").content.decode()
    assert "buyer" in found
    for word in ("bookkeeper", "everywhere", "Owner", "Compare"):
        assert word not in found, word
    for role in (foreign, wide):
        for path in ("", "/people", "/give"):
            assert manager.get(f"/console/roles/{rid(role)}{path}").status_code == 404, path
    assert (
        "buyer" in manager.get(f"/console/applications/{public_id('application', portal.pk)}/access").content.decode()
    )
    assert manager.get("/console/users").status_code == 403
    assert manager.get("/console/consents").status_code == 403
    assert manager.get("/console/sessions").status_code == 200


def test_the_manager_of_one_application_gives_and_takes_its_roles(manager, realm_a, user_a, buyer):
    base = f"/console/roles/{rid(buyer)}"
    response = manager.post(f"{base}/give", {"q": "dana@example.com", "user": uid(user_a)})
    assert response.status_code == 302
    with realm_scope(realm_a):
        assert [role.name for role in roles_of_user(user_a.pk)] == ["buyer"]
    people = manager.get(f"{base}/people").content.decode()
    assert "Dana Okafor" in people
    assert f"/console/users/{uid(user_a)}" not in people
    assert manager.get(f"{base}/take/{uid(user_a)}").status_code == 200
    manager.post(f"{base}/take/{uid(user_a)}")
    with realm_scope(realm_a):
        assert roles_of_user(user_a.pk) == []


def test_the_manager_of_one_application_browses_nobody(manager, realm_a, user_a, buyer):
    base = f"/console/roles/{rid(buyer)}"
    for term in ("", "dana", "dana@", "Okafor", "@example.com"):
        assert "Dana Okafor" not in manager.get(f"{base}/give?q={term}").content.decode(), term
    assert "Dana Okafor" in manager.get(f"{base}/give?q=Dana@Example.com").content.decode()
    assert manager.post(f"{base}/give", {"user": uid(user_a)}).status_code == 404
    assert manager.get(f"{base}/take/{uid(user_a)}").status_code == 403
    with realm_scope(realm_a):
        assert roles_of_user(user_a.pk) == []


def test_the_manager_of_one_application_gives_no_other_role(manager, realm_a, user_a, as_owner_a):
    with realm_scope(realm_a):
        wide = create_role(as_owner_a, kind="application", name="everywhere")
    sent = {"q": "dana@example.com", "user": uid(user_a)}
    assert manager.post(f"/console/roles/{rid(wide)}/give", sent).status_code == 404
    assert manager.post("/console/roles/new?kind=application", {"name": "mine"}).status_code == 403


# --- what a person may do, and why -----------------------------------------------------------------------------------


def test_a_persons_access_shows_all_three_and_where_each_comes_from(as_owner, realm_a, user_a, portal, retail, buyer):
    pid = public_id("application", portal.pk)
    as_owner.post(f"/console/applications/{pid}/managers/add", {"user": uid(user_a), "permissions": ["sessions:read"]})
    oid = public_id("organization", retail.pk)
    as_owner.post(f"/console/organizations/{oid}/members/add", {"user": uid(user_a)})
    as_owner.post(f"/console/roles/{rid(buyer)}/give", {"user": uid(user_a)})
    text = as_owner.get(f"/console/users/{uid(user_a)}/access").content.decode()
    for word in ("buyer", "See the sessions in which it is used", "Acme Retail", "on Portal alone"):
        assert word in text, word
    assert text.count("by Olivia Owner") == 3
    assert f"/managers/{uid(user_a)}/take" in text


def test_a_persons_access_is_refused_without_any_of_the_permissions(realm_a, as_owner_a, user_a):
    reader = make_user(realm_a, "reader@example.com")
    with realm_scope(realm_a):
        role = create_role(as_owner_a, kind="console", name="Reader", permissions=["users:read"])
        assign_role(as_owner_a, user_id=reader.pk, role_id=role.pk)
    client = RealmClient(realm_a).sign_in(reader)
    assert "/access" not in client.get(f"/console/users/{uid(user_a)}").content.decode()
    assert client.get(f"/console/users/{uid(user_a)}/access").status_code == 403
