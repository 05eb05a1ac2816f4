"""Signing in with e-mail and password: who is let in, who is not, and what either leaves behind."""

import re
from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from conftest import make_user
from identity.accounts.commands import create_user, disable_user, lock_user
from identity.accounts.models import User
from identity.applications.models import Application
from identity.audit.reading import ReadableEvent
from identity.courier.testing import mails
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.naming import cookie_name
from identity.realms.commands import change_realm_settings, suspend_realm
from identity.realms.models import Realm
from identity.sessions.models import Session, SessionStatus
from identity.sessions.testing import RealmClient
from identity.signin.backend import RealmBackend
from identity.signin.tests.conftest import PASSWORD, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

Events = Callable[[Realm, str], list[ReadableEvent]]


def test_right_name_and_password_let_in(realm_a: Realm, user_a: User, events: Events) -> None:
    client = RealmClient(realm_a, HTTP_USER_AGENT="Firefox", REMOTE_ADDR="192.0.2.7")
    before = clock.now()
    response = sign_in(client, " DANA@Example.com ")
    assert (response.status_code, response["Location"]) == (302, "/realms/a/account/")
    with realm_scope(realm_a):
        session = Session.objects.get(user=user_a)
        user_a.refresh_from_db()
    assert (session.amr, session.acr, session.ip, session.user_agent) == (
        ["pwd"], "urn:realmkeep:acr:1", "192.0.2.7", "Firefox",
    )  # fmt: skip
    assert session.sid is not None
    assert session.authenticated_at >= before
    assert user_a.last_sign_in_at >= before
    (said,) = events(realm_a, "signin.succeeded")
    assert (said.row.actor_id, said.row.target_id, said.row.session_id) == (user_a.pk, user_a.pk, session.pk)
    assert said.row.payload == {
        "method": "password",
        "amr": ["pwd"],
        "new_device": True,
        "country": "",
        "reasons": [],
    }
    assert said.sentence() == "Dana Okafor signed in"
    assert client.get("/account/").status_code == 200


def test_ti_01_each_realm_lets_in_its_own_person(realm_a: Realm, user_a: User, realm_b: Realm, user_b: User) -> None:
    with realm_scope(realm_b):
        user_b.set_password("another good phrase")
        user_b.save(update_fields=["password"])
    client_b = RealmClient(realm_b)
    assert sign_in(client_b).status_code == 200
    assert sign_in(client_b, password="another good phrase").status_code == 302
    assert sign_in(RealmClient(realm_a), password="another good phrase").status_code == 200
    client = RealmClient(realm_a)
    sign_in(client)
    client.realm = realm_b
    assert client.get("/account/")["Location"].startswith("/realms/b/signin")


def test_se_01_one_browser_is_signed_in_to_two_realms_and_leaves_one(
    realm_a: Realm, user_a: User, realm_b: Realm, user_b: User
) -> None:
    client = RealmClient(realm_a)
    sign_in(client)
    client.realm = realm_b
    sign_in(client)
    assert {cookie_name("s", realm_a), cookie_name("s", realm_b)} <= set(client.cookies)
    client.post("/signout")
    assert client.get("/account/").status_code == 302
    client.realm = realm_a
    assert client.get("/account/").status_code == 200


# --- the same answer for every name


def shape(response: object) -> tuple[object, ...]:
    """What an outsider sees, without what he typed and the form's token."""
    body = response.content.decode()
    for noise in ("dana@example.com", "nobody@example.com", "off@example.com", "locked@example.com", "new@example.com"):
        body = body.replace(noise, "NAME")
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", body)
    return response.status_code, sorted(set(response.headers) - {"X-Request-ID"}), body


