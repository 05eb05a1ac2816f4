"""Realms in the platform's console: founded, suspended, deleted and brought back, by operators alone."""

import pytest

from conftest import make_user
from identity.access.queries import roles_of_user
from identity.accounts.models import Invitation, User
from identity.audit.models import AuditEvent
from identity.courier.models import Message
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.oauth.models import SigningKey
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def rid(realm):
    return public_id("realm", realm.pk)


def fresh(realm):
    return Realm.objects.get(pk=realm.pk)


def paths_of(realm):
    base = f"/console/realms/{rid(realm)}"
    return [base, f"{base}/enter", f"{base}/suspend", f"{base}/resume", f"{base}/delete"]


def test_list_detail_and_dialogs_are_pages_and_regions(as_operator_client, realm_a, user_a):
    for path in ("/console/realms", "/console/realms?q=realm", "/console/realms/new", *paths_of(realm_a)):
        for headers in ({}, HTMX):
            response = as_operator_client.get(path, headers=headers)
            text = response.content.decode()
            assert response.status_code == 200, path
            assert ("<html" in text) is not bool(headers), path
            if not path.endswith("/new"):
                assert "Realm A" in text, path
            assert "Dana" not in text, "the names of people need a visit"


def test_a_realm_is_founded_with_its_first_owner(as_operator_client, operator, platform):
    response = as_operator_client.post(
        "/console/realms/new",
        {"name": "Acme", "slug": "acme", "owner_email": "nadia@acme.example", "owner_name": "Nadia Okafor"},
    )
    realm = Realm.objects.get(slug="acme")
    assert response["Location"].endswith(rid(realm))
    with realm_scope(realm):
        owner = User.objects.get(email="nadia@acme.example")
        assert [role.name for role in roles_of_user(owner.pk)] == ["Owner"]
        assert Invitation.objects.filter(user=owner, invited_by=operator.pk).count() == 1
        assert Message.objects.filter(template="invitation").count() == 1
        assert SigningKey.objects.filter(status="active").count() == 1
    invited = AuditEvent.objects.get(realm_id=realm.pk, type="user.invited")
    assert (invited.actor_type, invited.actor_id, invited.actor_realm) == ("operator", operator.pk, platform.pk)
    assert not AuditEvent.objects.filter(realm_id=platform.pk, type="user.invited").exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "a"}, "slug"),
        ({"slug": "Acme"}, "slug"),
        ({"slug": "аcme"}, "slug"),
        ({"slug": "a%2f"}, "slug"),
        ({"slug": "admin"}, "slug"),
        ({"name": ""}, "name"),
        ({"owner_email": "nobody"}, "owner_email"),
    ],
)
def test_a_realm_that_cannot_be_says_why_and_leaves_nothing(as_operator_client, realm_a, change, field):
    before = Realm.objects.count()
    data = {"name": "Acme", "slug": "acme", "owner_email": "nadia@acme.example", **change}
    response = as_operator_client.post("/console/realms/new", data)
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in response.content.decode()
    assert Realm.objects.count() == before


def test_suspending_and_bringing_back(as_operator_client, realm_a, user_a):
    person = RealmClient(realm_a).sign_in(user_a)
    base = f"/console/realms/{rid(realm_a)}"
    assert "can’t sign in" in as_operator_client.get(f"{base}/suspend").content.decode()
    as_operator_client.post(f"{base}/suspend", {"reason": "unpaid"})
    assert fresh(realm_a).status == "suspended"
    assert person.get("/account/").status_code == 403
    assert "Suspended" in as_operator_client.get(base).content.decode()
    assert as_operator_client.post(f"{base}/suspend").status_code == 409
    as_operator_client.post(f"{base}/resume")
    assert fresh(realm_a).status == "active"
    assert person.get("/account/").status_code == 200


def test_deleting_needs_the_typed_slug_and_can_be_undone(as_operator_client, realm_a):
    base = f"/console/realms/{rid(realm_a)}"
    for wrong in ("", "A", "Realm A"):
        assert as_operator_client.post(f"{base}/delete", {"confirm": wrong}).status_code == 422
        assert fresh(realm_a).status == "active"
    response = as_operator_client.post(f"{base}/delete", {"confirm": "a"}, headers=HTMX)
    assert response["HX-Redirect"].endswith(base)
    assert fresh(realm_a).status == "deleting"
    assert "can be brought back until" in as_operator_client.get(base).content.decode()
    as_operator_client.post(f"{base}/resume")
    assert fresh(realm_a).status == "active"


def test_the_platform_itself_is_not_up_for_anything(as_operator_client, platform):
    base = f"/console/realms/{rid(platform)}"
    text = as_operator_client.get(base).content.decode()
    for act in ("enter", "suspend", "delete"):
        assert f"{base}/{act}" not in text
    assert as_operator_client.post(f"{base}/suspend").status_code == 409
    assert as_operator_client.post(f"{base}/delete", {"confirm": "platform"}).status_code == 409
    assert as_operator_client.post(f"{base}/enter", {"reason": "no reason", "minutes": "15"}).status_code == 409
    assert fresh(platform).status == "active"


def test_ac_01_the_owner_of_a_realm_is_no_operator(as_owner, realm_a, realm_b):
    for path in ("/console/realms", "/console/realms/new", *paths_of(realm_b), *paths_of(realm_a)):
        assert as_owner.get(path).status_code == 403, path
        assert as_owner.post(path, {"confirm": "b", "reason": "because", "minutes": "15"}).status_code in (403, 405), (
            path
        )
    assert "Realms</span>" not in as_owner.get("/console/users").content.decode()
    assert (fresh(realm_a).status, fresh(realm_b).status) == ("active", "active")


def test_ac_04_each_act_on_realms_asks_its_own_permission(platform, realm_a):
    admin = RealmClient(platform).sign_in(make_user(platform, "admin@example.com", role="Admin"))
    auditor = RealmClient(platform).sign_in(make_user(platform, "auditor@example.com", role="Auditor"))
    for client in (admin, auditor):
        for path in ("/console/realms", *paths_of(realm_a)):
            assert client.get(path).status_code == 403, path
        for path in paths_of(realm_a)[1:]:
            data = {"confirm": "a", "reason": "because", "minutes": "15"}
            assert client.post(path, data).status_code == 403, path
    assert fresh(realm_a).status == "active"


def test_wrong_verbs_and_unknown_realms(as_operator_client, realm_a):
    assert as_operator_client.post("/console/realms").status_code == 405
    assert as_operator_client.post(paths_of(realm_a)[0]).status_code == 405
    assert as_operator_client.get(f"/console/realms/{rid(realm_a)}/visits/vis_x/end").status_code == 405
    for path in (f"/console/realms/rlm_{'a' * 26}", "/console/realms/a", "/console/realms/rlm_x/delete"):
        assert as_operator_client.get(path).status_code == 404, path
