"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): nobody is signed out by a link alone (OA-31)."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from conftest import make_application
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.naming import cookie_name
from identity.oauth.tests.flows import Flow, answer_of, said
from identity.sessions.models import SessionStatus

BACK = "https://app.example/bye"


@pytest.fixture
def leaving(realm_a, user_a) -> Flow:
    """Dana is signed in through an application that has an address to return to."""
    application, secret = make_application(realm_a, post_logout_redirect_uris=[BACK])
    return Flow(realm_a, application, secret).sign_in(user_a).consented(user_a)


def is_signed_in(flow: Flow) -> bool:
    return "code" in answer_of(flow.authorize(prompt="none"))


def end(flow: Flow, **parameters: str):
    return flow.browser.get("/oauth/logout?" + urlencode(parameters))


def confirm(flow: Flow, **parameters: str):
    return flow.browser.post("/oauth/logout/confirm", parameters)


def test_a_current_hint_of_this_session_signs_out_and_returns(leaving: Flow, user_a):
    tokens = leaving.tokens()
    response = end(leaving, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BACK, state="s1")
    assert response.status_code == 303
    assert response["Location"] == f"{BACK}?state=s1"
    assert response["Referrer-Policy"] == "no-referrer"
    session = leaving.session_of(user_a)
    assert (session.status, session.end_reason) == (SessionStatus.ENDED, "signed_out")
    (event,) = said(leaving.realm, "session.ended")
    assert event.actor_id == user_a.pk
    assert not is_signed_in(leaving)
    assert leaving.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert leaving.introspect(tokens["access_token"]) == {"active": False}


def test_se_04_the_old_cookie_is_dead(leaving: Flow):
    tokens = leaving.tokens()
    name = cookie_name("s", leaving.realm)
    old = leaving.browser.cookies[name].value
    end(leaving, id_token_hint=tokens["id_token"])
    leaving.browser.cookies[name] = old
    assert not is_signed_in(leaving)


def test_without_a_place_to_return_a_page_says_so(leaving: Flow):
    response = end(leaving, id_token_hint=leaving.tokens()["id_token"])
    assert response.status_code == 200
    assert "signed out" in response.content.decode()
    assert not is_signed_in(leaving)


@pytest.mark.parametrize(
    "parameters", [{}, {"client_id": "portal"}, {"client_id": "portal", "post_logout_redirect_uri": BACK}]
)
def test_oa_31_without_a_hint_a_page_asks_and_nothing_happens(leaving: Flow, parameters):
    response = end(leaving, **parameters)
    assert response.status_code == 200
    assert "Location" not in response
    assert is_signed_in(leaving)


def test_oa_31_the_persons_own_click_signs_out_and_returns(leaving: Flow):
    parameters = {"client_id": "portal", "post_logout_redirect_uri": BACK, "state": "s1"}
    response = confirm(leaving, **parameters)
    assert response["Location"] == f"{BACK}?state=s1"
    assert not is_signed_in(leaving)


def test_se_11_the_click_carries_the_forms_token(leaving: Flow):
    leaving.browser.handler.enforce_csrf_checks = True
    assert confirm(leaving, client_id="portal").status_code == 403
    assert is_signed_in(leaving)
    assert leaving.browser.get("/oauth/logout/confirm").status_code == 405


def test_the_pages_own_form_works(leaving: Flow):
    from e2e.forms import read_forms

    leaving.browser.handler.enforce_csrf_checks = True
    page = end(leaving, client_id="portal", post_logout_redirect_uri=BACK)
    assert f"form-action 'self' {BACK.removesuffix('/bye')}" in page["Content-Security-Policy"]
    form = next(form for form in read_forms(page.content.decode()) if "client_id" in form.fields)
    assert leaving.browser.post(form.action, form.fields, absolute=True)["Location"] == BACK


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        "https://app.example/bye/",
        "https://app.example/bye?x=1",
        "https://app.example/cb",
        "//evil.example",
        "javascript:alert(1)",
    ],
)
def test_oa_31_an_unregistered_address_is_refused_and_nobody_signed_out(leaving: Flow, uri: str):
    hint = leaving.tokens()["id_token"]
    for response in (
        end(leaving, id_token_hint=hint, post_logout_redirect_uri=uri),
        confirm(leaving, id_token_hint=hint, post_logout_redirect_uri=uri),
    ):
        assert response.status_code == 400
        assert "Location" not in response
    assert is_signed_in(leaving)


