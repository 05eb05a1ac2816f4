"""A person's factors in the console: what there is, and the reset with a reason; fresh sign-in for it."""

from datetime import timedelta

import pytest

from conftest import make_user
from identity.access.commands import set_role_requirements
from identity.access.models import Role
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.mfa import queries
from identity.mfa.tests.conftest import with_app
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(realm_a, user_a):
    with realm_scope(realm_a):
        with_app(user_a)
    return user_a


def url(user, act=""):
    return f"/console/users/{public_id('user', user.pk)}{act}"


def test_the_page_shows_what_there_is(as_owner, dana):
    text = as_owner.get(url(dana)).text
    assert "Authenticator app" in text
    assert "reset-factors" in text


def test_a_reset_asks_says_what_it_does_and_is_said(as_owner, realm_a, dana):
    text = as_owner.get(url(dana, "/reset-factors")).text
    assert "Reset the second factor of Dana Okafor?" in text
    assert "The person is told by mail" in text
    response = as_owner.post(url(dana, "/reset-factors"), {"reason": "Lost the phone"})
    assert response.status_code == 302
    with realm_scope(realm_a):
        assert queries.factors_of(dana.pk) == []
    assert AuditEvent.objects.filter(realm_id=realm_a.pk, type="factor.reset").count() == 1


def test_lg_20_a_reset_wants_a_sign_in_of_the_last_minutes(realm_a, owner_a, dana):
    client = RealmClient(realm_a).sign_in(owner_a)
    with realm_scope(realm_a):
        Session.objects.filter(user=owner_a).update(authenticated_at=clock.now() - timedelta(minutes=6))
    for response in (client.get(url(dana, "/reset-factors")), client.post(url(dana, "/reset-factors"))):
        assert response.status_code == 302
        assert response["Location"].startswith("/realms/a/signin/again?next=/realms/a/console/users/")
    page = f"http://testserver/realms/a{url(dana)}"
    response = client.get(url(dana, "/reset-factors"), HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL=page)
    assert response["HX-Redirect"] == f"/realms/a/signin/again?next=/realms/a{url(dana)}"
    with realm_scope(realm_a):
        assert len(queries.factors_of(dana.pk)) == 1


def test_the_help_desk_resets_but_nobody_of_higher_rank(realm_a, owner_a, dana):
    help_desk = make_user(realm_a, "help@example.com", role="Help desk", name="Hal")
    with realm_scope(realm_a):
        with_app(owner_a)
    client = RealmClient(realm_a).sign_in(help_desk)
    assert client.post(url(owner_a, "/reset-factors"), {"reason": "x"}).status_code == 403
    assert client.post(url(dana, "/reset-factors"), {"reason": "x"}).status_code == 302
    auditor = make_user(realm_a, "audit@example.com", role="Auditor", name="Ada")
    assert RealmClient(realm_a).sign_in(auditor).get(url(owner_a, "/reset-factors")).status_code == 403


def test_ti_02_another_realms_person_is_not_there(as_owner, realm_b, user_b):
    with realm_scope(realm_b):
        with_app(user_b)
    assert as_owner.get(url(user_b, "/reset-factors")).status_code == 404
    assert as_owner.post(url(user_b, "/reset-factors")).status_code == 404


def test_the_roles_tab_says_why_a_role_yields_nothing(as_owner, realm_a):
    user = make_user(realm_a, "ada@example.com", role="Auditor", name="Ada")
    with realm_scope(realm_a):
        role = Role.objects.get(name="Auditor", kind="console")
        set_role_requirements(system_actor(realm_a.pk), role_id=role.pk, requirements=["second_factor"])
    page = as_owner.get(url(user, "/access"))
    assert "Yields nothing until there is a second factor" in page.text
    assert page.context["sums"] == []
    assert RealmClient(realm_a).sign_in(user).get("/console/users").status_code == 403
