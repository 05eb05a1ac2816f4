"""“It was not me”: what a stranger did is contained at once, and taken back."""

import re

import pytest
from allauth.socialaccount.models import SocialAccount

from conftest import make_user
from identity.accounts.commands import confirm_email, request_email_change
from identity.accounts.models import User
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.mfa import queries
from identity.mfa.testing import code_at
from identity.mfa.tests.conftest import SECRET, change, with_app
from identity.security.models import Alert, SignInReview
from identity.sessions.models import Device, DeviceStatus
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import PASSWORD, sign_in
from identity.signin.tests.strangers import (
    abroad,
    at_home,
    known,
    link_of,
    row,
    signed_in_as,
    types,
)

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


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


def test_links_to_accounts_elsewhere_of_before_stay(realm_a, user_a):
    with realm_scope(realm_a):
        SocialAccount.objects.create(user=user_a, provider=f"{realm_a.pk}~corp", uid="1")
    known(realm_a)
    sign_in(abroad(realm_a))
    RealmClient(realm_a).post(link_of(realm_a), {"me": "no"})
    with realm_scope(realm_a):
        assert SocialAccount.objects.filter(user=user_a).count() == 1
        assert PASSWORD
