"""Account pages: who sees them, what they show, what their forms do."""

import html
import re
from datetime import timedelta

import pytest
from django.core.cache import cache

from conftest import actor_of, make_application
from identity.accounts.commands import disable_user
from identity.audit.models import AuditEvent
from identity.consent.commands import grant_consent, withdraw_consent
from identity.consent.models import Consent
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.mfa.tests.conftest import change
from identity.sessions.models import Session, SessionStatus
from identity.sessions.testing import RealmClient

PAGES = ["", "details", "security", "devices", "apps", "activity"]
FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:130.0) Gecko/20100101 Firefox/130.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/130.0.0.0 Safari/537.36"


def on_device(realm, user, agent):
    """A client that signed in with this user agent."""
    client = RealmClient(realm).sign_in(user)
    with realm_scope(realm):
        Session.objects.filter(pk=Session.objects.filter(user=user).latest("id").pk).update(user_agent=agent)
    return client


@pytest.fixture
def dana(realm_a, user_a):
    """Dana in Firefox."""
    return on_device(realm_a, user_a, FIREFOX)


def text_of(response):
    """What can be read on a page."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def sessions_of(realm, user):
    """Session → status, oldest first."""
    with realm_scope(realm):
        return dict(Session.objects.filter(user=user).order_by("id").values_list("pk", "status"))


def consent_of(realm, user, scopes=("openid", "email"), offline=False, **application):
    """A consent of `user` for a new application."""
    app, _ = make_application(realm, **application)
    with realm_scope(realm):
        return grant_consent(
            actor_of(user), application_id=app.pk, scopes=list(scopes), asked=list(scopes), offline=offline
        )


def events(type_):
    """The events of one type, oldest first."""
    return list(AuditEvent.objects.filter(type=type_).order_by("id"))


# --- who sees what --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_a_signed_in_person_sees_each_page(dana, name):
    response = dana.get(f"/account/{name}")
    assert response.status_code == 200
    assert "Dana Okafor, menu and sign out" in text_of(response)
    assert response["Cache-Control"] == "no-store"
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("name", PAGES)
def test_nobody_else_does(realm_a, name):
    response = RealmClient(realm_a).get(f"/account/{name}")
    assert response.status_code == 302
    assert response["Location"] == f"/realms/a/signin?next=/realms/a/account/{name}"


@pytest.mark.parametrize("name", PAGES)
def test_ti_01_a_session_of_another_realm_is_nobody_here(realm_a, realm_b, user_b, name):
    client = RealmClient(realm_b).sign_in(user_b)
    assert client.get(f"/account/{name}").status_code == 200
    response = client.get(f"/realms/a/account/{name}")
    assert response.status_code == 302
    assert response["Location"].startswith("/realms/a/signin?")


@pytest.mark.parametrize("name", PAGES)
def test_se_05_a_disabled_person_is_out_at_the_next_request(dana, realm_a, user_a, name):
    with realm_scope(realm_a):
        disable_user(system_actor(realm_a.pk), user_id=user_a.pk, reason="left")
    assert dana.get(f"/account/{name}").status_code == 302


@pytest.mark.parametrize("path", ["devices/others/end", "devices/ses_x/end", "apps/cns_x/withdraw", "language"])
def test_nothing_is_written_by_following_a_link(dana, path):
    assert dana.get(f"/account/{path}").status_code == 405


@pytest.mark.parametrize("path", ["devices/others/end", "details", "language"])
def test_forms_need_the_realms_token(realm_a, user_a, path):
    client = RealmClient(realm_a, enforce_csrf_checks=True).sign_in(user_a)
    assert client.post(f"/account/{path}").status_code == 403


def test_no_page_has_inline_script_or_style(dana, realm_a, user_a):
    consent = consent_of(realm_a, user_a)
    for name in [*PAGES, f"apps/{public_id('consent', consent.pk)}"]:
        text = dana.get(f"/account/{name}").content.decode()
        assert "<style" not in text
        assert " style=" not in text
        assert not re.search(r"\son\w+=", text)
        assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", text))


# --- details --------------------------------------------------------------------------------------------------------


def test_details_are_saved_and_told(dana, realm_a, user_a):
    fields = {"name": "Dana O.", "given_name": "Dana", "family_name": "Okafor", "language": "en",
              "time_zone": "Europe/London"}  # fmt: skip
    response = dana.post("/account/details", fields, follow=True)
    assert "Your details are saved." in text_of(response)
    with realm_scope(realm_a):
        user_a.refresh_from_db()
    assert (user_a.name, user_a.language, user_a.time_zone) == ("Dana O.", "en", "Europe/London")
    [event] = events("user.profile_changed")
    assert (event.actor_id, event.target_id) == (user_a.pk, user_a.pk)


def test_lg_10_details_change_nothing_but_the_details(dana, realm_a, user_a):
    dana.post("/account/details", {"name": "Dana", "email": "x@example.com", "status": "disabled", "is_superuser": "1"})
    with realm_scope(realm_a):
        user_a.refresh_from_db()
    assert (user_a.name, user_a.email, user_a.status) == ("Dana", "dana@example.com", "active")


def test_a_wrong_detail_is_said_at_its_field(dana):
    response = dana.post("/account/details", {"name": "Dana", "time_zone": "Mars/Olympus"})
    assert response.status_code == 422
    text = response.content.decode()
    assert "<title>Error: Details" in re.sub(r"\s+", " ", text)
    assert 'id="id_time_zone_error"' in text
    assert 'aria-invalid="true"' in text


# --- devices ----------------------------------------------------------------------------------------------------------


def test_devices_are_named_and_this_one_is_marked(dana, realm_a, user_a):
    on_device(realm_a, user_a, CHROME)
    text = text_of(dana.get("/account/devices"))
    assert "This device Firefox on macOS" in text
    assert "Chrome on Windows" in text
    assert "You’re here" in text


def test_a_device_is_signed_out_and_its_page_stops_working(dana, realm_a, user_a):
    other = on_device(realm_a, user_a, CHROME)
    mine, its = sessions_of(realm_a, user_a)
    response = dana.post(f"/account/devices/{public_id('session', its)}/end", follow=True)
    assert "That device is signed out." in text_of(response)
    assert sessions_of(realm_a, user_a) == {mine: SessionStatus.ACTIVE, its: SessionStatus.ENDED}
    assert other.get("/account/").status_code == 302
    [event] = events("session.ended")
    assert (event.actor_id, event.target_id, event.payload["reason"]) == (user_a.pk, its, "ended_by_person")


def test_all_other_devices_are_signed_out_at_once(dana, realm_a, user_a):
    for _ in range(2):
        on_device(realm_a, user_a, CHROME)
    response = dana.post("/account/devices/others/end", follow=True)
    assert "2 other devices are signed out." in text_of(response)
    assert sorted(sessions_of(realm_a, user_a).values()) == ["active", "ended", "ended"]
    assert dana.get("/account/").status_code == 200


def test_ti_02_anothers_device_is_not_there(dana, realm_a, realm_b, owner_a, user_b):
    RealmClient(realm_a).sign_in(owner_a)
    RealmClient(realm_b).sign_in(user_b)
    for realm, user in ((realm_a, owner_a), (realm_b, user_b)):
        [session] = sessions_of(realm, user)
        assert dana.post(f"/account/devices/{public_id('session', session)}/end").status_code == 404
        assert sessions_of(realm, user) == {session: SessionStatus.ACTIVE}
    for wrong in ("ses_x", "nothing"):
        assert dana.post(f"/account/devices/{wrong}/end").status_code == 404


# --- connected applications -------------------------------------------------------------------------------------------


def test_a_connected_application_shows_what_it_gets(dana, realm_a, user_a):
    consent = consent_of(realm_a, user_a, name="Tallybook")
    assert "Tallybook Your email address Only while you’re signed in" in text_of(dana.get("/account/apps"))
    text = text_of(dana.get(f"/account/apps/{public_id('consent', consent.pk)}"))
    assert "Gets dana@example.com" in text
    assert "Withdraw access" in text


def test_access_is_withdrawn_and_gone_from_the_list(dana, realm_a, user_a):
    consent = consent_of(realm_a, user_a, name="Tallybook", offline=True)
    path = f"/account/apps/{public_id('consent', consent.pk)}"
    response = dana.post(f"{path}/withdraw", follow=True)
    assert "Tallybook can’t see your data any more." in text_of(response)
    with realm_scope(realm_a):
        consent.refresh_from_db()
    assert consent.withdrawn_by == user_a.pk
    [event] = events("consent.withdrawn")
    assert (event.actor_id, event.target_id) == (user_a.pk, user_a.pk)
    assert dana.get(path).status_code == 404
    assert dana.post(f"{path}/withdraw").status_code == 404


def test_ti_02_anothers_consent_is_not_there(dana, realm_a, realm_b, owner_a, user_b):
    for realm, user in ((realm_a, owner_a), (realm_b, user_b)):
        consent = consent_of(realm, user)
        path = f"/account/apps/{public_id('consent', consent.pk)}"
        assert dana.get(path).status_code == 404
        assert dana.post(f"{path}/withdraw").status_code == 404
        with realm_scope(realm):
            assert Consent.objects.get().withdrawn_at is None


def test_applications_of_the_realm_stand_apart(dana, realm_a, user_a):
    consent_of(realm_a, user_a, name="Orders", first_party=True)
    text = text_of(dana.get("/account/apps"))
    assert "Made by Realm A" in text
    assert "Made by others" not in text


def test_how_long_access_lasts_is_said(dana, realm_a, user_a):
    app, _ = make_application(realm_a)
    with realm_scope(realm_a):
        until = clock.now() + timedelta(days=30)
        grant_consent(
            actor_of(user_a),
            application_id=app.pk,
            scopes=["openid"],
            asked=["openid"],
            offline=True,
            offline_until=until,
        )
    text = text_of(dana.get("/account/apps"))
    assert f"Until {until.day} {until:%B %Y}" in text
    assert "Only that it is you" in text


# --- overview and activity --------------------------------------------------------------------------------------------


def test_the_overview_says_what_to_do_first(dana, realm_a, user_a):
    text = text_of(dana.get("/account/"))
    assert "One thing would make your account safer." in text
    assert "Add a second step" in text
    change(realm_a, second_factor="off")
    assert "Your account looks fine." in text_of(dana.get("/account/"))
    with realm_scope(realm_a):
        user_a.email_verified_at = None
        user_a.save(update_fields=["email_verified_at"])
    text = text_of(dana.get("/account/"))
    assert "One thing would make your account safer." in text
    assert "Confirm your email" in text


def test_a_new_device_is_asked_about(dana, realm_a, user_a):
    on_device(realm_a, user_a, CHROME)
    text = text_of(dana.get("/account/"))
    assert "Is this you on Chrome on Windows?" in text


def test_activity_says_you_only_for_what_the_person_did(dana, realm_a, user_a, owner_a):
    consent = consent_of(realm_a, user_a, name="Tallybook")
    with realm_scope(realm_a):
        withdraw_consent(actor_of(owner_a), consent_id=consent.pk)
    text = text_of(dana.get("/account/activity"))
    assert "You let Tallybook use some of your data." in text
    assert "An admin withdrew the access of Tallybook." in text
    assert "Olivia" not in text


def test_activity_goes_on_on_the_next_page(dana, realm_a, user_a, monkeypatch):
    monkeypatch.setattr("console.account.views.PAGE", 3)
    for number in range(5):
        dana.post("/account/details", {"name": f"Dana {number}"})
    first = dana.get("/account/activity")
    assert text_of(first).count("You changed your details.") == 3
    older = re.search(r'href="[^"]*(\?before=evt_[a-z2-7]+)"', first.content.decode())[1]
    second = dana.get(f"/account/activity{older}")
    assert text_of(second).count("You changed your details.") == 2
    assert "?before=" not in second.content.decode()


def test_the_overview_asks_the_database_a_fixed_number_of_times(dana, realm_a, user_a, django_assert_max_num_queries):
    for number in range(3):
        consent_of(realm_a, user_a, client_id=f"app-{number}")
        on_device(realm_a, user_a, CHROME)
    cache.clear()
    with django_assert_max_num_queries(16):
        dana.get("/account/")
