"""Revocation (RFC 7009): a client gives back its own tokens, and nobody else's."""

import pytest

from conftest import make_application
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.oauth.models import FamilyStatus, RefreshFamily, TokenDenial
from identity.oauth.tests.flows import Flow, said


def test_oa_16_revoking_an_access_token_ends_its_refresh_token(flow: Flow, user_a):
    tokens = flow.tokens()
    response = flow.revoke(tokens["access_token"])
    assert (response.status_code, response.content) == (200, b"")
    assert flow.introspect(tokens["access_token"]) == {"active": False}
    assert flow.userinfo(tokens["access_token"]).status_code == 401
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    (event,) = said(flow.realm, "token.revoked")
    assert event.payload["token_type"] == "access_token"
    assert event.on_behalf_of == user_a.pk


def test_revoking_a_refresh_token_ends_its_family_and_its_access_tokens(flow: Flow):
    tokens = flow.tokens()
    fresh = flow.refresh(tokens["refresh_token"]).json()
    assert flow.revoke(fresh["refresh_token"]).status_code == 200
    with realm_scope(flow.realm):
        family = RefreshFamily.objects.get()
    assert (family.status, family.end_reason) == (FamilyStatus.REVOKED, "revoked_by_client")
    for token in (tokens["access_token"], fresh["access_token"], fresh["refresh_token"]):
        assert flow.introspect(token) == {"active": False}


def test_an_old_refresh_token_still_names_its_family(flow: Flow):
    first = flow.tokens()["refresh_token"]
    second = flow.refresh(first).json()["refresh_token"]
    flow.revoke(first)
    assert flow.refresh(second).json()["error"] == "invalid_grant"


def test_one_sign_in_of_two_is_ended(flow: Flow):
    one, two = flow.tokens(), flow.tokens()
    flow.revoke(one["refresh_token"])
    assert flow.introspect(two["access_token"])["active"] is True
    assert flow.refresh(two["refresh_token"]).status_code == 200


def test_oa_16_another_clients_token_stays_untouched(flow: Flow, realm_a):
    _, secret = make_application(realm_a, client_id="other", name="Other")
    tokens = flow.tokens()
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert flow.revoke(token, auth=("other", secret)).status_code == 200
    assert flow.introspect(tokens["access_token"])["active"] is True
    assert flow.refresh(tokens["refresh_token"]).status_code == 200
    assert said(flow.realm, "token.revoked") == []


@pytest.mark.parametrize("token", ["unknown", "a.b.c", "x" * 20_000])
def test_an_unknown_token_is_answered_like_a_revoked_one(flow: Flow, token: str):
    assert flow.revoke(token).status_code == 200


def test_without_a_token_the_request_is_wrong(flow: Flow):
    assert flow.revoke("").json()["error"] == "invalid_request"


def test_twice_is_once(flow: Flow):
    token = flow.tokens()["access_token"]
    flow.revoke(token)
    assert flow.revoke(token).status_code == 200
    assert len(said(flow.realm, "token.revoked")) == 1


def test_a_public_client_revokes_its_own(public: Flow):
    tokens = public.tokens()
    assert public.revoke(tokens["refresh_token"]).status_code == 200
    assert public.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_authentication_is_required(flow: Flow):
    tokens = flow.tokens()
    response = flow.without_secret().revoke(tokens["access_token"])
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert flow.introspect(tokens["access_token"])["active"] is True


def test_a_denial_lasts_as_long_as_the_token(service: Flow):
    token = service.token(grant_type="client_credentials").json()["access_token"]
    service.revoke(token)
    assert service.introspect(token) == {"active": False}
    with realm_scope(service.realm):
        denial = TokenDenial.objects.get()
    assert denial.expires_at.timestamp() == service.decoded(token).claims["exp"]
    assert denial.expires_at > clock.now()
