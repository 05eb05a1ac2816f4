"""Refresh tokens: rotation, families, reuse (RFC 6749, 6; RFC 9700, 4.14; DECISIONS 17 to 19)."""

from datetime import timedelta

import pytest

from conftest import actor_of, make_application
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.oauth.models import FamilyStatus, RefreshFamily, RefreshToken
from identity.oauth.tests.flows import Flow, said
from identity.sessions.commands import end_session, sign_out

OFFLINE = "openid profile email offline_access"


def family_of(flow: Flow) -> RefreshFamily:
    with realm_scope(flow.realm):
        return RefreshFamily.objects.get()


def later(**delta: float):
    return clock.clock_at(clock.now() + timedelta(**delta))


def test_refresh_gives_new_tokens_of_the_same_person(flow: Flow, user_a):
    tokens = flow.tokens()
    fresh = flow.refresh(tokens["refresh_token"]).json()
    assert fresh["refresh_token"] != tokens["refresh_token"]
    before, after = flow.decoded(tokens["access_token"]).claims, flow.decoded(fresh["access_token"]).claims
    assert after["jti"] != before["jti"]
    for name in ("sub", "aud", "client_id", "scope", "auth_time", "amr", "acr", "sid", "fid"):
        assert after[name] == before[name]


def test_refreshed_id_token_has_no_nonce_and_the_first_auth_time(flow: Flow):
    tokens = flow.tokens()
    first = flow.decoded(tokens["id_token"]).claims
    again = flow.decoded(flow.refresh(tokens["refresh_token"]).json()["id_token"]).claims
    assert "nonce" not in again
    assert again["auth_time"] == first["auth_time"]
    assert again["sub"] == first["sub"]


def test_scope_can_be_narrowed_for_one_access_token_but_never_widened(flow: Flow):
    tokens = flow.tokens()
    narrow = flow.refresh(tokens["refresh_token"], scope="openid").json()
    assert narrow["scope"] == "openid"
    wide = flow.refresh(narrow["refresh_token"]).json()
    assert wide["scope"] == "openid profile email"
    response = flow.refresh(wide["refresh_token"], scope="openid offline_access")
    assert response.json()["error"] == "invalid_scope"
    assert flow.refresh(wide["refresh_token"]).status_code == 200


def test_refreshing_is_an_event_out_of_the_feed(flow: Flow, user_a):
    flow.refresh(flow.tokens()["refresh_token"])
    (event,) = said(flow.realm, "token.refreshed")
    assert event.on_behalf_of == user_a.pk
    assert event.payload["generation"] == 1


def test_repeated_request_within_ten_seconds_fails_and_the_family_lives(flow: Flow):
    tokens = flow.tokens()
    fresh = flow.refresh(tokens["refresh_token"]).json()
    with later(seconds=9):
        assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
        assert family_of(flow).status == FamilyStatus.ACTIVE
        assert flow.refresh(fresh["refresh_token"]).status_code == 200
    assert said(flow.realm, "refresh.reused") == []


def test_oa_13_reuse_after_the_grace_revokes_the_family(flow: Flow, user_a):
    tokens = flow.tokens()
    fresh = flow.refresh(tokens["refresh_token"]).json()
    with later(seconds=11):
        assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
        assert flow.refresh(fresh["refresh_token"]).json()["error"] == "invalid_grant"
        assert flow.introspect(fresh["access_token"]) == {"active": False}
        flow.refresh(tokens["refresh_token"])
    family = family_of(flow)
    assert family.status == FamilyStatus.REVOKED
    assert family.end_reason == "refresh_reused"
    (event,) = said(flow.realm, "refresh.reused")
    assert event.target_id == user_a.pk


def test_oa_13_two_generations_old_within_the_grace_revokes_the_family(flow: Flow):
    first = flow.tokens()["refresh_token"]
    second = flow.refresh(first).json()["refresh_token"]
    third = flow.refresh(second).json()["refresh_token"]
    assert flow.refresh(first).json()["error"] == "invalid_grant"
    assert family_of(flow).status == FamilyStatus.REVOKED
    assert flow.refresh(third).json()["error"] == "invalid_grant"


def test_another_client_cannot_use_a_refresh_token_nor_end_its_family(flow: Flow, realm_a):
    _, secret = make_application(realm_a, client_id="other", name="Other")
    tokens = flow.tokens()
    with later(seconds=20):
        assert flow.refresh(tokens["refresh_token"], auth=("other", secret)).json()["error"] == "invalid_grant"
        fresh = flow.refresh(tokens["refresh_token"]).json()
        with later(seconds=40):
            assert flow.refresh(tokens["refresh_token"], auth=("other", secret)).json()["error"] == "invalid_grant"
            assert flow.refresh(fresh["refresh_token"]).status_code == 200