def test_oa_31_an_address_without_any_client_is_refused(leaving: Flow):
    assert end(leaving, post_logout_redirect_uri=BACK).status_code == 400


def test_oa_31_an_expired_hint_asks_first(leaving: Flow):
    hint = leaving.tokens()["id_token"]
    with clock.clock_at(clock.now() + timedelta(hours=2)):
        response = end(leaving, id_token_hint=hint, post_logout_redirect_uri=BACK)
        assert response.status_code == 200
        assert "Location" not in response
        assert is_signed_in(leaving)
        assert confirm(leaving, id_token_hint=hint, post_logout_redirect_uri=BACK)["Location"] == BACK


@pytest.mark.parametrize("change", [lambda t: t[:-4], lambda t: "x", lambda t: t.replace(".", "..", 1)])
def test_oa_31_a_forged_hint_is_refused(leaving: Flow, change):
    response = end(leaving, id_token_hint=change(leaving.tokens()["id_token"]), post_logout_redirect_uri=BACK)
    assert response.status_code == 400
    assert is_signed_in(leaving)


def test_oa_31_a_hint_of_another_session_asks_first(leaving: Flow, owner_a):
    other = Flow(leaving.realm, leaving.application, leaving.secret).sign_in(owner_a).consented(owner_a)
    hint = other.tokens()["id_token"]
    response = end(leaving, id_token_hint=hint, post_logout_redirect_uri=BACK)
    assert response.status_code == 200
    assert is_signed_in(leaving)
    assert is_signed_in(other)


def test_oa_31_a_hint_of_another_client_is_refused(leaving: Flow, realm_a):
    make_application(realm_a, client_id="other", name="Other", post_logout_redirect_uris=["https://other.example/"])
    hint = leaving.tokens()["id_token"]
    assert end(leaving, id_token_hint=hint, client_id="other").status_code == 400
    assert end(leaving, id_token_hint=hint, post_logout_redirect_uri="https://other.example/").status_code == 400
    assert is_signed_in(leaving)


def test_oa_31_an_access_token_is_no_hint(leaving: Flow):
    assert end(leaving, id_token_hint=leaving.tokens()["access_token"]).status_code == 400


def test_oa_04_repeated_parameters_are_refused(leaving: Flow):
    response = leaving.browser.get("/oauth/logout?client_id=portal&client_id=portal")
    assert response.status_code == 400


def test_a_post_of_the_client_is_answered_the_same_way(leaving: Flow):
    leaving.browser.handler.enforce_csrf_checks = True
    form = "application/x-www-form-urlencoded"
    page = leaving.browser.post("/oauth/logout", "client_id=portal", content_type=form)
    assert page.status_code == 200
    assert is_signed_in(leaving)
    hint = urlencode({"id_token_hint": leaving.tokens()["id_token"]})
    assert leaving.browser.post("/oauth/logout", hint, content_type=form).status_code == 200
    assert not is_signed_in(leaving)


def test_who_is_not_signed_in_is_told_so_and_sent_back_only_with_a_hint(leaving: Flow):
    hint = leaving.tokens()["id_token"]
    visitor = Flow(leaving.realm, leaving.application, leaving.secret)
    response = end(visitor, client_id="portal", post_logout_redirect_uri=BACK)
    assert response.status_code == 200
    assert BACK in response.content.decode()
    assert end(visitor, id_token_hint=hint, post_logout_redirect_uri=BACK)["Location"] == BACK


def test_se_01_signing_out_of_a_leaves_b(leaving: Flow, flow_b: Flow):
    end(leaving, id_token_hint=leaving.tokens()["id_token"])
    assert is_signed_in(flow_b)


def test_offline_access_outlives_it(leaving: Flow, user_a):
    with realm_scope(leaving.realm):
        user_a.consents.update(scopes=["openid", "offline_access"], offline=True)
    tokens = leaving.tokens(scope="openid offline_access")
    end(leaving, id_token_hint=tokens["id_token"])
    assert leaving.refresh(tokens["refresh_token"]).status_code == 200
