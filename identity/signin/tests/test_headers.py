"""Cookies, caches, frames and forms of the door."""

import pytest
from django.test import override_settings

from conftest import make_realm, make_user
from identity.accounts.models import User
from identity.kernel.naming import cookie_name
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import PASSWORD, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def test_se_08_cookies_are_closed_to_scripts_other_sites_and_other_hosts(realm_a: Realm, user_a: User) -> None:
    client = RealmClient(realm_a)
    client.get("/signin")
    sign_in(client)
    for kind in ("s", "c", "t"):
        cookie = client.cookies[cookie_name(kind, realm_a)]
        assert (cookie["httponly"], cookie["samesite"], cookie["domain"], cookie["path"]) == (True, "Lax", "", "/")
        assert not cookie["secure"]
        assert len(cookie.OutputString()) < 1024


@override_settings(REALMKEEP_ORIGIN="https://testserver")
def test_se_08_under_https_cookies_have_the_host_prefix_whatever_a_proxy_says() -> None:
    realm = make_realm("s", "Secure", sign_up_open=True)
    make_user(realm, "dana@example.com")
    client = RealmClient(realm)
    for extra in ({}, {"HTTP_X_FORWARDED_PROTO": "http"}, {"secure": True}):
        sign_in(client, **extra)
        for kind in ("s", "t"):
            name = cookie_name(kind, realm)
            assert name.startswith("__Host-")
            cookie = client.cookies[name]
            assert (bool(cookie["secure"]), cookie["domain"], cookie["path"]) == (True, "", "/")


def test_se_07_what_caches_may_keep_sets_no_cookie(realm_a: Realm, user_a: User) -> None:
    client = RealmClient(realm_a)
    sign_in(client)
    response = client.get("/theme.css")
    assert "public" in response["Cache-Control"]
    assert not response.cookies
    assert "no-store" not in response["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/signin", {"login": "dana@example.com", "password": PASSWORD}),
        ("/signup", {"name": "K", "email": "k@example.com", "password1": PASSWORD}),
        ("/signout", {}), ("/password/reset", {"email": "dana@example.com"}), ("/account/password", {}),
        ("/account/email", {}), ("/signin/again", {}), ("/invitation/x", {}), ("/email/confirm/x", {}),
        ("/email/revert/x", {}), ("/account/phone", {}), ("/phone/revert/x", {}), ("/signin/room", {}),
        (f"/password/reset/{'0' * 32}-abc-0123456789", {}),
    ],
)  # fmt: skip
def test_se_11_no_form_without_its_realms_own_token(
    realm_a: Realm, user_a: User, realm_b: Realm, path: str, data: dict[str, str]
) -> None:
    client = RealmClient(realm_a, enforce_csrf_checks=True)
    client.sign_in(user_a)
    client.get("/signin/again")
    token = client.cookies[cookie_name("c", realm_a)].value
    other = RealmClient(realm_b, enforce_csrf_checks=True)
    other.get("/signin")
    foreign = other.cookies[cookie_name("c", realm_b)].value
    assert client.post(path, data).status_code == 403
    assert client.post(path, {**data, "csrfmiddlewaretoken": foreign}).status_code == 403
    assert client.post(path, {**data, "csrfmiddlewaretoken": token}, HTTP_ORIGIN="null").status_code == 403
    assert (
        client.post(path, {**data, "csrfmiddlewaretoken": token}, HTTP_ORIGIN="https://evil.example").status_code == 403
    )
    refused = client.post(path, data)
    assert b"This form is out of date" in refused.content
    assert client.post(path, {**data, "csrfmiddlewaretoken": token}, HTTP_ORIGIN="http://testserver").status_code != 403


def test_only_the_console_is_framed_and_by_itself_alone(realm_a: Realm, owner_a: User) -> None:
    client = RealmClient(realm_a)
    page = client.get("/signin")
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    client.sign_in(owner_a)
    console = client.get("/console/")
    assert console["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in console["Content-Security-Policy"]


def test_the_bare_address_of_a_realm_leads_somewhere(realm_a: Realm, user_a: User) -> None:
    client = RealmClient(realm_a)
    assert client.get("/")["Location"] == "/realms/a/account/"
    assert client.get("/account/")["Location"] == "/realms/a/signin?next=/realms/a/account/"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["/account/email", "/account/password", "/account/password/set", "/signin/again"])
def test_lg_01_pages_of_a_signed_in_person_ask_to_sign_in(realm_a: Realm, method: str, path: str) -> None:
    response = getattr(RealmClient(realm_a), method)(path, {"password": "x"} if method == "post" else None)
    assert response.status_code == 302
    assert response["Location"].startswith("/realms/a/signin")


@pytest.mark.parametrize("path", ["/signup/sent", "/signin/unusable", "/password/reset/sent", "/password/reset/done"])
def test_lg_01_steps_out_of_order_sign_nobody_in(realm_a: Realm, user_a: User, path: str) -> None:
    client = RealmClient(realm_a)
    for _ in range(2):
        assert client.get(path).status_code == 200
        assert client.post(path).status_code in (200, 405)
    assert client.get("/account/").status_code == 302
