"""acr_values, required classes and max_age at authorize; amr, acr and auth_time in tokens (OIDC Core; RFC 9470)."""

import re
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from conftest import PASSWORD
from identity.applications.commands import change_application
from identity.courier.testing import mails
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Invalid
from identity.mfa import commands
from identity.mfa.rules import level_after, shown_of
from identity.mfa.testing import code_at
from identity.mfa.tests.conftest import SECRET, change, himself, with_app
from identity.oauth.tests.flows import Flow, answer_of
from identity.sessions.models import Session
from identity.sessions.rules import ACR_ONE, ACR_THREE, ACR_TWO

pytestmark = pytest.mark.django_db


def sent_to(response):
    parts = urlsplit(response["Location"])
    return parts.path, dict(parse_qsl(parts.query))


@pytest.fixture
def ready(flow: Flow, user_a):
    """A signed-in person who has consented."""
    return flow


def test_a_class_that_was_reached_is_answered(ready):
    assert "code" in answer_of(ready.authorize(acr_values=ACR_ONE))


def test_a_higher_class_leads_to_the_page_that_asks_and_back(ready, user_a):
    with realm_scope(ready.realm):
        with_app(user_a)
    path, query = sent_to(ready.authorize(acr_values=ACR_TWO))
    assert path == "/realms/a/signin/again"
    assert query["acr"] == ACR_TWO
    assert query["next"].startswith("/realms/a/oauth/authorize?")
    page = ready.browser.get(f"/signin/again?acr={ACR_TWO}&next={query['next'].replace('&', '%26')}")
    assert "6-digit code" in page.text
    assert "password" not in page.context["choice"].id
    done = ready.browser.post(
        "/signin/again",
        {
            "factor": page.context["choice"].id,
            "acr": ACR_TWO,
            "next": query["next"],
            "code": code_at(SECRET, clock.now()),
        },
    )
    assert done["Location"] == query["next"]
    assert "code" in answer_of(ready.authorize(acr_values=ACR_TWO))


@pytest.mark.parametrize("fresh", [{"prompt": "login"}, {"max_age": "300"}])
def test_lg_20_two_fresh_factors_are_not_a_fresh_password_and_an_old_factor(ready, user_a, fresh):
    with realm_scope(ready.realm):
        with_app(user_a)
    page = ready.browser.get(f"/signin/again?acr={ACR_TWO}")
    factor = page.context["choice"].id
    shown = {"factor": factor, "acr": ACR_TWO, "code": code_at(SECRET, clock.now())}
    ready.browser.post("/signin/again", shown)
    with clock.clock_at(clock.now() + timedelta(hours=1)):
        path, query = sent_to(ready.authorize(acr_values=ACR_TWO, **fresh))
        assert (path, query["by"]) == ("/realms/a/signin/again", "factor")
        # Whoever leaves `by` away gets a page that takes the password, and no further.
        request = query["next"]
        ready.browser.post("/signin/again", {"password": PASSWORD, "next": request})
        assert sent_to(ready.browser.get(request))[0] == "/realms/a/signin/again"
        ready.browser.post("/signin/again", {"factor": factor, "by": "factor", "code": code_at(SECRET, clock.now())})
        assert "code" in answer_of(ready.browser.get(request))


def test_tokens_say_what_was_shown_and_when(ready, user_a):
    with realm_scope(ready.realm):
        with_app(user_a)
    page = ready.browser.get(f"/signin/again?acr={ACR_TWO}")
    moment = clock.now()
    ready.browser.post(
        "/signin/again", {"factor": page.context["choice"].id, "acr": ACR_TWO, "code": code_at(SECRET, clock.now())}
    )
    answer = ready.redeem(ready.code(acr_values=ACR_TWO)).json()
    claims = ready.decoded(answer["id_token"]).claims
    assert (claims["amr"], claims["acr"]) == (["pwd", "otp", "mfa"], ACR_TWO)
    assert abs(claims["auth_time"] - moment.timestamp()) < 10


def test_who_holds_nothing_is_led_to_add_one(ready):
    path, query = sent_to(ready.authorize(acr_values=f"{ACR_THREE} {ACR_TWO}"))
    assert path == "/realms/a/account/factors/add"
    assert query["next"].startswith("/realms/a/oauth/authorize?")


def test_what_nobody_can_reach_here_is_said_to_the_application(ready):
    change(ready.realm, second_factor_methods=["totp"])
    for values in (ACR_THREE, "urn:example:loa9"):
        assert answer_of(ready.authorize(acr_values=values))["error"] == "unmet_authentication_requirements"


def test_without_a_page_a_higher_class_is_login_required(ready):
    assert answer_of(ready.authorize(acr_values=ACR_TWO, prompt="none"))["error"] == "login_required"


