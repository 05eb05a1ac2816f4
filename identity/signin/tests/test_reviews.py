"""A sign-in that is unlike the person: asked about by mail and in the account, contained at once, held if wanted."""

import re
from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import SESSION_KEY

from conftest import make_user
from identity.accounts.commands import confirm_email, request_email_change
from identity.accounts.models import User
from identity.audit.models import AuditEvent
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.crypto import keyed_hash
from identity.mfa import queries
from identity.mfa.testing import code_at
from identity.mfa.tests.test_commands import SECRET, change, with_app
from identity.security.models import Alert, SignInReview
from identity.sessions.models import Device, DeviceStatus, Session
from identity.sessions.testing import RealmClient
from identity.signin import devices
from identity.signin.stages import BEGUN_KEY
from identity.signin.tests.conftest import PASSWORD, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:130.0) Gecko/20100101 Firefox/130.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/130.0.0.0 Safari/537.36"
BERLIN, PORTO, BRAZIL = "193.99.144.80", "194.65.1.1", "200.147.3.1"


def at_home(realm):
    return RealmClient(realm, REMOTE_ADDR=BERLIN, HTTP_USER_AGENT=FIREFOX)


def abroad(realm, ip=BRAZIL):
    return RealmClient(realm, REMOTE_ADDR=ip, HTTP_USER_AGENT=CHROME)


def signed_in_as(client):
    return client.session.get(SESSION_KEY)


def row(client):
    store = client.session
    store.get("x")
    return store.row


def known(realm, user=None, login="dana@example.com"):
    """The person is known at home, for a month."""
    client = at_home(realm)
    with clock.clock_at(clock.now() - timedelta(days=30)):
        sign_in(client, login)
        client.post("/signout")
    sign_in(client, login)
    assert signed_in_as(client)
    return client


def asked(realm):
    return [mail for mail in mails(realm) if mail.subject.startswith("New sign-in")]


def link_of(realm):
    return path_of(asked(realm)[-1].links[0])


def types(realm):
    return list(AuditEvent.objects.filter(realm_id=realm.pk).order_by("id").values_list("type", flat=True))


# --- devices ---


def test_a_sign_in_notes_its_device_under_a_keyed_hash_and_the_session_knows_it(realm_a, user_a):
    client = at_home(realm_a)
    sign_in(client)
    with realm_scope(realm_a):
        device = Device.objects.get()
        session = Session.objects.get(user=user_a)
    assert (device.status, device.country, device.ip) == (DeviceStatus.KNOWN, "DE", BERLIN)
    assert (session.device_id, session.country) == (device.pk, "DE")
    request = client.get("/account/").wsgi_request
    cookie = devices.known_devices(request, realm_a)[user_a.pk]
    assert bytes(device.key_hash) == keyed_hash("device", realm_a.pk, cookie)


def test_the_same_browser_is_the_same_device_and_nobody_is_asked(realm_a, user_a):
    known(realm_a)
    with realm_scope(realm_a):
        device = Device.objects.get()
        assert device.last_seen_at - device.first_seen_at > timedelta(days=29)
        assert not SignInReview.objects.exists()
    assert asked(realm_a) == []


def test_a_known_device_costs_two_statements(realm_a, user_a, django_assert_max_num_queries):
    client = known(realm_a)
    client.post("/signout")
    with django_assert_max_num_queries(60) as captured:
        sign_in(client)
    touching = [query["sql"] for query in captured.captured_queries if "identity_device" in query["sql"]]
    assert len(touching) == 2, touching


def test_a_copied_cookie_is_no_known_device_elsewhere(realm_a, user_a):
    home = known(realm_a)
    thief = abroad(realm_a)
    thief.cookies = home.cookies.copy()
    thief.post("/signout")
    sign_in(thief)
    assert len(asked(realm_a)) == 1
    with realm_scope(realm_a):
        assert Device.objects.count() == 2


# --- the question ---


def test_a_new_device_is_told_with_what_is_known_of_it(realm_a, user_a):
    known(realm_a)
    client = abroad(realm_a)
    sign_in(client)
    (mail,) = asked(realm_a)
    assert mail.to == "dana@example.com"
    for words in ("Chrome on Windows", "not seen before", "Brazil", BRAZIL):
        assert words in mail.text
    page = RealmClient(realm_a).get(path_of(mail.links[0]))
    for words in ("Chrome on Windows", "Brazil", BRAZIL, "No, secure it", "Yes, it was me"):
        assert words in page.text
    with realm_scope(realm_a):
        review = SignInReview.objects.get()
        assert review.reasons == ["new_device", "new_country", "impossible_travel"]
        assert Device.objects.get(status=DeviceStatus.NEW).pk == review.device_id


