"""The two adapters before the handlers: Django's middleware, and the callable before Django under WSGI."""

import base64
import json
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest

from conftest import make_application, make_user
from identity.accounts.commands import define_attribute
from identity.accounts.models import User, UserStatus
from identity.applications.commands import create_scope, disable_application
from identity.audit.models import AuditEvent
from identity.consent.models import Consent
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import current_realm, realm_scope
from identity.kernel.naming import cookie_name, issuer_of
from identity.oauth.commands import rotate_signing_key
from identity.oauth.fastpath import PROVES_REALM
from identity.oauth.models import Grant, SigningKey
from identity.oauth.tests.flows import Flow
from identity.oauth.tests.wsgi import Wsgi
from identity.realms import freshness
from identity.realms.commands import change_realm_settings, resume_realm, suspend_realm
from identity.sessions.models import Session


def basic_of(flow: Flow) -> str:
    return "Basic " + base64.b64encode(f"{flow.application.client_id}:{flow.secret}".encode()).decode()


def post(wsgi: Wsgi, flow: Flow, path: str, **data: str) -> tuple[int, dict[str, str], bytes]:
    return wsgi.ask("POST", f"/realms/a/oauth/{path}", urlencode(data), HTTP_AUTHORIZATION=basic_of(flow))


def test_both_adapters_give_the_same_answers(wsgi: Wsgi, flow: Flow):
    token = flow.tokens()["access_token"]
    for path, data in (
        ("introspect", {"token": token}),
        ("introspect", {"token": "x"}),
        ("introspect", {"token_type_hint": "access_token"}),
        ("revoke", {"token": "unknown"}),
        ("revoke", {"token_type_hint": "access_token"}),
        ("token", {"grant_type": "password"}),
        ("token", {"grant_type": "refresh_token", "refresh_token": "x"}),
    ):
        status, headers, body = post(wsgi, flow, path, **data)
        there = flow.post(f"/oauth/{path}", data)
        assert (status, body) == (there.status_code, there.content), (path, data)
        assert headers["Cache-Control"] == there["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Length"] == str(len(body))
    status, headers, body = wsgi.ask("GET", "/realms/a/oauth/userinfo", HTTP_AUTHORIZATION=f"Bearer {token}")
    assert (status, body) == (200, flow.userinfo(token).content)
    assert wsgi.passed == 0


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/realms/a/signin", {}),
        ("/realms/a/console/", {}),
        ("/realms/nobody/oauth/token", {}),
        ("/oauth/token", {}),
        ("/realms/a/x/oauth/token", {}),
        ("/realms/a//oauth/token", {}),
        ("/realms/A/oauth/token", {}),
        ("/realms/a/oauth/token/", {}),
        ("/realms/a/oauth/token", {"HTTP_HOST": "elsewhere.example"}),
        ("/realms/a/oauth/token", {"HTTP_HOST": ""}),
        ("/realms/a/oauth/token", {"SCRIPT_NAME": "/x"}),
        ("/.well-known/openid-configuration/realms/a", {}),
        ("/realms/a/.well-known/jwks.json/", {}),
    ],
)
def test_what_is_not_ours_is_left_to_django_untouched(wsgi: Wsgi, flow: Flow, path: str, headers: dict[str, str]):
    assert wsgi.ask("POST", path, "grant_type=x", **headers)[0] == 299
    assert wsgi.passed == 1
    assert current_realm() is None


def test_ds_02_what_is_too_long_is_refused_before_it_is_read(wsgi: Wsgi, flow: Flow):
    status, _, body = wsgi.ask("POST", "/realms/a/oauth/token", "x", CONTENT_LENGTH="10000000")
    assert (status, b"too long" in body) == (413, True)
    assert wsgi.ask("POST", "/realms/a/oauth/token", "x", CONTENT_LENGTH="-1")[0] == 413
    for length in ("²", "9" * 10_000, "+5", "1_0", " 5", "0x5"):
        assert wsgi.ask("POST", "/realms/a/oauth/token", "x", CONTENT_LENGTH=length)[0] == 413, length
    assert wsgi.ask("POST", "/realms/a/oauth/token", "x" * 70_000)[0] == 413