def test_an_application_requires_a_class_of_every_sign_in(ready, user_a):
    with realm_scope(ready.realm):
        actor = system_actor(ready.realm.pk)
        with pytest.raises(Invalid):
            change_application(actor, application_id=ready.application.pk, required_acr="urn:other")
        change_application(actor, application_id=ready.application.pk, required_acr=ACR_TWO)
        with_app(user_a)
    path, query = sent_to(ready.authorize())
    assert (path, query["acr"]) == ("/realms/a/signin/again", ACR_TWO)
    with realm_scope(ready.realm):
        Session.objects.filter(user=user_a).update(amr=["pwd", "otp", "mfa"], acr=ACR_TWO)
    assert "code" in answer_of(ready.authorize())


def test_a_trusted_browser_serves_no_applications_wish(ready, user_a):
    with realm_scope(ready.realm):
        with_app(user_a)
    change(ready.realm, trusted_device_lifetime=86400)
    assert sent_to(ready.authorize(acr_values=ACR_TWO))[0] == "/realms/a/signin/again"


def test_max_age_is_served_by_a_factor_of_somebody_without_a_password(ready, user_a):
    with realm_scope(ready.realm):
        with_app(user_a)
    with clock.clock_at(clock.now() + timedelta(minutes=3)):
        path, _ = sent_to(ready.authorize(max_age="60"))
        assert path == "/realms/a/signin/again"
        page = ready.browser.get("/signin/again")
        assert "6-digit code" in page.text
        ready.browser.post("/signin/again", {"factor": page.context["choice"].id, "code": code_at(SECRET, clock.now())})
        assert "code" in answer_of(ready.authorize(max_age="60"))


def test_the_classes_are_advertised(flow):
    found = flow.document()
    assert found["acr_values_supported"] == [ACR_ONE, ACR_TWO, ACR_THREE]


def by_code_and_with_a_second_inbox(ready, user):
    """Came in by a code to the own address; the only factor is an address, too."""
    store = ready.browser.session
    store["account_authentication_methods"] = [{"method": "code", "at": clock.now().timestamp(), "email": user.email}]
    store["account_authentication_methods_user"] = str(user.pk)
    store.save()
    with realm_scope(ready.realm):
        Session.objects.filter(user=user).update(amr=["otp"])
        device = commands.add_message_device(himself(user), user_id=user.pk, kind="email", to="dana@work.example")
    code = re.search(r"\b\d{6}\b", next(m.text for m in mails(ready.realm) if m.to == "dana@work.example"))
    with realm_scope(ready.realm):
        factor = commands.confirm_message_device(
            himself(user), user_id=user.pk, device_id=device.pk, code=code[0] if code else ""
        )
    with clock.clock_at(clock.now() + timedelta(minutes=2)):
        page = ready.browser.post("/signin/again", {"factor": factor.id, "send": "yes"})
        assert page.status_code == 200
        code = re.findall(r"\b\d{6}\b", [m.text for m in mails(ready.realm) if m.to == "dana@work.example"][-1])
        ready.browser.post("/signin/again", {"factor": factor.id, "code": code[0]})
    assert ready.session_of(user).acr == ACR_ONE, "two codes by mail are one factor"


def test_lg_01_a_second_code_by_mail_is_no_second_factor_and_asking_for_one_ends(ready, user_a):
    by_code_and_with_a_second_inbox(ready, user_a)
    path, query = sent_to(ready.authorize(acr_values=ACR_TWO))
    assert (path, query["acr"]) == ("/realms/a/account/factors/add", ACR_TWO)
    again = ready.browser.get("/signin/again", {"acr": ACR_TWO, "next": query["next"]})
    assert sent_to(again) == ("/realms/a/account/factors/add", {"next": query["next"]}), "no page that leads nowhere"
    change(ready.realm, second_factor_methods=["email"])
    assert answer_of(ready.authorize(acr_values=ACR_TWO))["error"] == "unmet_authentication_requirements"
    assert "code" in answer_of(ready.authorize(acr_values=ACR_ONE))


def test_another_kind_beside_it_is_asked_for(ready, user_a):
    by_code_and_with_a_second_inbox(ready, user_a)
    with realm_scope(ready.realm):
        with_app(user_a)
    path, query = sent_to(ready.authorize(acr_values=ACR_TWO))
    assert path == "/realms/a/signin/again"
    page = ready.browser.get("/signin/again", {"acr": ACR_TWO, "next": query["next"]})
    assert page.context["choice"].kind == "totp"
    assert page.context["others"] is False
    code = code_at(SECRET, clock.now())
    ready.browser.post("/signin/again", {"factor": page.context["choice"].id, "acr": ACR_TWO, "code": code})
    assert "code" in answer_of(ready.authorize(acr_values=ACR_TWO))


def test_after_an_app_a_passkey_still_reaches_the_highest_class():
    shown = shown_of([{"method": "password"}, {"method": "mfa", "type": "totp", "id": "x"}])
    assert [level_after(kind, shown) for kind in ("passkey", "totp", "email")] == [3, 2, 2]
    assert [level_after(kind, []) for kind in ("passkey", "totp", "email")] == [3, 2, 2]
