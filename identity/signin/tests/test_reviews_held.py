"""A suspicious sign-in waits until something else confirms it, where the realm wants that."""

import re
from datetime import timedelta

import pytest

from conftest import make_user
from identity.accounts.models import User
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.mfa.testing import code_at
from identity.mfa.tests.conftest import SECRET, change, with_app
from identity.security.models import Alert, SignInReview
from identity.sessions.models import Device, DeviceStatus
from identity.sessions.testing import RealmClient
from identity.signin.stages import BEGUN_KEY
from identity.signin.tests.conftest import sign_in
from identity.signin.tests.strangers import (
    BRAZIL,
    PORTO,
    abroad,
    asked,
    at_home,
    known,
    row,
    signed_in_as,
    types,
)

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def test_a_suspicious_sign_in_is_held_until_a_code_to_the_confirmed_address_came_back(realm_a, user_a):
    change(realm_a, suspicious_sign_in="hold")
    known(realm_a)
    client = abroad(realm_a)
    assert sign_in(client)["Location"].endswith("/signin/prove")
    assert signed_in_as(client) is None
    assert client.get("/signin/confirm")["Location"].endswith("/signin/prove")
    assert "signin.held" in types(realm_a)
    page = client.post("/signin/prove", {"way": "email", "send": "yes"})
    note = re.search(r'name="note" value="([^"]+)"', page.text)[1]
    code = re.search(r"\b\d{6}\b", mails(realm_a)[-1].text)[0]
    wrong = client.post("/signin/prove", {"way": "email", "note": note, "code": f"{(int(code) + 1) % 10**6:06}"})
    assert "didn’t work" in wrong.text
    assert signed_in_as(client) is None
    client.post("/signin/prove", {"way": "email", "note": note, "code": code})
    assert signed_in_as(client) == str(user_a.pk)
    assert row(client).amr == ["pwd", "otp"]
    with realm_scope(realm_a):
        assert set(Device.objects.values_list("status", flat=True)) == {DeviceStatus.KNOWN}


def test_a_code_of_another_person_or_realm_lets_nothing_go(realm_a, user_a, realm_b, user_b):
    for realm in (realm_a, realm_b):
        change(realm, suspicious_sign_in="hold")
        known(realm)
    eve = make_user(realm_a, "eve@example.com")
    client, other, twin = abroad(realm_a), abroad(realm_a), abroad(realm_b)
    with realm_scope(realm_a):
        known(realm_a, login="eve@example.com")
    sign_in(client)
    sign_in(other, "eve@example.com")
    sign_in(twin)
    answers = {}
    for name, each in (("eve", other), ("twin", twin)):
        page = each.post("/signin/prove", {"way": "email", "send": "yes"})
        note = re.search(r'name="note" value="([^"]+)"', page.text)[1]
        answers[name] = (note, re.search(r"\b\d{6}\b", mails(each.realm)[-1].text)[0])
    for note, code in answers.values():
        client.post("/signin/prove", {"way": "email", "note": note, "code": code})
        assert signed_in_as(client) is None
    assert eve.pk


def told_of_held(realm):
    return [mail for mail in mails(realm) if "is held" in mail.subject]


def test_a_held_sign_in_that_stays_unconfirmed_is_told_once_and_not_me_contains_it(realm_a, user_a, realm_b, user_b):
    for realm in (realm_a, realm_b):
        change(realm, suspicious_sign_in="hold")
    home = known(realm_a)
    for _each in range(3):
        stranger = abroad(realm_a)
        sign_in(stranger)
        assert signed_in_as(stranger) is None
    (mail,) = told_of_held(realm_a)
    assert mail.to == "dana@example.com"
    assert "let nobody in before a second step confirms it" in mail.text
    assert told_of_held(realm_b) == []
    link = path_of(mail.links[0])
    page = RealmClient(realm_a).get(link)
    assert "took the first step" in page.text
    assert "Chrome" in page.text
    assert BRAZIL in page.text
    assert signed_in_as(home)
    done = RealmClient(realm_a).post(link, {"me": "no"})
    assert "Your account is secured" in done.text
    assert signed_in_as(home) is None
    with realm_scope(realm_a):
        assert not User.objects.get(pk=user_a.pk).has_usable_password()
        alert = Alert.objects.get()
        assert (alert.detector, alert.evidence["session_id"]) == ("denied_sign_in", None)
    with realm_scope(realm_b):
        assert User.objects.get(pk=user_b.pk).has_usable_password()
    assert RealmClient(realm_a).post(link, {"me": "no"}).status_code == 409


