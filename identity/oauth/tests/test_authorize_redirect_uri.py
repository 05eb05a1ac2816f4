"""Redirect URIs (RFC 6749, 3.1.2; RFC 8252; RFC 9700, 2.1 and 4.1): exact, and errors are shown here."""

from urllib.parse import urlencode, urlsplit

import pytest

from conftest import make_application
from identity.applications.commands import disable_application
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.oauth.tests.flows import Flow, answer_of

WRONG = [
    "https://app.example/cb?x=1",
    "https://app.example/cb;p",
    "https://app.example/cb#",
    "https://app.example/cb#x",
    "https://app.example/cb/",
    "https://app.example/cb/../evil",
    "https://app.example/cb/..;/x",
    "https://app.example/../cb",
    "https://app.example@evil.example/cb",
    "https://app.example@b@evil.example/cb",
    "https://app.example.evil.example/cb",
    "https://evil.example/cb",
    "HTTPS://APP.EXAMPLE/cb",
    "https://APP.example/cb",
    "https://app.example./cb",
    "https://app.example:443/cb",
    "https://app.example:8443/cb",
    "https://app.example/%63b",
    "https://app.example/cb/%2e%2e/evil",
    "https://app.example/c\tb",
    "https://app.example/c\nb",
    "https://app.example/cb\r\nX: y",
    " https://app.example/cb",
    "https://app.example/cb ",
    "https://аpp.example/cb",
    "https://xn--pp-7ka.example/cb",
    "https://app.example\\cb",
    "https:\\\\app.example\\cb",
    "https:/app.example/cb",
    "https:app.example/cb",
    "//app.example/cb",
    "/cb",
    "cb",
    "http://app.example/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://app.example/cb\x00",
    "http://127.0.0.1/cb",
]


def assert_shown_here(response):
    assert response.status_code == 400
    assert "Location" not in response
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("uri", WRONG)
def test_oa_01_only_the_exact_uri_is_redirected_to(flow: Flow, uri: str):
    assert_shown_here(flow.authorize(redirect_uri=uri))


@pytest.mark.parametrize("uri", WRONG)
def test_oa_01_nobody_is_sent_to_sign_in_for_a_wrong_uri(flow: Flow, uri: str):
    anonymous = Flow(flow.realm, flow.application)
    assert_shown_here(anonymous.authorize(redirect_uri=uri))


def test_oa_01_an_error_beside_a_wrong_uri_is_shown_here_too(flow: Flow):
    assert_shown_here(flow.authorize(redirect_uri="https://evil.example/cb", response_type="token"))
    assert_shown_here(flow.authorize(redirect_uri="https://evil.example/cb", prompt="none"))


def test_the_exact_uri_gets_the_code(flow: Flow):
    response = flow.authorize()
    parts = urlsplit(response["Location"])
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "app.example", "/cb")
    assert answer_of(response)["state"] == "st4te"


def test_a_registered_query_is_kept(realm_a, user_a):
    uri = "https://app.example/cb?tenant=7"
    application, secret = make_application(realm_a, redirect_uris=[uri])
    flow = Flow(realm_a, application, secret, redirect_uri=uri).sign_in(user_a).consented(user_a)
    answer = answer_of(flow.authorize())
    assert answer["tenant"] == "7"
    assert flow.redeem(answer["code"]).status_code == 200


def test_a_missing_uri_is_shown_here_even_if_only_one_is_registered(flow: Flow):
    assert_shown_here(flow.authorize(redirect_uri=None))


@pytest.mark.parametrize("client_id", [None, "", "unknown", "portal\x00", "PORTAL"])
def test_an_unknown_client_is_shown_here(flow: Flow, client_id):
    assert_shown_here(flow.authorize(client_id=client_id))


def test_oa_17_a_disabled_client_is_shown_here(flow: Flow):
    with realm_scope(flow.realm):
        disable_application(system_actor(flow.realm.pk), application_id=flow.application.pk)
    assert_shown_here(flow.authorize())


@pytest.mark.parametrize("name", ["redirect_uri", "client_id", "scope", "state", "nonce", "code_challenge"])
def test_oa_04_a_repeated_parameter_is_refused_here(flow: Flow, name: str):
    parameters = flow.parameters()
    query = urlencode(parameters) + "&" + urlencode({name: parameters[name]})
    assert_shown_here(flow.browser.get(f"/oauth/authorize?{query}"))


def test_oa_04_one_in_the_address_and_one_in_the_body_is_refused_here(flow: Flow):
    query = urlencode(flow.parameters())
    for name in ("redirect_uri", "client_id", "scope", "code_challenge"):
        response = flow.browser.post(f"/oauth/authorize?{query}", {"decision": "allow", name: "x"})
        assert_shown_here(response)


NATIVE = [
    ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", True),
    ("http://127.0.0.1:1234/cb", "http://127.0.0.1:51004/cb", True),
    ("http://[::1]/cb", "http://[::1]:61023/cb", True),
    ("http://127.0.0.1/cb", "http://127.0.0.1:51004/other", False),
    ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb?x=1", False),
    ("http://127.0.0.1/cb", "http://localhost:51004/cb", False),
    ("http://localhost/cb", "http://localhost:51004/cb", False),
    ("http://127.0.0.1/cb", "http://[::1]:51004/cb", False),
    ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example:51004/cb", False),
    ("http://127.0.0.1/cb", "http://127.0.0.1:51004@evil.example/cb", False),
    ("http://127.0.0.1/cb", "http://127.0.0.1:0/cb", False),
    ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", False),
    ("http://127.0.0.1/cb", "http://127.1:51004/cb", False),
    ("http://127.0.0.1/cb", "https://127.0.0.1:51004/cb", False),
    ("com.example.app:/cb", "com.example.app:/cb", True),
    ("com.example.app:/cb", "com.example.app:/other", False),
]


@pytest.mark.parametrize(("registered", "requested", "accepted"), NATIVE)
def test_oa_02_native_apps_choose_the_port_of_a_loopback_address_and_nothing_else(
    realm_a, user_a, registered: str, requested: str, accepted: bool
):
    application, _ = make_application(realm_a, client_id="native", type="native", redirect_uris=[registered])
    flow = Flow(realm_a, application, redirect_uri=requested).sign_in(user_a)
    response = flow.authorize()
    if not accepted:
        assert_shown_here(response)
        return
    # RFC 8252, 8.6: another program may listen there, so the person is asked each time.
    assert response.status_code == 200
    answer = answer_of(flow.decide(response))
    assert flow.redeem(answer["code"]).status_code == 200


def test_oa_02_the_port_is_not_free_for_web_apps(realm_a, user_a):
    application, secret = make_application(realm_a, redirect_uris=["http://127.0.0.1:8000/cb"])
    flow = Flow(realm_a, application, secret, redirect_uri="http://127.0.0.1:9000/cb").sign_in(user_a)
    assert_shown_here(flow.authorize())
