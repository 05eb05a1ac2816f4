"""The consent page and what is remembered of it (DECISIONS 17, 30)."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from conftest import make_application
from identity.consent.models import Consent
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.oauth.models import Grant
from identity.oauth.tests.flows import Flow, answer_of, said

OFFLINE = "openid profile email offline_access"


@pytest.fixture
def undecided(realm_a, app_a, user_a) -> Flow:
    """Dana is signed in and has not decided yet."""
    return Flow(realm_a, *app_a).sign_in(user_a)


def consent_of(flow: Flow) -> Consent:
    with realm_scope(flow.realm):
        return Consent.objects.get(withdrawn_at=None)


def shares(*names: str) -> dict[str, str]:
    return {"narrowable": "True", **{f"share.{name}": "on" for name in names}}


def test_the_page_shows_the_real_values_and_what_is_never_given(undecided: Flow):
    response = undecided.authorize(scope="openid email")
    assert response.status_code == 200
    page = response.content.decode()
    assert "dana@example.com" in page
    assert "See your name" in page
    assert "Portal" in page
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "no-store"


def test_the_policy_lets_the_form_end_at_the_client(undecided: Flow):
    policy = undecided.authorize()["Content-Security-Policy"]
    assert "form-action 'self' https://app.example" in policy
    assert "frame-ancestors 'none'" in policy


def test_allowing_gives_a_code_and_is_remembered(undecided: Flow, user_a):
    answer = answer_of(undecided.decide(undecided.authorize()))
    assert undecided.redeem(answer["code"]).status_code == 200
    assert consent_of(undecided).scopes == ["email", "openid", "profile"]
    (event,) = said(undecided.realm, "consent.granted")
    assert event.actor_id == event.target_id == user_a.pk
    assert "code" in answer_of(undecided.authorize())


def test_denying_is_answered_and_nothing_is_remembered(undecided: Flow):
    answer = answer_of(undecided.decide(undecided.authorize(), "deny"))
    assert answer["error"] == "access_denied"
    assert answer["state"] == "st4te"
    with realm_scope(undecided.realm):
        assert not Consent.objects.exists()
        assert not Grant.objects.exists()


def test_no_decision_is_no_consent(undecided: Flow):
    response = undecided.decide(undecided.authorize(), "maybe")
    assert response.status_code == 200
    with realm_scope(undecided.realm):
        assert not Consent.objects.exists()


def test_a_person_can_narrow_what_is_shared(undecided: Flow):
    answer = answer_of(undecided.decide(undecided.authorize(), **shares("openid", "profile")))
    tokens = undecided.redeem(answer["code"]).json()
    assert tokens["scope"] == "openid profile"
    assert "email" not in undecided.userinfo(tokens["access_token"]).json()
    assert consent_of(undecided).scopes == ["openid", "profile"]


def test_nothing_that_was_not_asked_can_be_granted(undecided: Flow):
    answer = answer_of(undecided.decide(undecided.authorize(scope="openid"), **shares("openid", "email", "phone")))
    assert undecided.redeem(answer["code"]).json()["scope"] == "openid"


def test_narrowing_later_takes_back_and_leaves_what_was_not_asked(undecided: Flow):
    undecided.decide(undecided.authorize())
    response = undecided.authorize(scope="openid email", prompt="consent")
    undecided.decide(response, **shares("openid"))
    assert consent_of(undecided).scopes == ["openid", "profile"]
    assert said(undecided.realm, "consent.granted")[-1].payload["changes"]["scopes"] == [
        ["email", "openid", "profile"],
        ["openid", "profile"],
    ]


def test_the_page_comes_again_for_more_than_was_allowed_and_for_prompt_consent(flow: Flow):
    assert flow.authorize(scope="openid").status_code == 303
    assert flow.authorize(scope=OFFLINE).status_code == 200
    assert flow.authorize(prompt="consent").status_code == 200


@pytest.mark.parametrize(
    ("choice", "offline", "days"),
    [("session", False, None), ("month", True, 30), ("always", True, None), ("", False, None)],
)
def test_offline_access_lasts_as_long_as_the_person_says(undecided: Flow, choice: str, offline: bool, days):
    response = undecided.authorize(scope=OFFLINE)
    answer = answer_of(undecided.decide(response, offline=choice))
    with realm_scope(undecided.realm):
        grant = Grant.objects.get()
    consent = consent_of(undecided)
    assert grant.offline is consent.offline is offline
    assert ("offline_access" in grant.scope.split()) is offline
    if days:
        assert abs(consent.offline_until - clock.now() - timedelta(days=days)) < timedelta(minutes=1)
        assert grant.offline_until == consent.offline_until
    else:
        assert consent.offline_until is None
    assert undecided.redeem(answer["code"]).status_code == 200


def test_offline_access_that_ended_is_asked_again(undecided: Flow, user_a):
    undecided.decide(undecided.authorize(scope=OFFLINE), offline="month")
    assert undecided.authorize(scope=OFFLINE).status_code == 303
    with clock.clock_at(clock.now() + timedelta(days=31)):
        undecided.sign_in(user_a)
        assert undecided.authorize(scope=OFFLINE).status_code == 200


def test_first_party_applications_may_skip_the_page(realm_a, user_a):
    application, secret = make_application(realm_a, first_party=True, skip_consent=True)
    flow = Flow(realm_a, application, secret).sign_in(user_a)
    assert flow.tokens()["access_token"]
    assert flow.authorize(prompt="consent").status_code == 200
    with realm_scope(realm_a):
        assert not Consent.objects.exists()


def test_an_application_that_may_no_longer_skip_loses_what_it_got_without_consent(realm_a, user_a):
    application, secret = make_application(realm_a, first_party=True, skip_consent=True)
    flow = Flow(realm_a, application, secret).sign_in(user_a)
    tokens = flow.tokens()
    with realm_scope(realm_a):
        type(application).objects.filter(pk=application.pk).update(skip_consent=False)
    assert flow.introspect(tokens["access_token"]) == {"active": False}
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_se_11_a_decision_without_the_forms_token_is_refused(realm_a, app_a, user_a):
    flow = Flow(realm_a, *app_a).sign_in(user_a)
    flow.browser.handler.enforce_csrf_checks = True
    query = urlencode(flow.parameters())
    assert flow.browser.post(f"/oauth/authorize?{query}", {"decision": "allow"}).status_code == 403


def test_the_forms_own_answer_is_accepted(undecided: Flow):
    """By the fields that the page really has, as a browser would send them."""
    from e2e.forms import read_forms

    undecided.browser.handler.enforce_csrf_checks = True
    page = undecided.authorize(scope=OFFLINE).content.decode()
    form = next(form for form in read_forms(page) if ("decision", "allow") in form.buttons)
    assert form.fields["offline"] == "session"
    assert form.fields["share.email"] == "on"
    assert "share.openid" not in form.types
    sent = {name: value for name, value in form.fields.items() if name != "share.email"}
    answer = answer_of(undecided.browser.post(form.action, {**sent, "decision": "allow"}, absolute=True))
    assert undecided.redeem(answer["code"]).json()["scope"] == "openid profile"