def test_the_link_works_by_its_buttons_alone_and_once(realm_a, user_a):
    known(realm_a)
    sign_in(abroad(realm_a))
    link = link_of(realm_a)
    anyone = RealmClient(realm_a)
    for _each in range(3):
        assert "Nothing happens until you choose" in anyone.get(link).text
    assert anyone.post(link, {}).status_code == 422
    with realm_scope(realm_a):
        assert SignInReview.objects.get().status == "open"
    assert "Thanks, that’s all" in anyone.post(link, {"me": "yes"}).text
    with realm_scope(realm_a):
        assert SignInReview.objects.get().status == "confirmed"
        assert set(Device.objects.values_list("status", flat=True)) == {DeviceStatus.KNOWN}
    again = anyone.post(link, {"me": "no"})
    assert again.status_code == 409
    with realm_scope(realm_a):
        assert SignInReview.objects.get().status == "confirmed"
        assert Session.objects.filter(user=user_a, status="active").count() == 2
    assert "answered" in anyone.get(link).text


def test_the_link_says_nothing_in_another_realm_nor_forged_nor_late(realm_a, user_a, realm_b, user_b):
    known(realm_a)
    known(realm_b)
    sign_in(abroad(realm_a))
    link = link_of(realm_a)
    other = RealmClient(realm_b)
    there = link.replace("/realms/a/", "/realms/b/")
    assert other.post(there, {"me": "no"}).status_code == 404
    assert other.get(there).status_code == 404
    assert RealmClient(realm_a).post(f"{link}x", {"me": "no"}).status_code == 404
    with clock.clock_at(clock.now() + timedelta(days=7, minutes=1)):
        assert RealmClient(realm_a).post(link, {"me": "no"}).status_code == 409
    with realm_scope(realm_a):
        assert SignInReview.objects.get().status == "open"
    with realm_scope(realm_b):
        assert Session.objects.filter(user=user_b, status="active").exists()


def test_about_one_device_the_person_is_asked_once(realm_a, user_a):
    known(realm_a)
    client = abroad(realm_a)
    for _each in range(3):
        sign_in(client)
        client.post("/signout")
    assert len(asked(realm_a)) == 1


def test_an_address_that_nobody_confirmed_gets_no_link(realm_a, user_a):
    change(realm_a, email_verification_required=False)
    known(realm_a)
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(email_verified_at=None)
    sign_in(abroad(realm_a))
    assert asked(realm_a) == []
    with realm_scope(realm_a):
        assert SignInReview.objects.count() == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"new_device_notice": False, "impossible_travel_notice": False, "suspicious_sign_in": "off"}, False),
        ({"new_device_notice": False, "impossible_travel_notice": False, "suspicious_sign_in": "notify"}, True),
        ({"new_device_notice": True, "impossible_travel_notice": False, "suspicious_sign_in": "off"}, True),
        ({"new_device_notice": False, "impossible_travel_notice": True, "suspicious_sign_in": "off"}, True),
    ],
)
def test_the_realm_says_what_its_people_are_told(realm_a, user_a, settings, told):
    change(realm_a, **settings)
    known(realm_a)
    sign_in(abroad(realm_a))
    assert bool(asked(realm_a)) is told


# --- "it was not me" ---


def test_se_05_lg_20_not_me_contains_at_once_what_the_stranger_did(realm_a, user_a, realm_b, user_b):
    change(realm_a, trusted_device_lifetime=86400)
    home = known(realm_a)
    twin = known(realm_b)
    with realm_scope(realm_a):
        own = with_app(user_a)
    stranger = abroad(realm_a)
    sign_in(stranger)
    stranger.post("/signin/confirm", {"code": code_at(SECRET, clock.now()), "trust": "yes"})
    assert signed_in_as(stranger)
    bad = row(stranger)
    link = link_of(realm_a)
    stranger.post("/account/factors/add/email", {"to": "thief@example.net"})
    code = re.search(r"\b\d{6}\b", next(m.text for m in mails(realm_a) if m.to == "thief@example.net"))
    stranger.post("/account/factors/add/email", {"code": code[0]})
    codes = stranger.post("/account/factors/codes")
    assert codes.status_code == 200
    with realm_scope(realm_a):
        assert {factor.kind for factor in queries.factors_of(user_a.pk)} == {"totp", "email", "recovery_codes"}
    page = RealmClient(realm_a).post(link, {"me": "no"})
    assert "Your account is secured" in page.text
    assert signed_in_as(stranger) is None
    assert signed_in_as(home) is None
    assert signed_in_as(twin), "the same person of another realm is not touched"
    with realm_scope(realm_a):
        user = User.objects.get(pk=user_a.pk)
        assert not user.has_usable_password()
        assert user.password_change_required == "contained"
        assert [factor.id for factor in queries.factors_of(user.pk)] == [own.id]
        device = Device.objects.get(pk=bad.device_id)
        assert (device.status, device.trusted_until) == (DeviceStatus.DENIED, None)
        assert not Device.objects.exclude(trusted_until=None).exists()
        review = SignInReview.objects.get()
        assert review.status == "denied"
        assert review.outcome["sessions_ended"] == 2
        alert = Alert.objects.get()
        assert (alert.detector, alert.user_id, alert.severity) == ("denied_sign_in", user.pk, "high")
        assert alert.evidence["country"] == "BR"
        assert alert.evidence["session_id"] == str(bad.pk)
    assert "review.denied" in types(realm_a)
    assert "alert.raised" in types(realm_a)
    with realm_scope(realm_b):
        assert User.objects.get(pk=user_b.pk).has_usable_password()
        assert not Alert.objects.exists()
    subjects = [mail.subject for mail in mails(realm_a) if mail.to == "dana@example.com"]
    assert "Your Realm A account is secured" in subjects
    assert "Choose a new password for Realm A" in subjects


