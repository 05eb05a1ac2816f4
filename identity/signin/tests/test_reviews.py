"""A sign-in that is unlike the person: asked about by mail and in the account."""

from datetime import timedelta

import pytest

from conftest import make_user
from identity.accounts.models import User
from identity.courier.testing import path_of
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.crypto import keyed_hash
from identity.mfa.tests.conftest import change
from identity.security.models import SignInReview
from identity.sessions.models import Device, DeviceStatus, Session
from identity.sessions.testing import RealmClient
from identity.signin import devices
from identity.signin.tests.conftest import sign_in
from identity.signin.tests.strangers import BERLIN, BRAZIL, abroad, asked, at_home, known, link_of

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


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
