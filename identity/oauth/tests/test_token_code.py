"""Redeeming codes (RFC 6749, 4.1.3; RFC 9068; OpenID Connect Core 1.0, 3.1.3)."""

from datetime import timedelta

import pytest

from conftest import make_application
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.naming import issuer_of
from identity.oauth.models import Grant, RefreshFamily, RefreshToken
from identity.oauth.tests.flows import Flow, said


def test_a_code_becomes_tokens_of_the_person(flow: Flow, user_a):
    tokens = flow.tokens()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 900
    assert tokens["scope"] == "openid profile email"
    access = flow.decoded(tokens["access_token"])
    assert access.header["typ"] == "at+jwt"
    session = flow.session_of(user_a)
    assert access.claims["iss"] == issuer_of(flow.realm)
    assert access.claims["sub"] == str(user_a.pk)
    assert access.claims["aud"] == issuer_of(flow.realm)
    assert access.claims["client_id"] == "portal"
    assert access.claims["sid"] == str(session.sid)
    assert access.claims["amr"] == ["pwd"]
    assert access.claims["acr"] == "urn:realmkeep:acr:1"
    assert access.claims["auth_time"] == int(session.authenticated_at.timestamp())
    claims = flow.decoded(tokens["id_token"]).claims
    assert claims["aud"] == "portal"
    assert claims["nonce"] == "n0nce"
    assert claims["sid"] == str(session.sid)
    assert claims["email"] == "dana@example.com"
    assert claims["at_hash"]


def test_nothing_that_opens_anything_is_stored(flow: Flow):
    code = flow.code()
    tokens = flow.redeem(code).json()
    with realm_scope(flow.realm):
        stored = str(list(Grant.objects.values())) + str(list(RefreshToken.objects.values()))
    for secret in (code, tokens["refresh_token"], tokens["access_token"]):
        assert secret not in stored


def test_audience_is_the_api_of_the_scopes(realm_a, user_a, make_api):
    make_api(realm_a, "https://api.example/orders", "orders.read")
    application, secret = make_application(realm_a, scopes=["openid", "orders.read"])
    flow = Flow(realm_a, application, secret, scope="openid orders.read").sign_in(user_a).consented(user_a)
    access = flow.decoded(flow.tokens()["access_token"])
    assert access.claims["aud"] == "https://api.example/orders"


def test_without_openid_there_is_no_id_token(flow: Flow):
    assert "id_token" not in flow.tokens(scope="profile")


def test_issuing_is_an_event_with_the_client_as_actor(flow: Flow, user_a):
    flow.tokens()
    (event,) = said(flow.realm, "token.issued")
    assert event.actor_type == "application"
    assert event.actor_id == flow.application.pk
    assert event.on_behalf_of == user_a.pk
    assert event.payload["grant_type"] == "authorization_code"
    assert event.session_id == flow.session_of(user_a).pk


def test_answers_are_stored_nowhere(flow: Flow):
    response = flow.redeem(flow.code())
    assert response["Cache-Control"] == "no-store"
    assert response["Pragma"] == "no-cache"


def test_oa_05_second_use_fails_and_revokes_what_the_first_gave(flow: Flow):
    code = flow.code()
    tokens = flow.redeem(code).json()
    again = flow.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert flow.introspect(tokens["access_token"]) == {"active": False}
    assert flow.userinfo(tokens["access_token"]).status_code == 401
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    (event,) = said(flow.realm, "code.replayed")
    assert event.target_id
    assert flow.redeem(code).status_code == 400
    assert len(said(flow.realm, "code.replayed")) == 1


def test_oa_05_replay_denies_the_access_token_of_a_client_without_refresh(realm_a, user_a):
    application, secret = make_application(realm_a, grant_types=["authorization_code"])
    flow = Flow(realm_a, application, secret).sign_in(user_a).consented(user_a)
    code = flow.code()
    tokens = flow.redeem(code).json()
    assert "refresh_token" not in tokens
    assert flow.introspect(tokens["access_token"])["active"] is True
    flow.redeem(code)
    assert flow.introspect(tokens["access_token"]) == {"active": False}