def test_a_held_sign_in_that_was_confirmed_is_asked_about_once(realm_a, user_a):
    change(realm_a, suspicious_sign_in="hold")
    known(realm_a)
    client = abroad(realm_a)
    sign_in(client)
    page = client.post("/signin/prove", {"way": "email", "send": "yes"})
    note = re.search(r'name="note" value="([^"]+)"', page.text)[1]
    code = re.search(r"\b\d{6}\b", mails(realm_a)[-1].text)[0]
    client.post("/signin/prove", {"way": "email", "note": note, "code": code})
    assert signed_in_as(client)
    (mail,) = [*told_of_held(realm_a), *asked(realm_a)]
    with realm_scope(realm_a):
        review = SignInReview.objects.get()
        assert (review.session_id, review.device_id) == (row(client).pk, row(client).device_id)
    assert "Thanks" in RealmClient(realm_a).post(path_of(mail.links[0]), {"me": "yes"}).text


def code_for(client):
    """Ask for the code that confirms a held sign-in."""
    page = client.post("/signin/prove", {"way": "email", "send": "yes"})
    note = re.search(r'name="note" value="([^"]+)"', page.text)[1]
    return {"way": "email", "note": note, "code": re.search(r"\b\d{6}\b", mails(client.realm)[-1].text)[0]}


@pytest.mark.parametrize("has_password", [True, False])
def test_se_05_not_me_ends_a_sign_in_that_waits_for_its_next_step(realm_a, user_a, has_password):
    change(realm_a, suspicious_sign_in="hold")
    known(realm_a)
    stranger = abroad(realm_a)
    sign_in(stranger)
    if not has_password:
        with realm_scope(realm_a):
            user = User.objects.get(pk=user_a.pk)
            user.set_unusable_password()
            user.save(update_fields=["password"])
        store = stranger.session
        store[BEGUN_KEY] = user.get_session_auth_hash()
        store.save()
    right = code_for(stranger)
    (mail,) = told_of_held(realm_a)
    RealmClient(realm_a).post(path_of(mail.links[0]), {"me": "no"})
    assert stranger.post("/signin/prove", right)["Location"].endswith("/signin")
    assert signed_in_as(stranger) is None
    assert stranger.get("/signin/prove")["Location"].endswith("/signin"), "not even on the way any more"


def test_a_held_sign_in_of_somebody_else_takes_up_no_question_about_another_one(realm_a, user_a):
    """Somebody was held and went away: who comes from elsewhere later, and passes, is asked about by himself.

    Else nothing would tell of him, and a yes to one's own sign-in would be a yes to his.
    """
    change(realm_a, suspicious_sign_in="hold")
    known(realm_a)
    sign_in(abroad(realm_a, PORTO))
    client = abroad(realm_a)
    sign_in(client)
    page = client.post("/signin/prove", {"way": "email", "send": "yes"})
    note = re.search(r'name="note" value="([^"]+)"', page.text)[1]
    code = re.search(r"\b\d{6}\b", mails(realm_a)[-1].text)[0]
    client.post("/signin/prove", {"way": "email", "note": note, "code": code})
    assert signed_in_as(client)
    (earlier, mail) = told_of_held(realm_a)
    assert asked(realm_a) == []
    assert PORTO in earlier.text
    assert BRAZIL in mail.text
    with realm_scope(realm_a):
        (first, second) = SignInReview.objects.order_by("id")
        assert (first.session_id, second.session_id) == (None, row(client).pk)


