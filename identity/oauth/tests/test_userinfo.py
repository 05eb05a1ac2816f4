"""UserInfo (OpenID Connect Core 1.0, 5.3; RFC 6750)."""

import pytest

from identity.kernel.context import realm_scope
from identity.oauth.tests.flows import FORM, Flow


def test_claims_are_those_of_the_granted_scopes(flow: Flow, user_a):
    answer = flow.userinfo(flow.tokens()["access_token"]).json()
    assert answer == {
        "sub": str(user_a.pk),
        "name": "Dana Okafor",
        "email": "dana@example.com",
        "email_verified": True,
    }
    assert flow.userinfo(flow.tokens(scope="openid")["access_token"]).json() == {"sub": str(user_a.pk)}


def test_claims_are_as_of_now(flow: Flow, user_a):
    token = flow.tokens()["access_token"]
    with realm_scope(flow.realm):
        type(user_a).objects.filter(pk=user_a.pk).update(name="Dana O.", language="de")
    answer = flow.userinfo(token).json()
    assert (answer["name"], answer["locale"]) == ("Dana O.", "de")


def test_a_posted_token_is_taken_from_header_or_body_but_not_both(flow: Flow):
    token = flow.tokens()["access_token"]
    client = flow.browser
    header = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    assert client.post("/oauth/userinfo", "", content_type=FORM, **header).status_code == 200
    assert client.post("/oauth/userinfo", f"access_token={token}", content_type=FORM).status_code == 200
    both = client.post("/oauth/userinfo", f"access_token={token}", content_type=FORM, **header)
    assert both.json()["error"] == "invalid_request"


def test_a_token_in_the_address_is_no_token(flow: Flow):
    token = flow.tokens()["access_token"]
    response = flow.browser.get(f"/oauth/userinfo?access_token={token}")
    assert response.status_code == 401


def test_without_a_token_the_challenge_names_no_error(flow: Flow):
    response = flow.browser.get("/oauth/userinfo")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer x", "Bearer a.b.c", "bearer ..", "Bearer \xff"])
def test_a_bad_token_is_an_invalid_token(flow: Flow, header: str):
    response = flow.browser.get("/oauth/userinfo", HTTP_AUTHORIZATION=header)
    assert response.status_code == 401
    assert 'error="invalid_token"' in response["WWW-Authenticate"]
    assert response["Cache-Control"] == "no-store"


def test_openid_is_needed(flow: Flow):
    response = flow.userinfo(flow.tokens(scope="profile")["access_token"])
    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response["WWW-Authenticate"]


def test_a_token_of_an_application_is_no_person(service: Flow):
    token = service.token(grant_type="client_credentials").json()["access_token"]
    assert service.userinfo(token).status_code == 401


def test_refresh_tokens_and_codes_are_no_access_tokens(flow: Flow):
    tokens = flow.tokens()
    for token in (tokens["refresh_token"], tokens["id_token"], flow.code()):
        assert flow.userinfo(token).status_code == 401


def test_other_methods_are_not_answered(flow: Flow):
    assert flow.browser.put("/oauth/userinfo").status_code == 405