def test_au_10_events_know_where_the_request_came_from(wsgi: Wsgi, service: Flow):
    from identity.audit.reading import readable

    assert post(wsgi, service, "token", grant_type="client_credentials")[0] == 200
    row = AuditEvent.objects.filter(realm_id=service.realm.pk, type="token.issued").get()
    (event,) = readable([row])
    assert (event.ip, event.user_agent) == ("192.0.2.7", "probe")
    assert row.request_id


def test_a_failure_of_ours_is_a_500_without_a_word_about_it(wsgi: Wsgi, flow: Flow, monkeypatch):
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("identity.oauth.authentication.find_client", broken)
    status, _, body = post(wsgi, flow, "introspect", token="x")
    assert status == 500
    assert b"secret" not in body
    assert current_realm() is None


# --- the remembered realm --------------------------------------------------------------------------------------------


def test_oa_17_a_suspension_bites_at_the_next_request(wsgi: Wsgi, service: Flow, as_operator):
    assert post(wsgi, service, "token", grant_type="client_credentials")[0] == 200
    assert freshness.remembered("testserver", "/realms/a") is not None
    suspend_realm(as_operator, realm_id=service.realm.pk)
    assert post(wsgi, service, "token", grant_type="client_credentials")[0] == 401
    resume_realm(as_operator, realm_id=service.realm.pk)
    assert post(wsgi, service, "token", grant_type="client_credentials")[0] == 200


def test_a_changed_setting_counts_at_the_next_request(wsgi: Wsgi, service: Flow):
    def lifetime() -> bytes:
        return post(wsgi, service, "token", grant_type="client_credentials")[2]

    assert b'"expires_in":900' in lifetime()
    with realm_scope(service.realm):
        change_realm_settings(system_actor(service.realm.pk), changes={"access_token_lifetime": 300})
    assert b'"expires_in":300' in lifetime()


def test_every_endpoint_that_remembers_notices(wsgi: Wsgi, flow: Flow, as_operator, monkeypatch):
    """Each path of PROVES_REALM proves its realm: with a stale one in memory, none of them answers for it."""
    token = flow.tokens()["access_token"]
    cookie = f"{cookie_name('s', flow.realm)}={flow.browser.cookies[cookie_name('s', flow.realm)].value}"
    asks = {
        "/oauth/token": lambda: post(wsgi, flow, "token", grant_type="refresh_token", refresh_token="x"),
        "/oauth/revoke": lambda: post(wsgi, flow, "revoke", token=token),
        "/oauth/introspect": lambda: post(wsgi, flow, "introspect", token=token),
        "/oauth/userinfo": lambda: wsgi.ask("GET", "/realms/a/oauth/userinfo", HTTP_AUTHORIZATION=f"Bearer {token}"),
        "/oauth/authorize": lambda: wsgi.ask(
            "GET", "/realms/a/oauth/authorize", query=urlencode(flow.parameters()), HTTP_COOKIE=cookie
        ),
        **{path: partial(wsgi.ask, "GET", f"/realms/a{path}") for path in PROVES_REALM if "well-known" in path},
    }
    assert set(asks) == set(PROVES_REALM)
    assert asks["/oauth/userinfo"]()[0] == 200
    stale = freshness.remembered("testserver", "/realms/a")
    suspend_realm(as_operator, realm_id=flow.realm.pk)
    for path, ask in asks.items():
        freshness.remember("testserver", "/realms/a", stale)
        status, _, body = ask()
        assert status == 200 if "well-known" in path else status in (401, 299), (path, status, body)
        remembered = freshness.remembered("testserver", "/realms/a")
        assert remembered is not stale, path


