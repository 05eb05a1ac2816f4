"""The quick start's client and API do what their README says, against a live server."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from e2e.forms import Form, read_forms
from e2e.protocol.authlib_client import AuthlibClient
from e2e.protocol.browser import Browser
from e2e.protocol.conftest import ROOT, free_port
from e2e.protocol.realms import AUDIENCE, EMAIL, SECRETS, RealmUnderTest

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def orders_url(realm_a: RealmUnderTest, run_program: Callable, tmp_path_factory) -> Iterator[str]:
    """The sample API, letting in tokens of realm a."""
    port = free_port()
    environ = {**os.environ, "REALMKEEP_ISSUER": realm_a.issuer, "AUDIENCE": AUDIENCE, "PORT": str(port)}
    url = f"http://127.0.0.1:{port}/orders"
    with run_program(sample("resource_server"), environ, url, tmp_path_factory.mktemp("api") / "log"):
        yield url


@pytest.fixture(scope="module")
def storefront(
    realm_a: RealmUnderTest, storefront_url: str, orders_url: str, run_program: Callable, tmp_path_factory
) -> Iterator[str]:
    """The sample client, of realm a."""
    environ = {
        **os.environ,
        "REALMKEEP_ISSUER": realm_a.issuer,
        "CLIENT_ID": "storefront-web",
        "CLIENT_SECRET": SECRETS["STOREFRONT_SECRET"],
        "PORT": str(urlsplit(storefront_url).port),
        "ORDERS_URL": orders_url,
    }
    log = tmp_path_factory.mktemp("client") / "log"
    with run_program(sample("client"), environ, storefront_url, log):
        yield storefront_url
    # The callback's address holds a code, and a log is read by many.
    assert "code=" not in log.read_text()


def sample(folder: str) -> list[str]:
    return [sys.executable, str(Path(ROOT, "docs", "quickstart", folder, "app.py"))]


@pytest.fixture
def shopper(storefront: str, ada: Browser) -> Browser:
    """Ada, signed in to the storefront."""
    callback = ada.visit(f"{storefront}/signin", until=f"{storefront}/callback")
    arrived = ada.http.get(callback)
    assert arrived.status_code == 303
    assert arrived.headers["location"] == "/"
    return ada


def page_of(shopper: Browser, storefront: str) -> httpx.Response:
    return shopper.http.get(f"{storefront}/")


def press(shopper: Browser, storefront: str, action: str) -> httpx.Response:
    """Press the button of the home page that posts to `action`."""
    page = page_of(shopper, storefront)
    return shopper.submit(page, form_to(page, action))


def form_to(page: httpx.Response, action: str) -> Form:
    return next(form for form in read_forms(page.text) if form.action == action)


def test_client_shows_who_is_signed_in(shopper: Browser, storefront: str):
    text = page_of(shopper, storefront).text
    assert "Ada of a" in text
    assert EMAIL in text


def test_client_calls_the_api_in_the_persons_name(shopper: Browser, storefront: str):
    assert press(shopper, storefront, "/orders").status_code == 303
    assert "A-1041" in page_of(shopper, storefront).text


def test_client_asks_userinfo_and_refreshes(shopper: Browser, storefront: str):
    press(shopper, storefront, "/userinfo")
    assert "email_verified" in page_of(shopper, storefront).text
    press(shopper, storefront, "/refresh")
    assert "expires_in" in page_of(shopper, storefront).text
    press(shopper, storefront, "/orders")
    assert "A-1041" in page_of(shopper, storefront).text


def test_signing_out_ends_the_session_at_the_server_too(shopper: Browser, storefront: str, realm_a: RealmUnderTest):
    leaving = press(shopper, storefront, "/signout")
    assert leaving.headers["location"].startswith(realm_a.metadata["end_session_endpoint"])
    # A current ID token of this very session is hint enough: no page asks, and the browser is sent back.
    assert shopper.visit(leaving.headers["location"], until=f"{storefront}/") == f"{storefront}/"
    assert "Sign in" in page_of(shopper, storefront).text
    with AuthlibClient(realm_a) as client:
        answer = shopper.http.get(client.start(prompt="none").url)
    assert "error=login_required" in answer.headers["location"]


def test_session_ended_at_the_server_ends_the_clients(shopper: Browser, storefront: str, realm_a: RealmUnderTest):
    """The person signs out at the realm itself; the client learns it at its next step."""
    page = shopper.http.get(realm_a.metadata["end_session_endpoint"])
    asking = next(form for form in read_forms(page.text) if "/oauth/logout" in form.action)
    assert shopper.submit(page, asking).status_code == 200
    gone = page_of(shopper, storefront)
    assert gone.status_code == 303
    assert "Your session has ended" in page_of(shopper, storefront).text


def test_callback_that_was_not_started_here_is_refused(storefront: str, ada: Browser):
    answer = ada.http.get(f"{storefront}/callback?code=x&state=y")
    assert answer.status_code == 400


def test_answer_counts_once(storefront: str, ada: Browser):
    callback = ada.visit(f"{storefront}/signin", until=f"{storefront}/callback")
    assert ada.http.get(callback).status_code == 303
    assert ada.http.get(callback).status_code == 400


def test_form_of_another_site_is_refused(shopper: Browser, storefront: str):
    assert shopper.http.post(f"{storefront}/signout", data={"form_token": "x"}).status_code == 403
    assert "Ada of a" in page_of(shopper, storefront).text


def test_signing_in_changes_the_session_id(storefront: str, ada: Browser):
    ada.http.get(f"{storefront}/signin")
    before = ada.http.cookies["storefront"]
    ada.http.get(ada.visit(f"{storefront}/signin", until=f"{storefront}/callback"))
    assert ada.http.cookies["storefront"] != before


def test_pages_allow_no_script(storefront: str):
    policy = httpx.get(f"{storefront}/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_static_files_stay_in_their_folder(storefront: str):
    assert httpx.get(f"{storefront}/static/storefront.css").status_code == 200
    assert httpx.get(f"{storefront}/static/%2e%2e/app.py").status_code == 404


def test_api_refuses_who_brings_no_token(orders_url: str):
    answer = httpx.get(orders_url)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="orders"'


def test_ti_19_api_of_a_refuses_a_token_of_b(orders_url: str, realm_b: RealmUnderTest, ada: Browser):
    with AuthlibClient(realm_b) as client:
        tokens, _ = client.sign_in(ada)
    answer = httpx.get(orders_url, headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert answer.status_code == 401


def test_api_refuses_a_token_without_its_scope(orders_url: str, realm_a: RealmUnderTest, ada: Browser):
    with AuthlibClient(realm_a) as client:
        tokens, _ = client.sign_in(ada, scope="openid profile")
    answer = httpx.get(orders_url, headers={"Authorization": f"Bearer {tokens['access_token']}"})
    # Without a scope of the API, the token is not even for it.
    assert answer.status_code == 401
