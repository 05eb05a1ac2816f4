"""What a role asks of its holders: said first whom it hits, saved then, refused when nobody could own the realm."""

import pytest

from conftest import make_user
from identity.access.models import Role
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.mfa.tests.conftest import with_app
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db


def role_of(realm, name):
    with realm_scope(realm):
        return Role.objects.get(name=name, kind="console")


def url(role):
    return f"/console/roles/{public_id('role', role.pk)}/requirements"


def test_it_says_whom_it_hits_before_it_saves(as_owner, realm_a):
    ada = make_user(realm_a, "ada@example.com", role="Auditor")
    role = role_of(realm_a, "Auditor")
    assert "Requirements…" in as_owner.get(f"/console/roles/{public_id('role', role.pk)}").text
    page = as_owner.post(url(role), {"requirements": ["second_factor"]})
    assert page.status_code == 422
    assert "1 person who holds it gets nothing from it until then." in page.text
    assert role_of(realm_a, "Auditor").requirements == []
    done = as_owner.post(url(role), {"requirements": ["second_factor"], "seen": page.context["seen"]})
    kept_out = RealmClient(realm_a).sign_in(ada).get("/console/")
    assert (kept_out.status_code, "It counts once your account has a second factor" in kept_out.text) == (403, True)
    assert done.status_code == 302
    assert role_of(realm_a, "Auditor").requirements == ["second_factor"]
    assert "a second factor" in as_owner.get(f"/console/roles/{public_id('role', role.pk)}").text


def test_the_last_owner_who_can_act_is_kept(as_owner, realm_a, owner_a):
    role = role_of(realm_a, "Owner")
    page = as_owner.post(url(role), {"requirements": ["second_factor"]})
    refused = as_owner.post(url(role), {"requirements": ["second_factor"], "seen": page.context["seen"]})
    assert refused.status_code == 409
    assert "No owner meets this yet" in refused.text
    with realm_scope(realm_a):
        with_app(owner_a)
    assert as_owner.post(url(role), {"requirements": ["second_factor"]}).status_code == 302


def test_who_may_not_write_roles_is_refused(realm_a):
    auditor = make_user(realm_a, "audit@example.com", role="Auditor")
    client = RealmClient(realm_a).sign_in(auditor)
    role = role_of(realm_a, "Help desk")
    assert client.get(url(role)).status_code == 403
    assert client.post(url(role), {"requirements": []}).status_code == 403
    assert "Requirements…" not in client.get(f"/console/roles/{public_id('role', role.pk)}").text


def test_ti_02_another_realms_role_is_not_there(as_owner, realm_b):
    assert as_owner.get(url(role_of(realm_b, "Auditor"))).status_code == 404