def test_after_not_me_neither_password_lets_in_before_it_is_chosen_anew_by_mail(realm_a, user_a):
    known(realm_a)
    sign_in(abroad(realm_a))
    page = RealmClient(realm_a).post(link_of(realm_a), {"me": "no"})
    assert "/password/reset/" not in re.sub(r"password/reset\"", "", page.text), "the page itself opens nothing"
    client = at_home(realm_a)
    sign_in(client)
    assert signed_in_as(client) is None
    reset = next(m for m in mails(realm_a) if m.subject.startswith("Choose a new password"))
    client.post(path_of(reset.links[0]), {"password1": "another good phrase"})
    sign_in(client, password="another good phrase")
    assert signed_in_as(client)


def test_not_me_in_a_signed_in_browser_ends_its_own_session_too(realm_a, user_a):
    home = known(realm_a)
    sign_in(abroad(realm_a))
    assert home.post(link_of(realm_a), {"me": "no"}).status_code == 200
    assert home.get("/account/").status_code == 302


def test_lg_11_an_address_that_the_stranger_changed_is_back_before_the_way_in_is_mailed(realm_a, user_a):
    known(realm_a)
    stranger = abroad(realm_a)
    sign_in(stranger)
    link = link_of(realm_a)
    request = stranger.get("/account/").wsgi_request
    with realm_scope(realm_a):
        request_email_change(request.actor, user_id=user_a.pk, email="thief@example.net")
        confirm_email(request.actor, user_id=user_a.pk, email="thief@example.net")
    before = len(mails(realm_a))
    assert "Your old email is back" in RealmClient(realm_a).post(link, {"me": "no"}).text
    with realm_scope(realm_a):
        assert User.objects.get(pk=user_a.pk).email == "dana@example.com"
    assert {mail.to for mail in mails(realm_a)[before:]} == {"dana@example.com"}


@pytest.mark.parametrize("former", ["+493012345678", None])
def test_lg_11_a_number_that_the_stranger_changed_or_added_is_as_before(realm_a, user_a, former):
    proven = clock.now() if former else None
    User.all_realms.filter(pk=user_a.pk).update(phone=former, phone_verified_at=proven)
    change(realm_a, sms_code_sign_in=True)
    known(realm_a)
    stranger = abroad(realm_a)
    sign_in(stranger)
    link = link_of(realm_a)
    stranger.post("/account/phone", {"phone": "+493087654321"})
    code = re.search(r"\b\d{6}\b", next(m.text for m in mails(realm_a) if m.to == "+493087654321"))
    stranger.post("/account/phone", {"code": code[0]})
    assert User.all_realms.get(pk=user_a.pk).phone == "+493087654321"
    assert "Your phone number is as before" in RealmClient(realm_a).post(link, {"me": "no"}).text
    user = User.all_realms.get(pk=user_a.pk)
    assert (user.phone, user.phone_verified_at is not None) == (former, former is not None)


def test_lg_11_a_number_that_somebody_else_has_by_now_does_not_come_back(realm_a, user_a):
    User.all_realms.filter(pk=user_a.pk).update(phone="+493012345678", phone_verified_at=clock.now())
    known(realm_a)
    stranger = abroad(realm_a)
    sign_in(stranger)
    link = link_of(realm_a)
    stranger.post("/account/phone", {"action_remove": ""})
    make_user(realm_a, "kim@example.com", phone="+493012345678")
    page = RealmClient(realm_a).post(link, {"me": "no"}).text
    assert ("Your account is secured" in page, "Your phone number is as before" in page) == (True, False)
    assert User.all_realms.get(pk=user_a.pk).phone is None


