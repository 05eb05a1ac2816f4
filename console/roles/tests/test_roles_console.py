"""Roles in the console: shown, made, given and taken; by whom, and by whom not."""

import pytest

from conftest import make_application
from identity.access.commands import assign_role, create_role
from identity.access.models import Role
from identity.access.queries import find_role, roles_of_user
from identity.audit.models import AuditEvent
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.kernel.permissions import PLATFORM_ONLY
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def rid(role):
    return public_id("role", role.pk)


def uid(user):
    return public_id("user", user.pk)


@pytest.fixture
def shift(realm_a, as_owner_a):
    with realm_scope(realm_a):
        return create_role(as_owner_a, kind="console", name="Night shift", permissions=["users:read"])


def stored(realm, name):
    with realm_scope(realm):
        return Role.objects.filter(name=name).first()


def said(realm, type_):
    return AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("-id").first()


def test_lists_comparison_and_tabs_are_pages_and_regions(as_owner, realm_a, as_owner_a, shift):
    with realm_scope(realm_a):
        buyer = create_role(as_owner_a, kind="application", name="buyer")
        owner = find_role("console", "Owner")
    pages = {
        "/console/roles": "Night shift",
        "/console/roles?q=night": "Night shift",
        "/console/roles?kind=application": "buyer",
        "/console/roles?q=zzz": "No roles match.",
        "/console/roles/compare": "Security analyst",
        "/console/roles/new": "Open the console",
        "/console/roles/new?kind=application": "Counts for",
        f"/console/roles/{rid(owner)}": "Make and unmake owners",
        f"/console/roles/{rid(owner)}/people": "Olivia Owner",
        f"/console/roles/{rid(buyer)}": "Access token",
        f"/console/roles/{rid(buyer)}/people": "Nobody holds this role yet.",
        f"/console/roles/{rid(shift)}/edit": "Night shift",
        f"/console/roles/{rid(shift)}/delete": "People lose it",
        f"/console/roles/{rid(shift)}/give": "Olivia Owner",
    }
    for path, expected in pages.items():
        for headers in ({}, HTMX):
            response = as_owner.get(path, headers=headers)
            text = response.content.decode()
            assert response.status_code == 200, path
            assert expected in text, path
            assert ("<html" in text) is not bool(headers), path


def test_built_in_roles_can_be_read_and_not_changed(as_owner, realm_a):
    auditor = stored(realm_a, "Auditor")
    text = as_owner.get(f"/console/roles/{rid(auditor)}").content.decode()
    assert f"{rid(auditor)}/edit" not in text
    for path in ("edit", "delete"):
        assert as_owner.get(f"/console/roles/{rid(auditor)}/{path}").status_code == 409
        assert as_owner.post(f"/console/roles/{rid(auditor)}/{path}", {"name": "Mine"}).status_code == 409
    assert stored(realm_a, "Auditor").permissions == auditor.permissions


def test_an_own_role_is_created_changed_and_deleted(as_owner, realm_a):
    response = as_owner.post(
        "/console/roles/new", {"name": "Day shift", "permissions": ["users:read", "sessions:read"]}
    )
    role = stored(realm_a, "Day shift")
    assert response["Location"].endswith(rid(role))
    assert role.permissions == ["console:open", "sessions:read", "users:read"]
    as_owner.post(f"/console/roles/{rid(role)}/edit", {"name": "Early shift", "permissions": ["alerts:read"]})
    assert stored(realm_a, "Early shift").permissions == ["alerts:read", "console:open"]
    assert said(realm_a, "role.permissions_changed").payload["removed"] == ["sessions:read", "users:read"]
    response = as_owner.post(f"/console/roles/{rid(role)}/delete", {"seen_holders": "0"})
    assert response["Location"].endswith("/console/roles")
    assert stored(realm_a, "Early shift") is None


def test_an_application_role_belongs_to_an_application_and_holds_nothing(as_owner, realm_a):
    portal, _ = make_application(realm_a)
    as_owner.post(
        "/console/roles/new?kind=application",
        {
            "name": "buyer",
            "application": public_id("application", portal.pk),
            "permissions": ["users:write"],
            "kind": "console",
        },
    )
    role = stored(realm_a, "buyer")
    assert (role.kind, role.permissions, role.application_id) == ("application", [], portal.pk)
    as_owner.post(f"/console/roles/{rid(role)}/edit", {"name": "purchaser", "permissions": ["users:write"]})
    assert stored(realm_a, "purchaser").permissions == []


@pytest.mark.parametrize("word", [*sorted(PLATFORM_ONLY), "auth.add_user", "is_superuser"])
def test_ac_01_no_form_makes_a_role_of_the_platform(as_owner, realm_a, word):
    response = as_owner.post("/console/roles/new", {"name": "Root", "permissions": [word]})
    assert response.status_code == 422
    assert stored(realm_a, "Root") is None
    assert str(word) not in as_owner.get("/console/roles/new").content.decode()


def test_ac_02_an_admin_ticks_only_what_he_holds(as_role, realm_a):
    admin = as_role("Admin")
    text = admin.get("/console/roles/new").content.decode()
    box = text.split('value="owners:assign"')[1].split(">")[0]
    assert "disabled" in box
    response = admin.post("/console/roles/new", {"name": "Second owner", "permissions": ["owners:assign"]})
    assert response.status_code == 403
    assert stored(realm_a, "Second owner") is None


