"""Sign-in, prompts and answers of the authorization endpoint (OpenID Connect Core 1.0, 3.1.2; RFC 9207; RFC 9700)."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from conftest import make_application
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.naming import issuer_of
from identity.oauth import asking
from identity.oauth.models import Grant
from identity.oauth.tests.flows import Flow, answer_of
from identity.sessions.models import Session


def anonymous(flow: Flow) -> Flow:
    return Flow(flow.realm, flow.application, flow.secret)


def where_of(response) -> tuple[str, str]:
    """Path and `next` of a redirect to the sign-in."""
    assert response.status_code == 303, response.content[:500]
    parts = urlsplit(response["Location"])
    return parts.path, dict(parse_qsl(parts.query))["next"]


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(flow: Flow):
    response = anonymous(flow).authorize()
    path, back = where_of(response)
    assert path == "/realms/a/signin"
    assert back.startswith("/realms/a/oauth/authorize?")


def test_the_sign_in_page_knows_who_asks(flow: Flow):
    visitor = anonymous(flow)
    visitor.authorize(login_hint="dana@example.com")
    found = asking.asking_application(visitor.browser.session)
    assert found.name == "Portal"
    assert found.application_id == flow.application.pk
    assert found.origin == "https://app.example"
    assert found.login_hint == "dana@example.com"


def test_the_note_is_gone_after_the_answer(flow: Flow, user_a):
    visitor = anonymous(flow)
    visitor.authorize()
    visitor.sign_in(user_a)
    visitor.code()
    assert asking.asking_application(visitor.browser.session) is None


def test_prompt_none_answers_login_required_without_a_page(flow: Flow):
    answer = answer_of(anonymous(flow).authorize(prompt="none"))
    assert answer == {
        "error": "login_required",
        "error_description": "The person is not signed in.",
        "state": "st4te",
        "iss": issuer_of(flow.realm),
    }


def test_prompt_none_with_session_and_consent_gives_a_code(flow: Flow):
    assert "code" in answer_of(flow.authorize(prompt="none"))


def test_prompt_none_without_consent_is_consent_required(flow: Flow):
    assert answer_of(flow.authorize(prompt="none", scope="openid offline_access"))["error"] == "consent_required"


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_prompt_login_asks_again_and_is_satisfied_once(flow: Flow, user_a, prompt: str):
    parameters = flow.parameters(prompt=prompt)
    url = "/oauth/authorize?" + urlencode(parameters)
    path, back = where_of(flow.browser.get(url))
    assert path == "/realms/a/signin/again"
    assert where_of(flow.browser.get(back, absolute=True))[0] == "/realms/a/signin/again"
    with realm_scope(flow.realm):
        Session.objects.filter(user=user_a).update(authenticated_at=clock.now())
    response = flow.browser.get(back, absolute=True)
    answer = answer_of(response if "consent" not in prompt else flow.decide(response))
    assert "code" in answer
    # A second request is a second question.
    assert where_of(flow.browser.get(url))[0] == "/realms/a/signin/again"


@pytest.mark.parametrize(("age", "max_age", "again"), [(10, "60", False), (100, "60", True), (5, "0", True)])
def test_max_age_asks_again_when_the_sign_in_is_older(flow: Flow, user_a, age: int, max_age: str, again: bool):
    with realm_scope(flow.realm):
        Session.objects.filter(user=user_a).update(authenticated_at=clock.now() - timedelta(seconds=age))
    response = flow.authorize(max_age=max_age)
    if again:
        assert where_of(response)[0] == "/realms/a/signin/again"
        assert answer_of(flow.authorize(max_age=max_age, prompt="none"))["error"] == "login_required"
    else:
        assert "code" in answer_of(response)


def test_auth_time_is_the_sessions_sign_in(flow: Flow, user_a):
    moment = clock.now() - timedelta(seconds=50)
    with realm_scope(flow.realm):
        Session.objects.filter(user=user_a).update(authenticated_at=moment)
    claims = flow.decoded(flow.tokens(max_age="3600")["id_token"]).claims
    assert claims["auth_time"] == int(moment.timestamp())


def test_id_token_hint_of_the_same_person_is_fine_and_of_another_is_not(flow: Flow, realm_a, owner_a):
    hint = flow.tokens()["id_token"]
    assert "code" in answer_of(flow.authorize(prompt="none", id_token_hint=hint))
    other = Flow(realm_a, flow.application, flow.secret).sign_in(owner_a).consented(owner_a)
    assert answer_of(other.authorize(prompt="none", id_token_hint=hint))["error"] == "login_required"
    assert answer_of(flow.authorize(id_token_hint=hint[:-2]))["error"] == "login_required"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "id_token token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"response_mode": "x"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "openid nothing"}, "invalid_scope"),
        ({"scope": "openid phone"}, "invalid_scope"),
        ({"scope": "openid  email"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "x"}, "invalid_request"),
        ({"nonce": "n" * 256}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
def test_oa_10_what_is_not_done_is_answered_to_the_client_with_state_and_iss(flow: Flow, changes, error: str):
    answer = answer_of(flow.authorize(**changes))
    assert answer["error"] == error
    assert answer["iss"] == issuer_of(flow.realm)
    assert answer["state"] == "st4te"
    assert "code" not in answer


def test_oa_10_a_wrong_request_is_answered_before_anybody_signs_in(flow: Flow):
    assert answer_of(anonymous(flow).authorize(response_type="token"))["error"] == "unsupported_response_type"


def test_oa_35_the_answer_is_a_303_that_leaks_nothing(flow: Flow):
    response = flow.authorize()
    assert response.status_code == 303
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "no-store"
    assert answer_of(response)["iss"] == issuer_of(flow.realm)


def test_a_client_without_the_code_grant_gets_none(realm_a, user_a):
    application, secret = make_application(
        realm_a, grant_types=["client_credentials"], redirect_uris=["https://app.example/cb"]
    )
    flow = Flow(realm_a, application, secret).sign_in(user_a)
    assert answer_of(flow.authorize())["error"] == "unauthorized_client"


def test_only_get_and_post_are_answered(flow: Flow):
    query = urlencode(flow.parameters())
    for method in ("head", "put", "delete", "options"):
        response = getattr(flow.browser, method)(f"/oauth/authorize?{query}")
        assert response.status_code == 405
    with realm_scope(flow.realm):
        assert not Grant.objects.exists()


def test_a_huge_request_is_refused_here(flow: Flow):
    response = flow.authorize(state="x" * 20_000)
    assert response.status_code == 400
    assert "Location" not in response
