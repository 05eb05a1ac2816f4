"""Approvals in the console: who waits is seen, counted, let in or refused."""

import pytest

from conftest import make_user
from identity.accounts.models import User, UserStatus
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.sessions.testing import RealmClient

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def owner(realm_a, owner_a):
    return RealmClient(realm_a).sign_in(owner_a)


@pytest.fixture
def waiting(realm_a):
    user = make_user(realm_a, "kim@example.com", name="Kim Park")
    with realm_scope(realm_a):
        User.objects.filter(pk=user.pk).update(status=UserStatus.PENDING)
    return user


def page_of(user, act=""):
    return f"/console/users/{public_id('user', user.pk)}{act}"


def test_who_waits_is_counted_in_the_sidebar_and_listed(owner, waiting, user_a):
    page = owner.get("/console/users?status=pending")
    assert "Kim Park" in page.text
    assert "Dana Okafor" not in page.text
    assert "person waits for approval" in owner.get("/console/").text
    assert "1 waiting for approval" in owner.get("/console/users").text


def test_nobody_who_may_not_decide_sees_a_number(realm_a, waiting):
    auditor = RealmClient(realm_a).sign_in(make_user(realm_a, "auditor@example.com", role="Auditor"))
    page = auditor.get("/console/users")
    assert "person waits for approval" not in page.text
    assert "Approve" not in auditor.get(page_of(waiting)).text
    assert auditor.post(page_of(waiting, "/approve")).status_code == 403
    assert auditor.get(page_of(waiting, "/refuse")).status_code == 403
    assert auditor.post(page_of(waiting, "/refuse"), {"reason": ""}).status_code == 403


def test_approve_is_one_press(owner, realm_a, waiting):
    assert "Waits for approval since" in owner.get(page_of(waiting)).text
    assert "Lock…" not in owner.get(page_of(waiting)).text
    assert owner.post(page_of(waiting, "/approve")).status_code == 302
    with realm_scope(realm_a):
        assert User.objects.get(pk=waiting.pk).status == UserStatus.ACTIVE
    again = owner.post(page_of(waiting, "/approve"), follow=True)
    assert "changed meanwhile" in again.text


def test_refuse_asks_first_and_says_whether_the_person_is_told(owner, realm_a, waiting):
    asked = owner.get(page_of(waiting, "/refuse"), **HTMX)
    assert "a message tells the person" in asked.text
    done = owner.post(page_of(waiting, "/refuse"), {"reason": "Not one of us"})
    assert done["Location"].endswith("/console/users?status=pending")
    with realm_scope(realm_a):
        assert not User.objects.filter(pk=waiting.pk).exists()


def test_another_realms_waiting_person_is_not_there(realm_b, owner_b, waiting):
    other = RealmClient(realm_b).sign_in(owner_b)
    assert other.post(page_of(waiting, "/approve")).status_code == 404
    assert other.get(page_of(waiting, "/refuse")).status_code == 404


def test_who_may_disable_is_not_thereby_who_approves(realm_a, waiting):
    analyst = RealmClient(realm_a).sign_in(make_user(realm_a, "analyst@example.com", role="Security analyst"))
    assert "Disable…" not in analyst.get(page_of(waiting)).text
    for act in ("/approve", "/disable", "/enable"):
        analyst.post(page_of(waiting, act), {"reason": "To enable it again"})
    analyst.post("/console/users/disable", {"ids": [public_id("user", waiting.pk)]})
    with realm_scope(realm_a):
        assert User.objects.get(pk=waiting.pk).status == UserStatus.PENDING