def test_lg_23_every_name_that_does_not_get_in_sees_the_same(realm_a: Realm, user_a: User, events: Events) -> None:
    system = system_actor(realm_a.pk)
    off = make_user(realm_a, "off@example.com")
    locked = make_user(realm_a, "locked@example.com")
    with realm_scope(realm_a):
        disable_user(system, user_id=off.pk)
        lock_user(system, user_id=locked.pk)
        create_user(system, email="new@example.com", email_verified=True)  # no password yet
    tries = {
        "dana@example.com": "wrong password", "nobody@example.com": PASSWORD, "off@example.com": PASSWORD,
        "locked@example.com": PASSWORD, "new@example.com": PASSWORD,
    }  # fmt: skip
    seen = {login: shape(sign_in(RealmClient(realm_a), login, password)) for login, password in tries.items()}
    assert len({str(answer) for answer in seen.values()}) == 1
    reasons = {said.personal["identifier"]: said.row.payload["reason"] for said in events(realm_a, "signin.failed")}
    assert reasons == {
        "dana@example.com": "wrong_password", "nobody@example.com": "unknown_name", "off@example.com": "disabled",
        "locked@example.com": "locked", "new@example.com": "no_password",
    }  # fmt: skip


def test_lg_23_every_name_costs_one_verification(realm_a: Realm, user_a: User) -> None:
    make_user(realm_a, "off@example.com")
    with realm_scope(realm_a):
        create_user(system_actor(realm_a.pk), email="new@example.com", email_verified=True)
    sign_in(RealmClient(realm_a), "warm@example.com", "up")
    for login, password in (
        ("dana@example.com", "wrong"), ("nobody@example.com", "wrong"), ("new@example.com", "wrong"),
        ("not an address", "wrong"), ("dana@example.com", "x" * 1000),
    ):  # fmt: skip
        with patch("identity.signin.hashing.Argon2idHasher.verify", autospec=True, return_value=False) as verify:
            sign_in(RealmClient(realm_a), login, password)
        assert verify.call_count == 1, login


def test_a_failed_sign_in_is_said_with_the_typed_name_sealed(realm_a: Realm, user_a: User, events: Events) -> None:
    sign_in(RealmClient(realm_a, REMOTE_ADDR="192.0.2.7"), password="wrong")
    (said,) = events(realm_a, "signin.failed")
    assert (said.row.actor_type, said.row.actor_id, said.row.target_id) == ("anonymous", None, user_a.pk)
    assert (said.row.outcome, said.row.payload) == ("failure", {"reason": "wrong_password", "method": "password"})
    assert "dana" not in str(said.row.payload)
    assert (said.ip, said.personal["identifier"]) == ("192.0.2.7", "dana@example.com")


@pytest.mark.parametrize(
    "login", ["\u0430dmin@example.com", "dana@example.com\0", "dana@exam\u200bple.com", "%", "' OR 1=1 --"]
)
def test_lg_25_look_alikes_and_odd_input_find_nobody(realm_a: Realm, user_a: User, login: str) -> None:
    response = sign_in(RealmClient(realm_a), login)
    assert response.status_code == 200
    assert response.context["form"].errors


@pytest.mark.parametrize(
    "password", [PASSWORD + " ", " " + PASSWORD, PASSWORD.upper(), PASSWORD[:-1], "\0" + PASSWORD, ""]
)
def test_lg_26_a_password_is_compared_exactly(realm_a: Realm, user_a: User, password: str) -> None:
    assert sign_in(RealmClient(realm_a), password=password).status_code == 200


@pytest.mark.parametrize("password", ["  leading and trailing  ", "🙂🙃🙂 smile and wave", "äöüß" * 25, "xyzw" * 64])
def test_lg_26_odd_passwords_work_to_the_last_letter(realm_a: Realm, password: str) -> None:
    with realm_scope(realm_a):
        create_user(system_actor(realm_a.pk), email="kim@example.com", password=password, email_verified=True)
    assert sign_in(RealmClient(realm_a), "kim@example.com", password[:-1]).status_code == 200
    assert sign_in(RealmClient(realm_a), "kim@example.com", password).status_code == 302


def test_lg_26_a_megabyte_is_refused_before_hashing(realm_a: Realm, user_a: User) -> None:
    with patch("identity.signin.hashing.Argon2idHasher.verify", autospec=True) as verify:
        assert sign_in(RealmClient(realm_a), password="x" * 100_000).status_code == 200
    assert verify.call_count == 0