def test_documents_are_the_same_by_both_ways_and_change_at_once(wsgi: Wsgi, flow: Flow):
    """What everybody may read: scopes built-in ones first, keys newest first, both as they are at this moment."""
    for name in ("openid-configuration", "oauth-authorization-server", "jwks.json"):
        path = f"/.well-known/{name}"
        status, headers, body = wsgi.ask("GET", f"/realms/a{path}")
        there = flow.browser.get(f"/realms/a{path}")
        assert (status, body) == (there.status_code, there.content), name
        assert headers["Cache-Control"] == there["Cache-Control"] == "public, max-age=300"
        assert headers["Access-Control-Allow-Origin"] == "*"
    assert wsgi.passed == 0

    def document(name: str) -> Any:
        return json.loads(wsgi.ask("GET", f"/realms/a/.well-known/{name}")[2])

    assert "aardvark" not in document("openid-configuration")["scopes_supported"]
    with realm_scope(flow.realm):
        actor = system_actor(flow.realm.pk)
        create_scope(actor, name="aardvark", title="Aardvark", resource_server_id=None)
        rotate_signing_key(actor)
        kids = list(SigningKey.objects.order_by("-id").values_list("kid", flat=True))
    assert document("openid-configuration")["scopes_supported"][-1] == "aardvark"
    assert [key["kid"] for key in document("jwks.json")["keys"]] == kids
    assert len(kids) == 3


def test_ds_08_the_memory_is_bounded(wsgi: Wsgi, flow: Flow, monkeypatch):
    monkeypatch.setattr(freshness, "_MOST", 3)
    for port in range(10):
        wsgi.ask("POST", "/realms/a/oauth/token", "grant_type=x", HTTP_HOST=f"testserver:{port}")
    assert len(freshness._remembered) <= 3


def test_ti_16_realms_are_remembered_apart(wsgi: Wsgi, flow: Flow, flow_b: Flow):
    a, b = flow.tokens()["access_token"], flow_b.tokens()["access_token"]
    for _ in range(2):
        for slug, token, status in (("a", a, 200), ("b", b, 200), ("a", b, 401), ("b", a, 401)):
            path = f"/realms/{slug}/oauth/userinfo"
            assert wsgi.ask("GET", path, HTTP_AUTHORIZATION=f"Bearer {token}")[0] == status


# --- authorization without a page ------------------------------------------------------------------------------------


def straight(wsgi: Wsgi, flow: Flow, **changes: Any) -> tuple[int, dict[str, str], bytes]:
    name = cookie_name("s", flow.realm)
    cookie = f"{name}={flow.browser.cookies[name].value}" if name in flow.browser.cookies else ""
    query = urlencode(flow.parameters(**changes))
    return wsgi.ask("GET", "/realms/a/oauth/authorize", query=query, HTTP_COOKIE=cookie)


def test_who_is_signed_in_and_has_decided_goes_straight(wsgi: Wsgi, flow: Flow):
    status, headers, _ = straight(wsgi, flow)
    assert status == 303
    assert headers["Location"].startswith("https://app.example/cb?code=")
    assert urlencode({"iss": issuer_of(flow.realm)}) in headers["Location"]
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")


def test_the_straight_code_is_a_code_like_any_other(wsgi: Wsgi, flow: Flow, user_a):
    code = straight(wsgi, flow)[1]["Location"].split("code=")[1].split("&")[0]
    tokens = flow.redeem(code).json()
    claims = flow.decoded(tokens["id_token"]).claims
    session = flow.session_of(user_a)
    assert (claims["sub"], claims["sid"], claims["amr"]) == (str(user_a.pk), str(session.sid), ["pwd"])
    assert flow.redeem(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "none"},
        {"prompt": "login"},
        {"prompt": "consent"},
        {"max_age": "10"},
        {"id_token_hint": "x"},
        {"response_type": "token"},
        {"response_mode": "fragment"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "https://app.example/cb/"},
        {"client_id": "unknown"},
        {"scope": "openid offline_access"},
        {"scope": "openid nothing"},
        {"scope": None},
        {"code_challenge": None},
        {"code_challenge_method": "plain"},
        {"request": "x"},
        {"request_uri": "https://evil.example/"},
        {"nonce": "n" * 300},
    ],
)
def test_whatever_is_asked_beyond_that_is_left_to_the_view(wsgi: Wsgi, flow: Flow, changes):
    assert straight(wsgi, flow, **changes)[0] == 299
    with realm_scope(flow.realm):
        assert not Grant.objects.exists()