def test_lg_11_not_me_ends_the_ways_back_that_the_stranger_got(realm_a, user_a):
    User.all_realms.filter(pk=user_a.pk).update(phone="+493012345678", phone_verified_at=clock.now())
    change(realm_a, sms_code_sign_in=True)
    known(realm_a)
    stranger = abroad(realm_a)
    sign_in(stranger)
    link = link_of(realm_a)
    for number in ("+493087654321", "+493055555555"):
        stranger.post("/account/phone", {"phone": number})
        code = re.search(r"\b\d{6}\b", next(m.text for m in reversed(mails(realm_a)) if m.to == number))
        stranger.post("/account/phone", {"code": code[0]})
    told = next(m.text for m in reversed(mails(realm_a)) if m.to == "+493087654321")
    RealmClient(realm_a).post(link, {"me": "no"})
    assert User.all_realms.get(pk=user_a.pk).phone == "+493012345678"
    RealmClient(realm_a).post(path_of(re.search(r"https?://\S+/phone/revert/\S+", told)[0]))
    assert User.all_realms.get(pk=user_a.pk).phone == "+493012345678"


def test_what_was_added_on_a_known_device_meanwhile_stays(realm_a, user_a):
    home = known(realm_a)
    sign_in(abroad(realm_a))
    link = link_of(realm_a)
    request = home.get("/account/").wsgi_request
    home.post("/account/factors/add/email", {"to": "dana@work.example"})
    code = re.search(r"\b\d{6}\b", next(m.text for m in mails(realm_a) if m.to == "dana@work.example"))
    home.post("/account/factors/add/email", {"code": code[0]})
    assert request.user.pk == user_a.pk
    RealmClient(realm_a).post(link, {"me": "no"})
    with realm_scope(realm_a):
        assert [factor.kind for factor in queries.factors_of(user_a.pk)] == ["email"]


def test_a_denied_device_is_never_known_again(realm_a, user_a):
    known(realm_a)
    stranger = abroad(realm_a)
    sign_in(stranger)
    RealmClient(realm_a).post(link_of(realm_a), {"me": "no"})
    reset = next(m for m in mails(realm_a) if m.subject.startswith("Choose a new password"))
    RealmClient(realm_a).post(path_of(reset.links[0]), {"password1": "another good phrase"})
    for _each in range(2):
        sign_in(stranger, password="another good phrase")
        stranger.post("/signout")
    with realm_scope(realm_a):
        assert Device.objects.filter(status=DeviceStatus.DENIED).count() == 1
        reviews = SignInReview.objects.filter(status="open")
        assert [review.reasons for review in reviews] == [["denied_device"]]


# --- in the account ---


def test_on_a_known_device_the_person_answers_in_the_account(realm_a, user_a):
    home = known(realm_a)
    sign_in(abroad(realm_a))
    with realm_scope(realm_a):
        review = SignInReview.objects.get()
    path = f"/account/reviews/{review.pk}"
    assert "Was this you?" in home.get(path).text
    assert "Thanks, that’s all" in home.post(path, {"me": "yes"}).text
    with realm_scope(realm_a):
        assert SignInReview.objects.get().status == "confirmed"


def test_nobody_answers_for_himself_for_others_or_from_another_realm(realm_a, user_a, realm_b, user_b):
    known(realm_a)
    stranger = abroad(realm_a)
    sign_in(stranger)
    with realm_scope(realm_a):
        review = SignInReview.objects.get()
        make_user(realm_a, "eve@example.com")
    path = f"/account/reviews/{review.pk}"
    second = abroad(realm_a)
    second.cookies = stranger.cookies.copy()
    eve, twin = RealmClient(realm_a), known(realm_b)
    sign_in(eve, "eve@example.com")
    for client in (stranger, second, eve, twin):
        for answer in ("yes", "no"):
            assert client.post(path, {"me": answer}).status_code == 404
    assert RealmClient(realm_a).get(path).status_code == 302
    with realm_scope(realm_a):
        assert SignInReview.objects.get().status == "open"


# --- held ---


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


def test_links_to_accounts_elsewhere_of_before_stay(realm_a, user_a):
    with realm_scope(realm_a):
        SocialAccount.objects.create(user=user_a, provider=f"{realm_a.pk}~corp", uid="1")
    known(realm_a)
    sign_in(abroad(realm_a))
    RealmClient(realm_a).post(link_of(realm_a), {"me": "no"})
    with realm_scope(realm_a):
        assert SocialAccount.objects.filter(user=user_a).count() == 1
        assert PASSWORD
