"""Introspection (RFC 7662): for whom a token was issued to and for whom it is, and for nobody else."""

from datetime import timedelta

import pytest

from conftest import make_application
from identity.applications.commands import let_act_for
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import NotFound
from identity.kernel.naming import issuer_of
from identity.oauth.tests.flows import Flow

INACTIVE = {"active": False}


def test_a_live_access_token_is_described(flow: Flow, user_a):
    tokens = flow.tokens()
    answer = flow.introspect(tokens["access_token"])
    claims = flow.decoded(tokens["access_token"]).claims
    assert answer["active"] is True
    assert answer["token_type"] == "Bearer"
    assert answer["sub"] == str(user_a.pk)
    assert answer["iss"] == issuer_of(flow.realm)
    assert answer["username"] == "dana@example.com"
    for name in ("client_id", "scope", "exp", "iat", "jti", "aud", "sid", "auth_time"):
        assert answer[name] == claims[name]
    assert "fid" not in answer


def test_a_refresh_token_is_described_to_its_client(flow: Flow, user_a):
    answer = flow.introspect(flow.tokens()["refresh_token"])
    assert answer["active"] is True
    assert answer["token_type"] == "refresh_token"
    assert answer["sub"] == str(user_a.pk)


def test_a_rotated_refresh_token_is_inactive(flow: Flow):
    first = flow.tokens()["refresh_token"]
    flow.refresh(first)
    assert flow.introspect(first) == INACTIVE


def test_an_expired_token_is_inactive(flow: Flow):
    token = flow.tokens()["access_token"]
    with clock.clock_at(clock.now() + timedelta(minutes=16)):
        assert flow.introspect(token) == INACTIVE


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "x" * 40_000, "ä", "..", "e30.e30.e30"])
def test_anything_else_is_inactive(flow: Flow, token: str):
    assert flow.introspect(token) == INACTIVE


@pytest.mark.parametrize(
    "change",
    [lambda t: t[:-1], lambda t: t[:-8], lambda t: t + "A", lambda t: t + "=", lambda t: t[:-1] + chr(ord(t[-1]) + 1)],
)
def test_oa_22_another_spelling_of_a_token_is_no_token(flow: Flow, change):
    token = flow.tokens()["access_token"]
    assert flow.introspect(change(token)) == INACTIVE


def test_oa_20_another_client_learns_nothing(flow: Flow, realm_a):
    _, secret = make_application(realm_a, client_id="other", name="Other")
    tokens = flow.tokens()
    assert flow.introspect(tokens["access_token"], auth=("other", secret)) == INACTIVE
    assert flow.introspect(tokens["refresh_token"], auth=("other", secret)) == INACTIVE


def test_oa_20_an_api_may_ask_about_tokens_for_it_and_no_others(realm_a, user_a, make_api):
    make_api(realm_a, "urn:orders", "orders.read")
    stock = make_api(realm_a, "urn:stock", "stock.read")
    application, secret = make_application(realm_a, scopes=["openid", "orders.read", "stock.read"])
    flow = Flow(realm_a, application, secret, scope="openid orders.read stock.read").sign_in(user_a)
    flow.consented(user_a)
    both = flow.tokens()["access_token"]
    orders = flow.tokens(scope="openid orders.read")["access_token"]
    api, api_secret = make_application(realm_a, client_id="orders-api", type="service", redirect_uris=[], scopes=[])
    auth = ("orders-api", api_secret)
    assert flow.introspect(both, auth=auth) == INACTIVE
    with realm_scope(realm_a):
        system = system_actor(realm_a.pk)
        let_act_for(system, application_id=api.pk, resource_server_id=stock.pk)
    assert flow.introspect(both, auth=auth)["active"] is True
    assert flow.introspect(orders, auth=auth) == INACTIVE
    assert flow.introspect(flow.tokens()["refresh_token"], auth=auth) == INACTIVE
    with realm_scope(realm_a):
        let_act_for(system, application_id=api.pk, resource_server_id=None)
    assert flow.introspect(both, auth=auth) == INACTIVE


def test_oa_20_a_client_is_no_api_by_its_name(realm_a, user_a, make_api):
    make_api(realm_a, "urn:stock", "stock.read")
    application, secret = make_application(realm_a, scopes=["openid", "stock.read"])
    flow = Flow(realm_a, application, secret, scope="openid stock.read").sign_in(user_a).consented(user_a)
    token = flow.tokens()["access_token"]
    other, other_secret = make_application(realm_a, client_id="other", type="service", redirect_uris=[], scopes=[])
    type(other).all_realms.filter(pk=other.pk).update(client_id="urn:stock")
    assert flow.introspect(token, auth=("urn%3Astock", other_secret)) == INACTIVE


def test_oa_20_an_api_of_another_realm_with_the_same_identifier_learns_nothing(
    flow, realm_a, realm_b, user_a, make_api
):
    make_api(realm_a, "urn:stock", "stock.read")
    theirs = make_api(realm_b, "urn:stock", "stock.read")
    mine, secret = make_application(realm_a, client_id="mine", scopes=["openid", "stock.read"])
    token = Flow(realm_a, mine, secret, scope="openid stock.read").sign_in(user_a).consented(user_a).tokens()
    api, api_secret = make_application(realm_b, client_id="api", type="service", redirect_uris=[], scopes=[])
    with realm_scope(realm_b):
        let_act_for(system_actor(realm_b.pk), application_id=api.pk, resource_server_id=theirs.pk)
    asked = Flow(realm_b, api, api_secret).introspect(token["access_token"])
    assert asked == INACTIVE
    with realm_scope(realm_a), pytest.raises(NotFound):
        let_act_for(system_actor(realm_a.pk), application_id=mine.pk, resource_server_id=theirs.pk)


def test_a_client_without_a_secret_may_not_ask(public: Flow, flow: Flow):
    token = flow.tokens()["access_token"]
    response = public.post("/oauth/introspect", {"token": token})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_without_a_token_the_request_is_wrong(flow: Flow):
    response = flow.post("/oauth/introspect", {"token": ""})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_only_posted_forms_are_read(flow: Flow):
    assert flow.browser.get("/oauth/introspect").status_code == 405


def test_a_token_for_the_application_itself(service: Flow):
    token = service.token(grant_type="client_credentials").json()["access_token"]
    answer = service.introspect(token)
    assert answer["active"] is True
    assert answer["sub"] == answer["client_id"] == "service"
    assert "username" not in answer