# --- not let in


def test_se_05_a_disabled_person_is_nobody_at_the_next_request(realm_a: Realm, user_a: User) -> None:
    client = RealmClient(realm_a)
    sign_in(client)
    with realm_scope(realm_a):
        disable_user(system_actor(realm_a.pk), user_id=user_a.pk)
    assert client.get("/account/").status_code == 302
    assert sign_in(client).status_code == 200


def test_se_05_a_suspended_realm_refuses_everybody(realm_a: Realm, user_a: User, platform: Realm) -> None:
    client = RealmClient(realm_a)
    sign_in(client)
    suspend_realm(system_actor(platform.pk), realm_id=realm_a.pk)
    for response in (client.get("/account/"), client.get("/signin"), sign_in(client), sign_in(RealmClient(realm_a))):
        assert response.status_code == 403


def test_an_unconfirmed_address_has_to_be_confirmed_first(realm_a: Realm, events: Events) -> None:
    with realm_scope(realm_a):
        create_user(system_actor(realm_a.pk), email="kim@example.com", password=PASSWORD)
    client = RealmClient(realm_a)
    response = sign_in(client, "kim@example.com")
    assert response["Location"] == "/realms/a/signup/sent"
    assert client.get("/account/").status_code == 302
    assert [said.row.payload["reason"] for said in events(realm_a, "signin.failed")] == ["email_unverified"]
    assert [mail.to for mail in mails(realm_a)] == ["kim@example.com"]
    with realm_scope(realm_a):
        change_realm_settings(system_actor(realm_a.pk), changes={"email_verification_required": False})
    assert sign_in(RealmClient(realm_a), "kim@example.com")["Location"] == "/realms/a/account/"


def test_ti_01_no_way_in_ends_with_a_person_of_another_realm(realm_a: Realm, user_b: User) -> None:
    with patch("identity.signin.forms.commands.check_sign_in", return_value=user_b):
        response = sign_in(RealmClient(realm_a, raise_request_exception=False))
    assert response.status_code == 400
    with realm_scope(realm_a):
        assert not Session.objects.exclude(user=None).exists()


@pytest.mark.parametrize(
    "where",
    [
        "identity.signin.commands.entrance.limits.count_attempt",
        "identity.signin.commands.entrance.find_user_by_identifier",
        "identity.signin.commands.entrance.verify_password", "identity.signin.commands.entrance.limits.forgive",
        "identity.signin.adapter.is_usable", "identity.signin.commands.entrance.record",
        "identity.signin.commands.entrance.begin_session",
        "identity.signin.commands.entrance.note_sign_in",
    ],
)  # fmt: skip
def test_lg_02_a_failure_of_any_part_lets_nobody_in(realm_a: Realm, user_a: User, where: str) -> None:
    client = RealmClient(realm_a, raise_request_exception=False)
    with patch(where, side_effect=RuntimeError("fault")):
        assert sign_in(client).status_code == 500
    assert client.get("/account/").status_code == 302


# --- the session


def test_se_02_the_session_key_changes_at_sign_in(realm_a: Realm, user_a: User) -> None:
    client = RealmClient(realm_a)
    _ = client.session  # an attacker's key, set before
    fixed = client.cookies[cookie_name("s", realm_a)].value
    sign_in(client)
    assert client.cookies[cookie_name("s", realm_a)].value != fixed
    attacker = RealmClient(realm_a)
    attacker.cookies[cookie_name("s", realm_a)] = fixed
    assert attacker.get("/account/").status_code == 302


def test_signing_in_as_another_ends_the_first_session(realm_a: Realm, user_a: User, events: Events) -> None:
    make_user(realm_a, "kim@example.com")
    client = RealmClient(realm_a).sign_in(user_a)
    with patch("allauth.account.app_settings.AppSettings.AUTHENTICATED_LOGIN_REDIRECTS", False):
        sign_in(client, "kim@example.com")
    with realm_scope(realm_a):
        first = Session.objects.get(user=user_a)
    assert (first.status, first.end_reason) == (SessionStatus.ENDED, "another_account")
    assert events(realm_a, "session.ended")[0].row.payload["reason"] == "another_account"