def test_oa_07_code_of_another_client_is_refused_and_stays_good(flow: Flow, realm_a, user_a):
    _, secret = make_application(realm_a, client_id="other", name="Other")
    code = flow.code()
    stolen = flow.redeem(code, auth=("other", secret))
    assert stolen.json()["error"] == "invalid_grant"
    assert flow.redeem(code).status_code == 200


def test_oa_07_code_of_a_confidential_client_needs_its_secret(flow: Flow):
    code = flow.code()
    without = flow.without_secret().redeem(code)
    assert without.status_code == 401
    assert without.json()["error"] == "invalid_client"


def test_oa_07_a_public_client_redeems_by_pkce_alone(public: Flow):
    assert public.tokens()["access_token"]


def test_oa_07_code_of_a_public_client_is_refused_with_a_made_up_secret(public: Flow):
    code = public.code()
    assert public.redeem(code, auth=("spa", "made-up")).json()["error"] == "invalid_client"
    assert public.redeem(code).status_code == 200


@pytest.mark.parametrize("redirect_uri", ["", "https://app.example/cb/", "https://app.example/other"])
def test_oa_08_code_is_bound_to_its_redirect_uri(flow: Flow, redirect_uri: str):
    code = flow.code()
    assert flow.redeem(code, redirect_uri=redirect_uri).json()["error"] == "invalid_grant"


def test_expired_code_is_refused(flow: Flow):
    code = flow.code()
    with clock.clock_at(clock.now() + timedelta(seconds=61)):
        assert flow.redeem(code).json()["error"] == "invalid_grant"


def test_code_lifetime_is_the_realms_setting(flow: Flow):
    flow.code()
    with realm_scope(flow.realm):
        grant = Grant.objects.get()
    assert timedelta(seconds=59) < grant.expires - clock.now() <= timedelta(seconds=60)


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + "A", lambda c: c.swapcase(), lambda c: c + "="])
def test_oa_22_a_code_is_exact(flow: Flow, change):
    code = flow.code()
    assert flow.redeem(change(code)).json()["error"] == "invalid_grant"
    assert flow.redeem(code).status_code == 200


def test_oa_10_password_and_unknown_grants_do_not_exist(flow: Flow):
    for grant in ("password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "urn:x"):
        response = flow.token(grant_type=grant, username="dana@example.com", password="correct horse battery")
        assert (response.status_code, response.json()["error"]) == (400, "unsupported_grant_type")


def test_a_grant_that_the_client_may_not_use_is_refused(service: Flow):
    assert service.token(grant_type="authorization_code", code="x").json()["error"] == "unauthorized_client"


def test_oa_04_repeated_parameters_are_refused(flow: Flow):
    code = flow.code()
    body = f"grant_type=authorization_code&code={code}&code={code}&redirect_uri=https://app.example/cb"
    response = flow.browser.post("/oauth/token", body, content_type="application/x-www-form-urlencoded")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_oa_04_parameters_in_the_address_are_refused(flow: Flow):
    response = flow.post("/oauth/token?grant_type=client_credentials", {"grant_type": "authorization_code"})
    assert response.json()["error"] == "invalid_request"


def test_only_posted_forms_are_read(flow: Flow):
    assert flow.browser.get("/oauth/token").status_code == 405
    response = flow.browser.post("/oauth/token", '{"grant_type":"x"}', content_type="application/json")
    assert response.json()["error"] == "invalid_request"


def test_ds_02_huge_requests_are_refused_at_once(flow: Flow):
    response = flow.post("/oauth/token", {"grant_type": "authorization_code", "code": "x" * 70_000})
    assert response.status_code == 413
    many = "&".join(f"p{n}=1" for n in range(500))
    response = flow.browser.post("/oauth/token", many, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 400


def test_a_code_without_refresh_grant_makes_no_family(realm_a, user_a):
    application, secret = make_application(realm_a, grant_types=["authorization_code"])
    flow = Flow(realm_a, application, secret).sign_in(user_a).consented(user_a)
    flow.tokens()
    with realm_scope(realm_a):
        assert RefreshFamily.objects.count() == 0