def test_rl_08_trying_on_from_ever_other_places_floods_nobody_with_questions(realm_a, user_a):
    change(realm_a, suspicious_sign_in="hold")
    known(realm_a)
    for last in (1, 1, 2, 3, 4, 5):
        sign_in(abroad(realm_a, f"200.147.3.{last}"))
    assert len(told_of_held(realm_a)) == 3


def test_a_held_sign_in_asks_for_the_factor_that_there_is_and_trusts_no_browser(realm_a, user_a):
    change(realm_a, suspicious_sign_in="hold", trusted_device_lifetime=86400)
    with realm_scope(realm_a):
        with_app(user_a)
    home = at_home(realm_a)
    sign_in(home)
    home.post("/signin/confirm", {"code": code_at(SECRET, clock.now()), "trust": "yes"})
    home.post("/signout")
    sign_in(home)
    assert signed_in_as(home), "trusted at home"
    home.post("/signout")
    home.defaults["REMOTE_ADDR"] = BRAZIL
    assert sign_in(home)["Location"].endswith("/signin/confirm"), "the same browser, sooner than anybody travels"
    assert signed_in_as(home) is None
    with clock.clock_at(clock.now() + timedelta(seconds=90)):
        home.post("/signin/confirm", {"code": code_at(SECRET, clock.now())})
    assert signed_in_as(home) == str(user_a.pk)


def test_who_has_nothing_that_could_confirm_is_not_let_in(realm_a, user_a):
    change(realm_a, suspicious_sign_in="hold", email_verification_required=False)
    known(realm_a)
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(email_verified_at=None)
    client = abroad(realm_a)
    sign_in(client)
    assert "We can’t let you in from here" in client.get("/signin/prove").text
    client.post("/signin/prove", {"way": "email", "send": "yes"})
    client.post("/signin/prove", {"way": "phone", "send": "yes"})
    assert signed_in_as(client) is None


def test_what_confirms_a_held_sign_in_is_no_factor_that_the_realm_demands(realm_a, user_a):
    known(realm_a)
    change(realm_a, suspicious_sign_in="hold", second_factor="required")
    client = abroad(realm_a)
    assert sign_in(client)["Location"].endswith("/signin/prove")
    page = client.post("/signin/prove", {"way": "email", "send": "yes"})
    note = re.search(r'name="note" value="([^"]+)"', page.text)[1]
    code = re.search(r"\b\d{6}\b", mails(realm_a)[-1].text)[0]
    client.post("/signin/prove", {"way": "email", "note": note, "code": code})
    assert signed_in_as(client) is None
    assert client.get("/signin/confirm")["Location"].endswith("/signin/add")


@pytest.mark.parametrize("setting", ["off", "notify"])
def test_without_hold_nobody_waits(realm_a, user_a, setting):
    change(realm_a, suspicious_sign_in=setting)
    known(realm_a)
    client = abroad(realm_a)
    sign_in(client)
    assert signed_in_as(client) == str(user_a.pk)


@pytest.mark.parametrize(
    "broken",
    ["identity.signin.devices.recognized", "identity.signin.recognition.judge", "identity.kernel.places._place"],
)
@pytest.mark.parametrize("setting", ["notify", "hold"])
def test_lg_02_when_risk_cannot_be_judged_nobody_gets_in(realm_a, user_a, monkeypatch, broken, setting):
    change(realm_a, suspicious_sign_in=setting)
    known(realm_a)

    def fails(*args, **kwargs):
        raise RuntimeError("of a test")

    monkeypatch.setattr(broken, fails)
    client = abroad(realm_a)
    client.raise_request_exception = False
    assert sign_in(client).status_code == 500
    assert signed_in_as(client) is None