def disabled(flow: Flow) -> None:
    User.objects.filter(email="dana@example.com").update(status=UserStatus.DISABLED)


def password_changed(flow: Flow) -> None:
    User.objects.filter(email="dana@example.com").update(password="another hash")


def ended(flow: Flow) -> None:
    Session.objects.exclude(user=None).update(status="ended")


def idle(flow: Flow) -> None:
    Session.objects.update(last_seen_at=clock.now().replace(year=2020))


def client_disabled(flow: Flow) -> None:
    disable_application(system_actor(flow.realm.pk), application_id=flow.application.pk)


def another_person(flow: Flow) -> None:
    """The row names one person, its data another: neither is believed."""
    other = make_user(flow.realm, "other@example.com")
    Session.objects.exclude(user=None).update(user=other)


def another_backend(flow: Flow) -> None:
    session = Session.objects.exclude(user=None).get()
    Session.objects.filter(pk=session.pk).update(data={**session.data, "_auth_user_backend": "x.Backend"})


@pytest.mark.parametrize(
    "what",
    [disabled, password_changed, ended, idle, client_disabled, another_person, another_backend],
    ids=lambda f: f.__name__,
)
def test_oa_17_whatever_was_taken_away_is_left_to_the_view(wsgi: Wsgi, flow: Flow, what):
    assert straight(wsgi, flow)[0] == 303
    with realm_scope(flow.realm):
        what(flow)
    assert straight(wsgi, flow)[0] == 299


def test_what_a_scope_releases_since_is_asked_about_by_the_view(wsgi: Wsgi, flow: Flow):
    with realm_scope(flow.realm):
        system = system_actor(flow.realm.pk)
        define_attribute(system, name="desk", label="Desk", claim="desk", scope="profile")
    assert straight(wsgi, flow, scope="openid email")[0] == 303
    assert straight(wsgi, flow, scope="openid profile")[0] == 299
    with realm_scope(flow.realm):
        Consent.objects.update(attributes=["desk"])
    assert straight(wsgi, flow, scope="openid profile")[0] == 303


def test_ti_01_the_session_of_b_goes_nowhere_in_a(wsgi: Wsgi, flow: Flow, flow_b: Flow):
    key = flow_b.browser.cookies[cookie_name("s", flow_b.realm)].value
    flow.browser.cookies[cookie_name("s", flow.realm)] = key
    assert straight(wsgi, flow)[0] == 299


def test_native_apps_at_a_loopback_address_always_go_through_the_page(wsgi: Wsgi, realm_a, user_a):
    application, _ = make_application(realm_a, client_id="native", type="native", redirect_uris=["http://127.0.0.1/cb"])
    flow = Flow(realm_a, application, redirect_uri="http://127.0.0.1/cb").sign_in(user_a).consented(user_a)
    assert straight(wsgi, flow)[0] == 299


def test_a_post_is_never_answered_straight(wsgi: Wsgi, flow: Flow):
    name = cookie_name("s", flow.realm)
    cookie = f"{name}={flow.browser.cookies[name].value}"
    query = urlencode(flow.parameters())
    assert wsgi.ask("POST", "/realms/a/oauth/authorize", "", query=query, HTTP_COOKIE=cookie)[0] == 299
