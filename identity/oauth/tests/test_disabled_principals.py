"""OA-17: whoever loses a right between two steps is refused at the next one, at every endpoint."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from conftest import make_application
from identity.access.commands import assign_role, create_role, unassign_role
from identity.access.models import RoleKind
from identity.accounts.models import User, UserStatus
from identity.applications.commands import change_application, delete_application, disable_application, let_act_for
from identity.applications.models import ResourceServer
from identity.consent.commands import withdraw_consent
from identity.consent.models import Consent
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.oauth.models import RefreshFamily
from identity.oauth.tests.flows import Flow, answer_of
from identity.realms.models import Realm, RealmStatus
from identity.sessions.commands import end_session
from identity.sessions.models import Session

Undo = Callable[[], None]


def _user(flow: Flow, **values) -> None:
    User.objects.filter(email="dana@example.com").update(**values)


def disabled(flow: Flow) -> None:
    _user(flow, status=UserStatus.DISABLED)


def locked(flow: Flow) -> None:
    _user(flow, status=UserStatus.LOCKED, locked_until=clock.now() + timedelta(hours=1))


def locked_without_end(flow: Flow) -> None:
    _user(flow, status=UserStatus.LOCKED, locked_until=None)


def erased(flow: Flow) -> None:
    User.objects.filter(email="dana@example.com").delete()


def session_ended(flow: Flow) -> None:
    for session in Session.objects.exclude(user=None):
        end_session(system_actor(flow.realm.pk), session_id=session.pk)


def consent_withdrawn(flow: Flow) -> None:
    withdraw_consent(system_actor(flow.realm.pk), consent_id=Consent.objects.get().pk)


def client_disabled(flow: Flow) -> None:
    disable_application(system_actor(flow.realm.pk), application_id=flow.application.pk)


def client_deleted(flow: Flow) -> None:
    delete_application(system_actor(flow.realm.pk), application_id=flow.application.pk)


def realm_suspended(flow: Flow) -> None:
    Realm.objects.filter(pk=flow.realm.pk).update(status=RealmStatus.SUSPENDED)


def realm_deleting(flow: Flow) -> None:
    Realm.objects.filter(pk=flow.realm.pk).update(status=RealmStatus.DELETING)


PERSON = [disabled, locked, locked_without_end, erased, session_ended, consent_withdrawn]
CLIENT = [client_disabled, client_deleted]
REALM = [realm_suspended, realm_deleting]
ALL = [*PERSON, *CLIENT, *REALM]


def take_away(flow: Flow, what: Callable[[Flow], None]) -> None:
    with realm_scope(flow.realm):
        what(flow)


def onlooker(flow: Flow, server: ResourceServer) -> Flow:
    """The client of an API that the token is for: it may ask even after the client that got it is gone."""
    api, secret = make_application(flow.realm, client_id="api", type="service", redirect_uris=[], scopes=[])
    with realm_scope(flow.realm):
        let_act_for(system_actor(flow.realm.pk), application_id=api.pk, resource_server_id=server.pk)
    return Flow(flow.realm, api, secret)


@pytest.mark.parametrize("what", [disabled, locked, session_ended, client_disabled, *REALM], ids=lambda f: f.__name__)
def test_oa_17_between_sign_in_and_authorize(flow: Flow, what):
    take_away(flow, what)
    response = flow.authorize(prompt="none")
    assert response.status_code in (303, 400, 403)
    assert "code=" not in response.get("Location", "")


@pytest.mark.parametrize("what", [disabled, locked, session_ended, client_disabled, *REALM], ids=lambda f: f.__name__)
def test_oa_17_between_the_consent_page_and_the_answer(flow: Flow, what):
    page = flow.authorize(prompt="consent")
    take_away(flow, what)
    response = flow.decide(page)
    assert "code=" not in response.get("Location", "")


@pytest.mark.parametrize("what", ALL, ids=lambda f: f.__name__)
def test_oa_17_between_authorize_and_code(flow: Flow, what):
    code = flow.code()
    take_away(flow, what)
    response = flow.redeem(code)
    assert response.status_code in (400, 401)
    assert response.json()["error"] in ("invalid_grant", "invalid_client")


@pytest.mark.parametrize("what", ALL, ids=lambda f: f.__name__)
def test_oa_17_between_token_and_refresh(flow: Flow, what):
    token = flow.tokens()["refresh_token"]
    take_away(flow, what)
    response = flow.refresh(token)
    assert response.status_code in (400, 401)
    assert response.json()["error"] in ("invalid_grant", "invalid_client")


@pytest.mark.parametrize("what", ALL, ids=lambda f: f.__name__)
def test_oa_17_between_token_and_userinfo(flow: Flow, what):
    token = flow.tokens()["access_token"]
    assert flow.userinfo(token).status_code == 200
    take_away(flow, what)
    assert flow.userinfo(token).status_code == 401


@pytest.mark.parametrize("what", ALL, ids=lambda f: f.__name__)
def test_oa_17_between_token_and_introspection(flow: Flow, make_api, what):
    server = make_api(flow.realm, "urn:api", "api.read")
    with realm_scope(flow.realm):
        change_application(
            system_actor(flow.realm.pk),
            application_id=flow.application.pk,
            scopes=["openid", "profile", "email", "api.read"],
        )
        Consent.objects.update(scopes=["openid", "api.read"])
    api = onlooker(flow, server)
    tokens = flow.tokens(scope="openid api.read")
    assert api.introspect(tokens["access_token"])["active"] is True
    take_away(flow, what)
    response = api.post("/oauth/introspect", {"token": tokens["access_token"]})
    if what in REALM:
        # Nobody is authenticated in a realm that is closed, so nobody is told anything.
        assert response.status_code == 401
    else:
        assert response.json() == {"active": False}


@pytest.mark.parametrize("what", [*CLIENT, *REALM], ids=lambda f: f.__name__)
def test_oa_17_an_applications_own_token_dies_with_it(service: Flow, what):
    token = service.token(grant_type="client_credentials").json()["access_token"]
    take_away(service, what)
    assert service.token(grant_type="client_credentials").status_code == 401
    response = service.post("/oauth/introspect", {"token": token})
    assert response.status_code == 401


@pytest.mark.parametrize("what", [disabled, locked, consent_withdrawn, *CLIENT, *REALM], ids=lambda f: f.__name__)
def test_oa_17_offline_access_is_no_way_around(flow: Flow, user_a, what):
    with realm_scope(flow.realm):
        user_a.consents.update(scopes=["openid", "offline_access"], offline=True)
    tokens = flow.tokens(scope="openid offline_access")
    take_away(flow, what)
    assert flow.refresh(tokens["refresh_token"]).status_code in (400, 401)
    assert flow.userinfo(tokens["access_token"]).status_code == 401


def test_oa_17_a_lock_that_is_over_lets_in_again(flow: Flow):
    tokens = flow.tokens()
    take_away(flow, locked)
    assert flow.userinfo(tokens["access_token"]).status_code == 401
    with realm_scope(flow.realm):
        _user(flow, locked_until=clock.now() - timedelta(seconds=1))
    assert flow.userinfo(tokens["access_token"]).status_code == 200


def test_oa_16_a_new_consent_revives_nothing(flow: Flow, user_a):
    tokens = flow.tokens()
    take_away(flow, consent_withdrawn)
    with realm_scope(flow.realm):
        assert RefreshFamily.objects.get().end_reason == "consent_withdrawn"
    with clock.clock_at(clock.now() + timedelta(seconds=5)):
        flow.consented(user_a)
        assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
        assert flow.userinfo(tokens["access_token"]).status_code == 401
        assert "code" in answer_of(flow.authorize())


def test_oa_16_a_new_consent_revives_no_token_without_family_either(realm_a, user_a):
    application, secret = make_application(realm_a, grant_types=["authorization_code"])
    flow = Flow(realm_a, application, secret).sign_in(user_a).consented(user_a)
    token = flow.tokens()["access_token"]
    take_away(flow, consent_withdrawn)
    with clock.clock_at(clock.now() + timedelta(seconds=5)):
        flow.consented(user_a)
        assert flow.userinfo(token).status_code == 401


def test_oa_17_a_role_that_was_taken_is_gone_from_the_next_token(flow: Flow, user_a):
    actor = system_actor(flow.realm.pk)
    with realm_scope(flow.realm):
        role = create_role(actor, kind=RoleKind.APPLICATION, name="approver")
        assign_role(actor, user_id=user_a.pk, role_id=role.pk)
    tokens = flow.tokens()
    assert flow.decoded(tokens["access_token"]).claims["roles"] == ["approver"]
    assert flow.decoded(tokens["id_token"]).claims["roles"] == ["approver"]
    with realm_scope(flow.realm):
        unassign_role(actor, user_id=user_a.pk, role_id=role.pk)
    fresh = flow.refresh(tokens["refresh_token"]).json()
    assert "roles" not in flow.decoded(fresh["access_token"]).claims


def test_oa_17_a_scope_or_grant_that_was_taken_from_the_client_is_gone_at_once(flow: Flow):
    tokens = flow.tokens()
    with realm_scope(flow.realm):
        actor = system_actor(flow.realm.pk)
        change_application(actor, application_id=flow.application.pk, scopes=["openid", "profile"])
    assert "email" not in flow.userinfo(tokens["access_token"]).json()
    assert flow.refresh(tokens["refresh_token"]).json()["scope"] == "openid profile"
    with realm_scope(flow.realm):
        change_application(actor, application_id=flow.application.pk, grant_types=["authorization_code"])
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "unauthorized_client"