def test_a_session_lives_from_its_sign_in_not_from_the_first_visit(realm_a: Realm, user_a: User) -> None:
    client = RealmClient(realm_a)
    with clock.clock_at(clock.now() - timedelta(hours=6)):
        _ = client.session
    sign_in(client)
    with realm_scope(realm_a):
        session = Session.objects.get(user=user_a)
    assert session.expires_at - session.authenticated_at == timedelta(days=7)


# --- going on


@pytest.mark.parametrize(
    ("wanted", "lands"),
    [
        ("/realms/a/console/", "/realms/a/console/"),
        ("/realms/a/oauth/authorize?client_id=portal&x=1", "/realms/a/oauth/authorize?client_id=portal&x=1"),
        ("/realms/b/account/", "/realms/a/account/"),
        ("/realms/ab/", "/realms/a/account/"),
        ("https://evil.example/", "/realms/a/account/"),
        ("//evil.example/", "/realms/a/account/"),
        ("/\\evil.example/", "/realms/a/account/"),
        ("/realms/a/../b/account/", "/realms/a/account/"),
        ("/realms/a/\tx", "/realms/a/account/"),
        ("javascript:alert(1)", "/realms/a/account/"),
        ("http://testserver/realms/a/account/", "/realms/a/account/"),
    ],
)  # fmt: skip
def test_sign_in_goes_on_inside_its_realm_alone(realm_a: Realm, user_a: User, wanted: str, lands: str) -> None:
    client = RealmClient(realm_a)
    response = client.post("/signin", {"login": "dana@example.com", "password": PASSWORD, "next": wanted})
    assert response["Location"] == lands


def test_the_application_that_asks_is_named_and_recorded(
    realm_a: Realm, user_a: User, app_a: tuple[Application, str], events: Events
) -> None:
    client = RealmClient(realm_a)
    asked = client.get(
        "/oauth/authorize?response_type=code&client_id=portal&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=openid"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&state=s"
        "&login_hint=dana%40example.com"
    )
    assert asked.status_code == 303, asked.content
    page = client.get(asked["Location"])
    assert "Portal" in page.content.decode()
    assert page.context["form"]["login"].value() == "dana@example.com"
    assert "form-action 'self' https://app.example" in page["Content-Security-Policy"]
    client.post(asked["Location"], {"login": "dana@example.com", "password": "wrong"})
    client.post(asked["Location"], {"login": "dana@example.com", "password": PASSWORD})
    for type_ in ("signin.failed", "signin.succeeded"):
        assert events(realm_a, type_)[0].row.payload["application_id"] == str(app_a[0].pk)
    assert b"Portal" not in RealmClient(realm_a).get("/signin").content


def test_an_old_hash_is_renewed_at_sign_in(realm_a: Realm) -> None:
    old = PBKDF2PasswordHasher().encode(PASSWORD, "saltsaltsalt", iterations=1000)
    with realm_scope(realm_a):
        user = create_user(system_actor(realm_a.pk), email="kim@example.com", password_hash=old, email_verified=True)
    client = RealmClient(realm_a)
    assert sign_in(client, "kim@example.com").status_code == 302
    with realm_scope(realm_a):
        user.refresh_from_db()
    assert user.password.startswith("argon2$")
    assert client.get("/account/").status_code == 200


def test_the_backend_finds_people_of_the_realm_of_the_moment_alone(realm_a: Realm, user_a: User, user_b: User) -> None:
    with realm_scope(realm_a):
        assert authenticate(None, email="dana@example.com", password=PASSWORD) == user_a
        assert authenticate(None, email="dana@example.com", password="wrong") is None
        assert RealmBackend().get_user(user_a.pk) == user_a
        assert RealmBackend().get_user(user_b.pk) is None
