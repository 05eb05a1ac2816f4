"""Bots: a sum that browsers solve, and a captcha of others, before sign-up and a forgotten password are acted on."""

import json
import re
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest

from identity.accounts.models import User
from identity.courier.models import Message
from identity.courier.testing import FakeProvider
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Invalid
from identity.realms.commands import change_realm_settings
from identity.sessions.testing import RealmClient
from identity.signin.proof_of_work import EASIEST, HARDEST, is_solved, new_challenge, zero_bits
from identity.signin.tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

FORM = {"name": "Kim Park", "email": "kim@example.com", "password1": PASSWORD}


def allow(realm, **settings):
    with realm_scope(realm):
        change_realm_settings(system_actor(realm.pk), changes=settings)
    realm.refresh_from_db()


def solve(challenge, bits):
    return next(str(n) for n in range(2**24) if zero_bits(f"{challenge}:{n}") >= bits)


def challenge_of(page):
    found = re.search(r'data-proof="([^"]+)"\s+data-bits="(\d+)"', page.text)
    assert found, page.text
    return found[1], int(found[2])


def solved(page):
    challenge, bits = challenge_of(page)
    return {"challenge": challenge, "solution": solve(challenge, bits)}


def there(realm, email="kim@example.com"):
    with realm_scope(realm):
        return User.objects.filter(email=email).exists()


@pytest.fixture
def guarded(realm_a):
    allow(realm_a, bot_protection="proof_of_work")
    return realm_a


def test_without_a_solution_nothing_happens_and_the_page_says_why(guarded):
    client = RealmClient(guarded)
    page = client.get("/signup")
    assert "noscript" in page.text
    refused = client.post("/signup", FORM)
    assert refused.status_code == 200
    assert "JavaScript" in refused.text
    assert 'value="Kim Park"' in refused.text
    assert not there(guarded)
    wish = client.post("/password/reset", {"email": "dana@example.com"})
    assert wish.status_code == 200
    with realm_scope(guarded):
        assert not Message.objects.exists()


def test_a_solved_sum_lets_the_form_through_once(guarded):
    client = RealmClient(guarded)
    answer = solved(client.get("/signup"))
    assert client.post("/signup", {**FORM, **answer}).status_code == 302
    assert there(guarded)
    again = client.post("/signup", {**FORM, "email": "eve@example.com", **answer})
    assert again.status_code == 200
    assert not there(guarded, "eve@example.com")
    wish = solved(client.get("/password/reset"))
    assert client.post("/password/reset", {"email": "dana@example.com", **wish}).status_code == 302


def test_a_solution_belongs_to_its_realm_and_form(guarded, realm_b):
    allow(realm_b, bot_protection="proof_of_work")
    client = RealmClient(guarded)
    for_reset = solved(client.get("/password/reset"))
    assert client.post("/signup", {**FORM, **for_reset}).status_code == 200
    foreign = solved(RealmClient(realm_b).get("/signup"))
    assert client.post("/signup", {**FORM, **foreign}).status_code == 200
    assert not there(guarded)


def test_a_challenge_ends_and_serves_once_across_the_border_of_an_hour(guarded):
    start = clock.now().replace(minute=50, second=0, microsecond=0)
    with realm_scope(guarded):
        with clock.clock_at(start):
            challenge = new_challenge(guarded, "signup", ip="203.0.113.5")
        right = {"challenge": challenge.text, "solution": solve(challenge.text, challenge.bits)}
        with clock.clock_at(start + timedelta(minutes=61)):
            assert not is_solved(guarded, "signup", **right)
        with clock.clock_at(start - timedelta(minutes=1)):
            assert not is_solved(guarded, "signup", **right)
        with clock.clock_at(start + timedelta(minutes=5)):
            assert is_solved(guarded, "signup", **right)
        for minutes in (6, 20, 59):
            with clock.clock_at(start + timedelta(minutes=minutes)):
                assert not is_solved(guarded, "signup", **right)


@pytest.mark.parametrize("solution", ["", "-1", "x", "1" * 30, "１２", "0x1", " 1"])
def test_what_is_no_number_is_no_solution(guarded, solution):
    with realm_scope(guarded):
        challenge = new_challenge(guarded, "signup", ip="")
        assert not is_solved(guarded, "signup", challenge=challenge.text, solution=solution)
        assert not is_solved(guarded, "signup", challenge="x" * 500, solution="1")
        assert not is_solved(guarded, "signup", challenge="forged", solution="1")


def test_a_wrong_number_does_not_use_the_challenge_up(guarded):
    with realm_scope(guarded):
        challenge = new_challenge(guarded, "signup", ip="")
        right = solve(challenge.text, challenge.bits)
        assert not is_solved(guarded, "signup", challenge=challenge.text, solution=str(int(right) + 1) + "9")
        assert is_solved(guarded, "signup", challenge=challenge.text, solution=right)