def test_oa_11_the_authenticated_client_is_the_client(flow: Flow, realm_a):
    make_application(realm_a, client_id="other", name="Other")
    response = flow.refresh(flow.tokens()["refresh_token"], client_id="other")
    assert response.json()["error"] == "invalid_request"


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t[:-8], lambda t: t + "A", lambda t: t.swapcase()])
def test_oa_22_a_refresh_token_is_exact(flow: Flow, change):
    token = flow.tokens()["refresh_token"]
    assert flow.refresh(change(token)).json()["error"] == "invalid_grant"
    assert flow.refresh(token).status_code == 200


def test_it_slides_to_thirty_days_and_ends_at_ninety(flow: Flow, user_a):
    flow.scope = OFFLINE
    with realm_scope(flow.realm):
        user_a.consents.update(scopes=OFFLINE.split(), offline=True)
    token = flow.tokens()["refresh_token"]
    start = clock.now()
    for days in (29, 58, 87):
        with clock.clock_at(start + timedelta(days=days)):
            response = flow.refresh(token)
            assert response.status_code == 200, days
            token = response.json()["refresh_token"]
    with realm_scope(flow.realm):
        newest = RefreshToken.objects.order_by("-generation").first()
    assert newest.expires_at == family_of(flow).expires_at
    with clock.clock_at(start + timedelta(days=91)):
        assert flow.refresh(token).json()["error"] == "invalid_grant"


def test_it_expires_when_it_is_not_used(flow: Flow, user_a):
    flow.scope = OFFLINE
    with realm_scope(flow.realm):
        user_a.consents.update(scopes=OFFLINE.split(), offline=True)
    token = flow.tokens()["refresh_token"]
    with later(days=31):
        assert flow.refresh(token).json()["error"] == "invalid_grant"


def test_without_offline_access_it_dies_with_its_session(flow: Flow, user_a):
    tokens = flow.tokens()
    session = flow.session_of(user_a)
    with realm_scope(flow.realm):
        sign_out(actor_of(user_a), session_id=session.pk)
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert flow.introspect(tokens["access_token"]) == {"active": False}


def test_without_offline_access_it_dies_with_an_idle_session(flow: Flow):
    tokens = flow.tokens()
    with later(hours=13):
        assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def offline_tokens(flow: Flow, user_a):
    flow.scope = OFFLINE
    with realm_scope(flow.realm):
        user_a.consents.update(scopes=OFFLINE.split(), offline=True)
    return flow.tokens()


def test_offline_access_outlives_sign_out_and_idle_expiry(flow: Flow, user_a):
    tokens = offline_tokens(flow, user_a)
    session = flow.session_of(user_a)
    with realm_scope(flow.realm):
        sign_out(actor_of(user_a), session_id=session.pk)
    assert flow.userinfo(tokens["access_token"]).status_code == 200
    with later(days=8):
        assert flow.refresh(tokens["refresh_token"]).status_code == 200


def test_ending_the_session_on_purpose_revokes_offline_access_too(flow: Flow, user_a):
    tokens = offline_tokens(flow, user_a)
    session = flow.session_of(user_a)
    with realm_scope(flow.realm):
        end_session(system_actor(flow.realm.pk), session_id=session.pk)
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert flow.introspect(tokens["access_token"]) == {"active": False}


def test_offline_access_ends_when_the_person_said(flow: Flow, user_a):
    until = clock.now() + timedelta(days=30)
    flow.scope = OFFLINE
    with realm_scope(flow.realm):
        user_a.consents.update(scopes=OFFLINE.split(), offline=True, offline_until=until)
    token = flow.tokens()["refresh_token"]
    assert family_of(flow).expires_at == until
    with later(days=29):
        token = flow.refresh(token).json()["refresh_token"]
    with later(days=31):
        assert flow.refresh(token).json()["error"] == "invalid_grant"


def test_narrowed_consent_narrows_what_was_issued_before(flow: Flow, user_a):
    tokens = flow.tokens()
    with realm_scope(flow.realm):
        user_a.consents.update(scopes=["openid", "profile"])
    assert "email" not in flow.userinfo(tokens["access_token"]).json()
    assert flow.refresh(tokens["refresh_token"]).json()["scope"] == "openid profile"