def test_a_taken_name_is_said_at_the_field(as_owner, shift):
    for headers in ({}, HTMX):
        response = as_owner.post("/console/roles/new", {"name": "night SHIFT"}, headers=headers)
        assert response.status_code == 422
        assert "There is a role of this name already." in response.content.decode()


def test_a_role_is_given_and_taken_on_its_page(as_owner, realm_a, user_a, shift):
    base = f"/console/roles/{rid(shift)}"
    found = as_owner.get(f"{base}/give?q=dana", headers=HTMX | {"HX-Target": "matches"}).content.decode()
    assert "Dana Okafor" in found
    assert "<form" not in found
    assert "Olivia" not in found
    assert as_owner.post(f"{base}/give", {"q": "dana"}).status_code == 422
    response = as_owner.post(f"{base}/give", {"user": uid(user_a)})
    assert response["Location"].endswith(f"{base}/people")
    with realm_scope(realm_a):
        assert [role.name for role in roles_of_user(user_a.pk)] == ["Night shift"]
    assert "holds it already" in as_owner.get(f"{base}/give?q=dana").content.decode()
    assert (
        "Dana Okafor" in as_owner.get(f"{base}/people?q=dana", headers=HTMX | {"HX-Target": "results"}).content.decode()
    )
    assert as_owner.get(f"{base}/take/{uid(user_a)}").status_code == 200
    response = as_owner.post(f"{base}/take/{uid(user_a)}?back=person")
    assert response["Location"].endswith(f"/console/users/{uid(user_a)}/access")
    with realm_scope(realm_a):
        assert roles_of_user(user_a.pk) == []
    assert said(realm_a, "role.unassigned").target_id == user_a.pk


def test_ac_08_the_last_owner_is_not_demoted_and_the_dialog_says_why(as_owner, realm_a, owner_a):
    owner = stored(realm_a, "Owner")
    for headers in ({}, HTMX):
        response = as_owner.post(f"/console/roles/{rid(owner)}/take/{uid(owner_a)}", headers=headers)
        assert response.status_code == 409
        assert "This is the last owner." in response.content.decode()
    with realm_scope(realm_a):
        assert [role.name for role in roles_of_user(owner_a.pk)] == ["Owner"]


def test_deleting_asks_again_when_more_people_hold_it_than_were_seen(as_owner, as_owner_a, realm_a, user_a, shift):
    assert "seen_holders" in as_owner.get(f"/console/roles/{rid(shift)}/delete").content.decode()
    with realm_scope(realm_a):
        assign_role(as_owner_a, user_id=user_a.pk, role_id=shift.pk)
    response = as_owner.post(f"/console/roles/{rid(shift)}/delete", {"seen_holders": "0"})
    assert response.status_code == 409
    assert "More people hold this role now" in response.content.decode()
    assert stored(realm_a, "Night shift") is not None
    assert as_owner.post(f"/console/roles/{rid(shift)}/delete", {"seen_holders": "1"}).status_code == 302


def test_ac_04_each_act_asks_its_own_permission(as_role, as_nobody, realm_a, user_a, shift):
    auditor = as_role("Auditor")
    readable = ["/console/roles", "/console/roles/compare", f"/console/roles/{rid(shift)}"]
    forbidden = [
        "/console/roles/new",
        f"/console/roles/{rid(shift)}/edit",
        f"/console/roles/{rid(shift)}/delete",
        f"/console/roles/{rid(shift)}/give",
        f"/console/roles/{rid(shift)}/take/{uid(user_a)}",
    ]
    for path in readable:
        assert auditor.get(path).status_code == 200, path
        assert as_nobody.get(path).status_code == 403, path
        assert auditor.post(path).status_code == 405, path
    for path in forbidden:
        for client in (auditor, as_nobody):
            assert client.get(path).status_code == 403, path
            assert client.post(path, {"name": "x", "user": uid(user_a)}).status_code == 403, path
    assert stored(realm_a, "Night shift").permissions == shift.permissions


def test_people_of_a_role_are_for_those_who_see_people(as_role, realm_a):
    owner = stored(realm_a, "Owner")
    text = as_role("Application manager").get(f"/console/roles/{rid(owner)}/people").content.decode()
    assert "You can’t see this" in text
    assert "Olivia" not in text


def test_ti_02_ti_08_another_realms_role_is_not_there(as_owner, realm_a, realm_b, as_owner_b, user_a, user_b, shift):
    with realm_scope(realm_b):
        theirs = create_role(as_owner_b, kind="console", name="Night shift")
    for rest in ("", "/people", "/edit", "/delete", "/give", f"/take/{uid(user_a)}"):
        for headers in ({}, HTMX):
            path = f"/console/roles/{rid(theirs)}{rest}"
            assert as_owner.get(path, headers=headers).status_code == 404, path
            if rest not in ("", "/people"):
                assert as_owner.post(path, {"name": "x", "user": uid(user_a)}, headers=headers).status_code == 404, path
    assert as_owner.post(f"/console/roles/{rid(shift)}/give", {"user": uid(user_b)}).status_code == 404
    assert as_owner.post(f"/console/roles/{rid(shift)}/take/{uid(user_b)}").status_code == 404
    assert stored(realm_b, "Night shift").name == "Night shift"


def test_the_console_opens_with_an_own_role(realm_a, as_owner, user_a, shift):
    client = RealmClient(realm_a).sign_in(user_a)
    assert client.get("/console/users").status_code == 403
    as_owner.post(f"/console/roles/{rid(shift)}/give", {"user": uid(user_a)})
    assert client.get("/console/users").status_code == 200
    assert client.get("/console/roles").status_code == 403
