"""What realm A gave opens nothing in realm B, where everything is called the same (TI-01, TI-19, TI-20)."""

import json

import pytest

from conftest import make_application
from identity.applications.models import ClientSecret
from identity.kernel.context import realm_scope
from identity.kernel.crypto import keyed_hash
from identity.kernel.naming import cookie_name
from identity.oauth.hints import read_hint
from identity.oauth.models import Grant, RefreshToken
from identity.oauth.tests.flows import Flow, answer_of


def test_ti_19_access_token_of_a_is_refused_in_b(flow: Flow, flow_b: Flow):
    token = flow.tokens()["access_token"]
    assert flow_b.introspect(token) == {"active": False}
    response = flow_b.userinfo(token)
    assert response.status_code == 401
    assert 'error="invalid_token"' in response["WWW-Authenticate"]
    assert flow_b.revoke(token).status_code == 200
    assert flow.introspect(token)["active"] is True


def test_ti_19_refresh_token_of_a_is_refused_in_b(flow: Flow, flow_b: Flow):
    token = flow.tokens()["refresh_token"]
    assert flow_b.refresh(token).json()["error"] == "invalid_grant"
    assert flow_b.introspect(token) == {"active": False}
    assert flow_b.revoke(token).status_code == 200
    assert flow.refresh(token).status_code == 200


def test_ti_19_code_of_a_is_refused_in_b_and_stays_good(flow: Flow, flow_b: Flow):
    code = flow.code()
    flow_b.verifier = flow.verifier
    assert flow_b.redeem(code).json()["error"] == "invalid_grant"
    assert flow.redeem(code).status_code == 200


def test_ti_19_id_token_of_a_is_no_hint_in_b(flow: Flow, flow_b: Flow):
    token = flow.tokens()["id_token"]
    with realm_scope(flow_b.realm):
        assert read_hint(flow_b.realm, token) is None
    response = flow_b.browser.get("/oauth/logout", {"id_token_hint": token})
    assert response.status_code == 400
    assert "code" in answer_of(flow_b.authorize(prompt="none"))


def test_ti_19_the_keys_of_a_are_not_those_of_b(flow: Flow, flow_b: Flow):
    one, two = ({key["kid"] for key in each.document("jwks.json")["keys"]} for each in (flow, flow_b))
    assert one.isdisjoint(two)


def test_ti_19_the_key_of_a_copied_to_b_does_not_open(flow: Flow, flow_b: Flow):
    """Even one who can write rows gets no token of A accepted in B by moving A's key there: issuer and ids differ."""
    from identity.oauth.models import SigningKey

    token = flow.tokens()["access_token"]
    with realm_scope(flow.realm):
        values = SigningKey.objects.values().get(status="active")
    with realm_scope(flow_b.realm):
        SigningKey.objects.filter(status="active").update(status="retiring")
        moved = {**values, "realm_id": flow_b.realm.pk, "status": "active"}
        del moved["id"]
        SigningKey.objects.create(**moved)
    assert flow_b.introspect(token) == {"active": False}


def test_ti_20_the_same_client_id_with_the_secret_of_a_is_refused_in_b(flow: Flow, flow_b: Flow):
    for path in ("/oauth/token", "/oauth/introspect", "/oauth/revoke"):
        response = flow_b.post(path, {"grant_type": "refresh_token", "token": "x"}, auth=("portal", flow.secret))
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_ti_20_a_client_of_a_alone_is_unknown_in_b(flow: Flow, flow_b: Flow, realm_a):
    _, secret = make_application(realm_a, client_id="only-a", type="service", redirect_uris=[], scopes=["profile"])
    data = {"grant_type": "client_credentials"}
    assert flow.post("/oauth/token", data, auth=("only-a", secret)).status_code == 200
    assert flow_b.post("/oauth/token", data, auth=("only-a", secret)).status_code == 401
    assert flow_b.authorize(client_id="only-a").status_code == 400


def test_ti_20_the_same_secret_has_another_hash_in_each_realm(flow: Flow, flow_b: Flow):
    text = "the-very-same-secret-in-both-realms!"
    hashes = {keyed_hash("client-secret", realm.pk, text) for realm in (flow.realm, flow_b.realm)}
    assert len(hashes) == 2
    with realm_scope(flow.realm):
        digest = ClientSecret.objects.get().digest
    with realm_scope(flow_b.realm):
        ClientSecret.objects.update(digest=digest)
    response = flow_b.token(auth=("portal", flow.secret), grant_type="refresh_token", refresh_token="x")
    assert response.status_code == 401, "a hash that was copied over opens nothing"


def test_ti_01_the_session_of_a_signs_nobody_in_to_b(flow: Flow, flow_b: Flow):
    visitor = Flow(flow_b.realm, flow_b.application, flow_b.secret)
    key = flow.browser.cookies[cookie_name("s", flow.realm)].value
    visitor.browser.cookies[cookie_name("s", flow.realm)] = key
    assert answer_of(visitor.authorize(prompt="none"))["error"] == "login_required"
    visitor.browser.cookies[cookie_name("s", flow_b.realm)] = key
    assert answer_of(visitor.authorize(prompt="none"))["error"] == "login_required"


def test_ti_19_hashes_that_were_copied_to_b_open_nothing(flow: Flow, flow_b: Flow):
    """Codes and refresh tokens are hashed with their realm: a row moved to B does not fit the text any more."""
    code, refresh = flow.code(), flow.tokens()["refresh_token"]
    with realm_scope(flow.realm):
        stored_code = Grant.objects.filter(used_at=None).get().code_hash
        stored_refresh = RefreshToken.objects.get().token_hash
    flow_b.code()
    flow_b.tokens()
    with realm_scope(flow_b.realm):
        Grant.objects.filter(used_at=None).update(code_hash=stored_code)
        RefreshToken.objects.update(token_hash=stored_refresh)
    assert flow_b.redeem(code).json()["error"] == "invalid_grant"
    assert flow_b.refresh(refresh).json()["error"] == "invalid_grant"


def test_ti_19_subjects_differ(flow: Flow, flow_b: Flow):
    one, two = (each.userinfo(each.tokens()["access_token"]).json() for each in (flow, flow_b))
    assert one["email"] == two["email"]
    assert one["sub"] != two["sub"]


@pytest.mark.parametrize("document", ["openid-configuration", "oauth-authorization-server", "jwks.json"])
def test_ti_16_documents_are_the_realms_own(flow: Flow, flow_b: Flow, document: str):
    before = flow.document(document)
    assert json.dumps(flow_b.document(document)) != json.dumps(before)
    assert flow.document(document) == before
