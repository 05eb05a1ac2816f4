"""A person's devices and questions in the console, and forgetting a device; the alert of a denied sign-in."""

import pytest

from conftest import make_user
from identity.audit.models import AuditEvent
from identity.courier.testing import mails, path_of
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.security.models import Alert
from identity.sessions.models import Device, Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import sign_in
from identity.signin.tests.strangers import abroad, asked, known

pytestmark = pytest.mark.django_db


def url(user, act=""):
    return f"/console/users/{public_id('user', user.pk)}{act}"


@pytest.fixture
def device(realm_a, user_a):
    known(realm_a)
    with realm_scope(realm_a):
        return Device.objects.get()


def forget(user, device):
    return url(user, f"/devices/{device.pk}/forget")


def test_the_page_shows_devices_and_what_the_person_was_asked(as_owner, realm_a, user_a, device):
    sign_in(abroad(realm_a))
    text = as_owner.get(url(user_a)).text
    for words in ("Firefox on macOS", "Germany", "Chrome on Windows", "Brazil", "no answer yet", "New country"):
        assert words.casefold() in text.casefold()
    assert f"/devices/{device.pk}/forget" in text


def test_who_sees_no_sessions_sees_no_devices(realm_a, user_a, device):
    auditor = make_user(realm_a, "auditor@example.com", role="Auditor")
    client = RealmClient(realm_a).sign_in(auditor)
    sees = client.get("/console/sessions").status_code == 200
    assert ("Firefox on macOS" in client.get(url(user_a)).text) is sees


def test_forgetting_asks_with_what_it_ends_and_does_it(as_owner, realm_a, user_a, device):
    text = as_owner.get(forget(user_a, device)).text
    assert "Forget Firefox on macOS of Dana Okafor?" in text
    assert "Ends 1 session" in text
    assert as_owner.post(forget(user_a, device)).status_code == 302
    with realm_scope(realm_a):
        assert not Device.objects.filter(pk=device.pk).exists()
        assert not Session.objects.filter(user=user_a, status="active").exists()
    said = AuditEvent.objects.get(realm_id=realm_a.pk, type="device.forgotten")
    assert (said.target_id, said.payload["sessions_ended"]) == (user_a.pk, 1)
    assert as_owner.post(forget(user_a, device)).status_code == 404


def test_forgetting_is_refused_without_the_permission_and_over_a_higher_rank(realm_a, owner_a, user_a, device):
    auditor = RealmClient(realm_a).sign_in(make_user(realm_a, "auditor@example.com", role="Auditor"))
    assert auditor.post(forget(user_a, device)).status_code == 403
    help_desk = RealmClient(realm_a).sign_in(make_user(realm_a, "help@example.com", role="Help desk"))
    sign_in(RealmClient(realm_a), owner_a.email)
    with realm_scope(realm_a):
        owners = Device.objects.get(user=owner_a)
    assert help_desk.post(forget(owner_a, owners)).status_code == 403
    assert help_desk.post(forget(user_a, device)).status_code == 302
    with realm_scope(realm_a):
        assert Device.objects.get() == owners


def test_ti_02_another_realms_device_and_another_persons_are_not_there(as_owner, realm_a, realm_b, user_b, device):
    known(realm_b)
    with realm_scope(realm_b):
        there = Device.objects.get()
    eve = make_user(realm_a, "eve@example.com")
    for path in (forget(user_b, there), forget(eve, device), forget(eve, there)):
        assert as_owner.get(path).status_code == 404
        assert as_owner.post(path).status_code == 404
    with realm_scope(realm_b):
        assert Device.objects.exists()
    with realm_scope(realm_a):
        assert Device.objects.filter(pk=device.pk).exists()


def test_the_alert_of_a_denied_sign_in_shows_its_evidence(as_owner, realm_a, user_a, device):
    stranger = abroad(realm_a)
    sign_in(stranger)
    stranger.post("/account/factors/codes")
    RealmClient(realm_a).post(path_of(asked(realm_a)[-1].links[0]), {"me": "no"})
    assert mails(realm_a)
    with realm_scope(realm_a):
        alert = Alert.objects.get()
    text = as_owner.get(f"/console/security/{public_id('alert', alert.pk)}").text
    for words in ("Sign-in that was not the person", "200.147.3.1", "Brazil", "Chrome on Windows", "password is void"):
        assert words in text
    assert "signin.succeeded" in text
    assert "2 sessions ended" in text
    page = as_owner.get("/console/security").text
    assert "Dana Okafor · new device" in page


def test_the_person_forgets_and_sees_devices_in_the_account(realm_a, user_a, device):
    client = known(realm_a)
    text = client.get("/account/devices").text
    assert "Devices we know" in text
    assert "Germany" in text
    assert client.post(f"/account/devices/known/{device.pk}/forget").status_code == 302
    with realm_scope(realm_a):
        assert not Device.objects.filter(pk=device.pk).exists()


def test_ti_02_nobody_forgets_another_persons_device(realm_a, realm_b, user_b, device):
    eve = RealmClient(realm_a).sign_in(make_user(realm_a, "eve@example.com"))
    twin = RealmClient(realm_b).sign_in(user_b)
    for client in (eve, twin):
        assert client.post(f"/account/devices/known/{device.pk}/forget").status_code == 404
    with realm_scope(realm_a):
        assert Device.objects.filter(pk=device.pk).exists()
