"""What realm a gave opens nothing in realm b, though people, client ids and secrets are the same in both."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.integrations.base_client import OAuthError
from joserfc import jws

from e2e.protocol.authlib_client import AuthlibClient
from e2e.protocol.browser import Browser
from e2e.protocol.realms import EMAIL, PASSWORD, REDIRECT_URI, SECRETS, RealmUnderTest

pytestmark = pytest.mark.live


@pytest.fixture
def client_a(realm_a: RealmUnderTest):
    with AuthlibClient(realm_a) as client:
        yield client


@pytest.fixture
def client_b(realm_b: RealmUnderTest):
    with AuthlibClient(realm_b) as client:
        yield client


def test_ti_19_the_same_address_is_two_people(client_a: AuthlibClient, client_b: AuthlibClient):
    subjects = set()
    for client in (client_a, client_b):
        ada = Browser(EMAIL, PASSWORD)
        with ada.http:
            subjects.add(client.sign_in(ada)[1]["sub"])
    assert len(subjects) == 2


def test_ti_19_access_token_of_a_is_refused_in_b(client_a: AuthlibClient, client_b: AuthlibClient, ada: Browser):
    tokens, _ = client_a.sign_in(ada)
    refused = client_b.userinfo(tokens["access_token"])
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert client_b.introspect(tokens["access_token"]) == {"active": False}
    # Asking b to revoke it is no way to end it in a (RFC 7009: an unknown token is answered like a revoked one).
    assert client_b.revoke(tokens["access_token"]) == 200
    assert client_a.introspect(tokens["access_token"])["active"] is True


def test_ti_19_refresh_token_of_a_is_refused_in_b(client_a: AuthlibClient, client_b: AuthlibClient, ada: Browser):
    tokens, _ = client_a.sign_in(ada)
    with pytest.raises(OAuthError, match="invalid_grant"):
        client_b.refresh(tokens["refresh_token"])
    assert client_b.introspect(tokens["refresh_token"]) == {"active": False}
    assert client_b.revoke(tokens["refresh_token"]) == 200
    assert client_a.refresh(tokens["refresh_token"])["access_token"]


def test_ti_19_code_of_a_is_refused_in_b_and_still_good_in_a(
    client_a: AuthlibClient, client_b: AuthlibClient, ada: Browser
):
    pending, answer = client_a.authorize(ada)
    with pytest.raises(OAuthError, match="invalid_grant"):
        client_b.redeem(pending, answer)
    assert client_a.redeem(pending, answer)["access_token"]


def test_ti_01_session_cookie_of_a_signs_nobody_in_to_b(client_a: AuthlibClient, client_b: AuthlibClient, ada: Browser):
    client_a.sign_in(ada)
    assert silent_answer(client_a, ada.http).keys() >= {"code"}
    assert silent_answer(client_b, ada.http)["error"] == "login_required"


def test_ti_01_session_key_of_a_under_the_cookie_name_of_b_signs_nobody_in(
    client_a: AuthlibClient, client_b: AuthlibClient, ada: Browser
):
    client_a.sign_in(ada)
    forged = {name.removesuffix("_a") + "_b": value for name, value in ada.http.cookies.items() if name.endswith("_a")}
    assert forged
    with httpx.Client(cookies=forged) as thief:
        assert silent_answer(client_b, thief)["error"] == "login_required"


def test_ti_19_id_token_of_a_signs_nobody_out_of_b(
    client_a: AuthlibClient, client_b: AuthlibClient, ada: Browser, storefront_url: str
):
    tokens, _ = client_a.sign_in(ada)
    client_b.sign_in(ada)
    parameters = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": f"{storefront_url}/"}
    answer = ada.http.get(client_b.realm.metadata["end_session_endpoint"], params=parameters)
    assert not answer.headers.get("location", "").startswith(storefront_url)
    assert "code" in silent_answer(client_b, ada.http)


def test_ti_19_the_keys_of_a_are_not_those_of_b(client_a: AuthlibClient, client_b: AuthlibClient, ada: Browser):
    tokens, _ = client_a.sign_in(ada)
    for token in (tokens["access_token"], tokens["id_token"]):
        kid = jws.extract_compact(token.encode()).protected["kid"]
        assert kid in {key["kid"] for key in client_a.realm.keys()["keys"]}
        assert kid not in {key["kid"] for key in client_b.realm.keys()["keys"]}


@pytest.mark.parametrize(("client_id", "secret"), [("only-a", "ONLY_A_SECRET"), ("differs", "DIFFERS_A_SECRET")])
def test_ti_20_client_of_a_cannot_authenticate_at_b(
    realm_a: RealmUnderTest, realm_b: RealmUnderTest, client_id: str, secret: str
):
    with AuthlibClient(realm_a, client_id, SECRETS[secret]) as at_home:
        endpoint = realm_a.metadata["token_endpoint"]
        token = at_home.session.fetch_token(endpoint, grant_type="client_credentials")["access_token"]
    with AuthlibClient(realm_b, client_id, SECRETS[secret]) as abroad:
        with pytest.raises(OAuthError, match="invalid_client"):
            abroad.session.fetch_token(realm_b.metadata["token_endpoint"], grant_type="client_credentials")
        for endpoint in ("introspection_endpoint", "revocation_endpoint"):
            basic = (client_id, SECRETS[secret])
            assert httpx.post(realm_b.metadata[endpoint], data={"token": token}, auth=basic).status_code == 401


def silent_answer(client: AuthlibClient, http: httpx.Client) -> dict[str, str]:
    """Ask for a sign-in without any page; return what the server sends back to the application."""
    response = http.get(client.start(prompt="none").url)
    assert response.headers["location"].startswith(REDIRECT_URI), response.headers["location"]
    query = urlsplit(response.headers["location"]).query
    return {name: values[0] for name, values in parse_qs(query).items()}
