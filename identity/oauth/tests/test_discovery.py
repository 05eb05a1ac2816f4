"""Discovery (OpenID Connect Discovery 1.0; RFC 8414): per realm, and only what is done."""

import pytest
from django.urls import reverse

from identity.kernel.naming import issuer_of
from identity.oauth import paths
from identity.oauth.tests.flows import Flow
from identity.sessions.testing import RealmClient


def test_every_endpoint_is_under_the_realms_own_issuer(flow: Flow):
    document = flow.document()
    issuer = issuer_of(flow.realm)
    assert document["issuer"] == issuer
    for name, value in document.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(f"{issuer}/"), name


def test_the_addresses_are_frozen(flow: Flow):
    document = flow.document()
    issuer = issuer_of(flow.realm)
    assert {name: value.removeprefix(issuer) for name, value in document.items() if str(value).startswith(issuer)} == {
        "issuer": "",
        "authorization_endpoint": "/oauth/authorize",
        "token_endpoint": "/oauth/token",
        "userinfo_endpoint": "/oauth/userinfo",
        "jwks_uri": "/.well-known/jwks.json",
        "introspection_endpoint": "/oauth/introspect",
        "revocation_endpoint": "/oauth/revoke",
        "end_session_endpoint": "/oauth/logout",
    }


def test_oa_10_what_is_not_done_is_not_advertised(flow: Flow):
    document = flow.document()
    assert document["response_types_supported"] == ["code"]
    assert document["response_modes_supported"] == ["query"]
    assert document["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["id_token_signing_alg_values_supported"] == ["ES256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["request_uri_parameter_supported"] is False
    assert set(document["scopes_supported"]) >= {"openid", "profile", "email", "offline_access"}


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
def test_rfc_8414_both_ways_to_write_the_address(flow: Flow, name: str):
    client = RealmClient(flow.realm)
    inside = client.get(f"/realms/a/.well-known/{name}")
    inserted = client.get(f"/.well-known/{name}/realms/a")
    assert inside.json() == inserted.json() == flow.document()


def test_a_forged_host_changes_nothing(flow: Flow):
    response = RealmClient(flow.realm).get("/realms/a/.well-known/openid-configuration", HTTP_HOST="127.0.0.1")
    assert response.json()["issuer"] == issuer_of(flow.realm)


def test_documents_are_public_and_cacheable_without_cookies(flow: Flow):
    for name in ("openid-configuration", "oauth-authorization-server", "jwks.json"):
        response = flow.browser.get(f"/realms/a/.well-known/{name}", HTTP_ORIGIN="https://any.example")
        assert response["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response
        assert response["Cache-Control"] == "public, max-age=300"
        assert not response.cookies
        assert "Vary" not in response


def test_the_fast_path_and_the_urlconf_know_the_same_addresses(realm_a):
    names = {
        "oauth_authorize": paths.AUTHORIZE,
        "oauth_token": paths.TOKEN,
        "oauth_revoke": paths.REVOKE,
        "oauth_introspect": paths.INTROSPECT,
        "oauth_userinfo": paths.USERINFO,
        "oauth_logout": paths.LOGOUT,
        "jwks": paths.JWKS,
        "openid_configuration": paths.OPENID_CONFIGURATION,
        "oauth_metadata": paths.SERVER_METADATA,
    }
    for name, path in names.items():
        assert reverse(name).removeprefix("/") == path


def test_the_endpoints_work_without_the_fast_path(flow: Flow, settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "fastpath" not in name]
    tokens = flow.tokens()
    assert flow.introspect(tokens["access_token"])["active"] is True
    assert flow.userinfo(tokens["access_token"]).status_code == 200
    assert flow.document("jwks.json")["keys"]