def test_who_asks_again_and_again_gets_harder_sums(realm_a):
    client = RealmClient(realm_a)
    for n in range(19):
        client.post("/signup", {**FORM, "email": f"kim{n}@example.com"})
    allow(realm_a, bot_protection="proof_of_work")
    _challenge, bits = challenge_of(client.get("/signup"))
    assert EASIEST < bits <= HARDEST


# --- a captcha of others ----------------------------------------------------------------------------------------------


@pytest.fixture
def service(settings, realm_a):
    """A service of the siteverify kind on this machine, which takes the answer "human" alone."""

    def verify(heard):
        said = dict(parse_qsl(heard.body.decode()))
        if said["response"] == "broken":
            return 500, "oops"
        return 200, json.dumps(
            {
                "success": said["response"].startswith("human"),
                "hostname": said["response"].partition("@")[2] or "testserver",
            }
        )

    fake = FakeProvider(verify)
    settings.REALMKEEP_OUTBOUND_NETWORKS = ["127.0.0.0/8"]
    settings.REALMKEEP_CAPTCHA_URL = fake.url + "/siteverify"
    settings.REALMKEEP_CAPTCHA_SECRETS = {"": "secret-of-all", "a": "secret-of-a"}
    allow(realm_a, bot_protection="captcha", captcha_site_key="site-key-a")
    yield fake
    fake.close()


def test_the_captchas_script_is_let_onto_this_page_and_no_other(realm_a, service):
    client = RealmClient(realm_a)
    page = client.get("/signup")
    assert 'data-sitekey="site-key-a"' in page.text
    assert "secret-of" not in page.text
    policy = page["Content-Security-Policy"]
    for directive in ("script-src", "frame-src", "connect-src"):
        assert "https://challenges.cloudflare.com" in next(d for d in policy.split("; ") if d.startswith(directive))
    assert "frame-ancestors 'none'" in policy
    assert "cloudflare" not in client.get("/signin")["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("turnstile", "https://challenges.cloudflare.com/turnstile/v0/api.js"),
        ("hcaptcha", "https://js.hcaptcha.com/1/api.js?hl=de"),
        ("recaptcha", "https://www.google.com/recaptcha/api.js?hl=de"),
    ],
)
def test_a_captcha_speaks_the_pages_language(realm_a, service, settings, name, script):
    settings.REALMKEEP_CAPTCHA_SERVICE = name
    page = RealmClient(realm_a).get("/signup", HTTP_ACCEPT_LANGUAGE="de")
    assert f'data-captcha="{script}"' in page.text
    assert 'data-language="de"' in page.text


def test_only_a_right_answer_passes_and_the_service_is_asked_with_the_realms_secret(realm_a, service):
    client = RealmClient(realm_a)
    for answer in ({}, {"cf-turnstile-response": "robot"}, {"cf-turnstile-response": "human@other.example"}):
        assert client.post("/signup", {**FORM, **answer}).status_code == 200
    assert not there(realm_a)
    assert client.post("/signup", {**FORM, "cf-turnstile-response": "human"}).status_code == 302
    assert there(realm_a)
    assert service.heard[-1].form["secret"] == "secret-of-a"
    assert client.post("/password/reset", {"email": "dana@example.com"}).status_code == 200


def test_lg_02_a_service_that_is_away_lets_nobody_through(realm_a, service):
    refused = RealmClient(realm_a).post("/signup", {**FORM, "cf-turnstile-response": "broken"})
    assert "doesn’t answer now" in refused.text
    assert not there(realm_a)


def test_lg_02_a_captcha_without_a_secret_becomes_a_sum_and_never_nothing(realm_a, service, settings):
    settings.REALMKEEP_CAPTCHA_SECRETS = {}
    client = RealmClient(realm_a)
    page = client.get("/signup")
    challenge_of(page)
    assert "cloudflare" not in page["Content-Security-Policy"]
    assert client.post("/signup", {**FORM, "cf-turnstile-response": "human"}).status_code == 200


def test_a_captcha_needs_its_site_key(realm_a):
    with pytest.raises(Invalid) as refused:
        allow(realm_a, bot_protection="captcha")
    assert refused.value.field == "captcha_site_key"


def test_the_console_offers_a_captcha_only_where_one_is_set_up(realm_a, owner_a, settings):
    client = RealmClient(realm_a).sign_in(owner_a)
    assert "captcha_site_key" not in client.get("/console/sign-in").text
    settings.REALMKEEP_CAPTCHA_SECRETS = {"": "x"}
    assert "captcha_site_key" in client.get("/console/sign-in").text
    sent = {"card": "bots", "bot_protection": "captcha", "captcha_site_key": "key-1"}
    assert client.post("/console/sign-in", sent).status_code == 302
    realm_a.refresh_from_db()
    assert (realm_a.setting("bot_protection"), realm_a.setting("captcha_site_key")) == ("captcha", "key-1")
