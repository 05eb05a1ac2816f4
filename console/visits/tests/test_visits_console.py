"""An operator in another realm's console (DECISIONS 20): in by a reason, seen by all, out by button and by time."""

from datetime import timedelta

import pytest

from conftest import actor_of, make_user
from identity.access.commands import unassign_role
from identity.access.models import OperatorVisit
from identity.access.queries import find_role
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.kernel.naming import cookie_name
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db
WHY = "Ticket 4711: the owner lost the phone"


def rid(realm):
    return public_id("realm", realm.pk)


def uid(user):
    return public_id("user", user.pk)


@pytest.fixture
def enter(as_operator_client):
    """Opens a visit and returns the operator's browser in the visited realm."""

    def go(realm, **fields):
        response = as_operator_client.post(
            f"/console/realms/{rid(realm)}/enter", {"reason": WHY, "minutes": "30", **fields}
        )
        assert response.status_code == 302
        assert response["Location"] == f"/realms/{realm.slug}/console/"
        client = RealmClient(realm)
        client.cookies = as_operator_client.cookies
        return client

    return go


def test_entering_needs_a_reason_and_a_known_length(as_operator_client, realm_a):
    for data in (
        {"reason": "", "minutes": "30"},
        {"reason": WHY, "minutes": "600"},
        {"reason": WHY},
        {"reason": " x "},
    ):
        response = as_operator_client.post(f"/console/realms/{rid(realm_a)}/enter", data)
        assert response.status_code == 422, data
    with realm_scope(realm_a):
        assert not OperatorVisit.objects.exists()


def test_before_a_visit_the_operator_is_nobody_there(as_operator_client, realm_a):
    client = RealmClient(realm_a)
    client.cookies = as_operator_client.cookies
    response = client.get("/console/users")
    assert response.status_code == 302
    assert "/signin" in response["Location"]


def test_ac_16_a_visit_is_shown_by_a_banner_and_every_act_names_it(enter, realm_a, user_a, operator, platform):
    client = enter(realm_a)
    text = client.get("/console/users").content.decode()
    assert "Dana Okafor" in text
    assert "You are visiting Realm A as an operator." in text
    assert WHY in text
    client.post(f"/console/users/{uid(user_a)}/disable", {"reason": ""})
    said = AuditEvent.objects.get(realm_id=realm_a.pk, type="user.disabled")
    with realm_scope(realm_a):
        visit = OperatorVisit.objects.get()
    assert (said.actor_type, said.actor_id, said.actor_realm) == ("operator", operator.pk, platform.pk)
    assert said.payload["visit_id"] == str(visit.pk)
    assert not AuditEvent.objects.filter(realm_id=platform.pk, type="user.disabled").exists()


def test_a_visitor_is_an_operator_in_the_console_and_nowhere_else(enter, realm_a, realm_b):
    client = enter(realm_a)
    assert client.get("/account/").status_code == 302
    assert client.get("/console/../account/").status_code in (302, 404)
    assert client.get("/console/realms").status_code == 403, "the platform's acts stay in the platform"
    other = RealmClient(realm_b)
    other.cookies = client.cookies
    assert other.get("/console/users").status_code == 302


def test_the_button_ends_it_and_leads_back(enter, realm_a):
    client = enter(realm_a)
    assert client.get("/console/visit/end").status_code == 405
    response = client.post("/console/visit/end")
    assert response["Location"] == "/realms/platform/console/realms"
    assert client.get("/console/users").status_code == 302
    said = AuditEvent.objects.get(realm_id=realm_a.pk, type="visit.ended")
    assert said.payload["how"] == "button"


def test_who_is_no_visitor_has_no_visit_to_end(as_owner, as_nobody):
    assert as_owner.post("/console/visit/end").status_code == 404
    assert as_nobody.post("/console/visit/end").status_code == 403


def test_time_ends_it(enter, realm_a):
    client = enter(realm_a, minutes="15")
    with clock.clock_at(clock.now() + timedelta(minutes=14)):
        assert client.get("/console/users").status_code == 200
    with clock.clock_at(clock.now() + timedelta(minutes=16)):
        assert client.get("/console/users").status_code == 302


def test_signing_out_of_the_platform_ends_it(enter, as_operator_client, platform, realm_a):
    client = enter(realm_a)
    as_operator_client.session.flush()
    assert client.get("/console/users").status_code == 302


def test_ac_07_losing_the_permission_ends_it(enter, platform, realm_a, operator):
    client = enter(realm_a)
    second = make_user(platform, "second@example.com", role="Owner")
    with realm_scope(platform):
        unassign_role(actor_of(second), user_id=operator.pk, role_id=find_role("console", "Owner").pk)
    assert client.get("/console/users").status_code in (302, 403)
    assert "Dana" not in client.get("/console/users").content.decode()


def test_the_visited_realms_own_session_comes_back_afterwards(enter, realm_a, owner_a):
    own = RealmClient(realm_a).sign_in(owner_a)
    client = enter(realm_a)
    client.cookies[cookie_name("s", realm_a)] = own.cookies[cookie_name("s", realm_a)].value
    assert "as an operator" in client.get("/console/users").content.decode()
    client.post("/console/visit/end")
    text = client.get("/console/users").content.decode()
    assert "as an operator" not in text
    assert "Olivia Owner" in text


def test_se_11_a_form_opened_as_the_realms_own_session_is_refused_during_a_visit(enter, realm_a, owner_a, user_a):
    own = RealmClient(realm_a, enforce_csrf_checks=True).sign_in(owner_a)
    page = own.get(f"/console/users/{uid(user_a)}/disable").content.decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    visiting = enter(realm_a)
    for name, cookie in visiting.cookies.items():
        own.cookies[name] = cookie.value
    response = own.post(f"/console/users/{uid(user_a)}/disable", {"csrfmiddlewaretoken": token})
    assert response.status_code == 403
    assert not AuditEvent.objects.filter(realm_id=realm_a.pk, type="user.disabled").exists()


def test_the_platform_sees_visits_and_can_end_them(enter, as_operator_client, realm_a, realm_b):
    client = enter(realm_a)
    base = f"/console/realms/{rid(realm_a)}"
    text = as_operator_client.get(base).content.decode()
    assert "Otto Operator" in text
    with realm_scope(realm_a):
        visit = public_id("visit", OperatorVisit.objects.get().pk)
    assert as_operator_client.post(f"/console/realms/{rid(realm_b)}/visits/{visit}/end").status_code == 404
    assert client.get("/console/users").status_code == 200
    as_operator_client.post(f"{base}/visits/{visit}/end")
    assert client.get("/console/users").status_code == 302


def test_a_suspended_realm_can_still_be_entered(enter, as_operator_client, realm_a, user_a):
    as_operator_client.post(f"/console/realms/{rid(realm_a)}/suspend")
    client = enter(realm_a)
    assert "Dana Okafor" in client.get("/console/users").content.decode()
