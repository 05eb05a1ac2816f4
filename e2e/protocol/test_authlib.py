"""Authlib completes every step of the protocol against a live server, in both realms."""

import pytest
from authlib.integrations.base_client import OAuthError
from joserfc import jwt
from joserfc.jwk import KeySet

from e2e.protocol.authlib_client import AuthlibClient
from e2e.protocol.browser import Browser
from e2e.protocol.realms import AUDIENCE, EMAIL, SCOPE, SECRETS, RealmUnderTest

pytestmark = pytest.mark.live


def test_code_with_pkce_signs_the_person_of_this_realm_in(realm: RealmUnderTest, ada: Browser):
    with AuthlibClient(realm) as client:
        tokens, claims = client.sign_in(ada)
    assert claims["iss"] == realm.issuer
    assert claims["sub"]
    assert claims["auth_time"] <= claims["iat"]
    assert tokens["token_type"].lower() == "bearer"
    assert set(tokens["scope"].split()) == set(SCOPE.split())


def test_access_token_is_an_rfc_9068_jwt_for_the_api_of_its_scope(realm: RealmUnderTest, ada: Browser):
    with AuthlibClient(realm) as client:
        tokens, claims = client.sign_in(ada)
    token = jwt.decode(tokens["access_token"], KeySet.import_key_set(realm.keys()), algorithms=["ES256"])
    assert token.header["typ"] == "at+jwt"
    assert token.claims["iss"] == realm.issuer
    assert token.claims["aud"] in (AUDIENCE, [AUDIENCE])
    assert token.claims["client_id"] == "web"
    assert token.claims["sub"] == claims["sub"]
    assert {"exp", "iat", "jti", "scope"} <= token.claims.keys()


def test_userinfo_tells_who_the_person_is_in_this_realm(realm: RealmUnderTest, ada: Browser):
    with AuthlibClient(realm) as client:
        tokens, claims = client.sign_in(ada)
        answer = client.userinfo(tokens["access_token"]).json()
    assert answer["sub"] == claims["sub"]
    assert answer["email"] == EMAIL
    assert answer["email_verified"] is True
    assert answer["name"] == f"Ada of {realm.slug}"


def test_id_token_is_refused_as_an_access_token(realm: RealmUnderTest, ada: Browser):
    with AuthlibClient(realm) as client:
        tokens, _ = client.sign_in(ada)
        assert client.userinfo(tokens["id_token"]).status_code == 401
        assert client.introspect(tokens["id_token"]) == {"active": False}


def test_refresh_rotates_and_keeps_the_person(realm: RealmUnderTest, ada: Browser):
    with AuthlibClient(realm) as client:
        tokens, claims = client.sign_in(ada)
        fresh = client.refresh(tokens["refresh_token"])
        assert fresh["refresh_token"] != tokens["refresh_token"]
        assert client.verify(fresh, nonce=None)["sub"] == claims["sub"]
        assert client.userinfo(fresh["access_token"]).json()["sub"] == claims["sub"]


def test_introspection_tells_a_live_token_and_revocation_ends_it(realm: RealmUnderTest, ada: Browser):
    with AuthlibClient(realm) as client:
        tokens, claims = client.sign_in(ada)
        alive = client.introspect(tokens["access_token"])
        assert alive["active"] is True
        assert alive["sub"] == claims["sub"]
        assert alive["client_id"] == "web"
        assert alive["iss"] == realm.issuer
        assert client.revoke(tokens["access_token"]) == 200
        assert client.introspect(tokens["access_token"]) == {"active": False}
        assert client.userinfo(tokens["access_token"]).status_code == 401


def test_oa_16_revoking_an_access_token_ends_its_refresh_token(realm: RealmUnderTest, ada: Browser):
    with AuthlibClient(realm) as client:
        tokens, _ = client.sign_in(ada)
        client.revoke(tokens["access_token"])
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.refresh(tokens["refresh_token"])


def test_revoking_a_refresh_token_ends_the_family(realm: RealmUnderTest, ada: Browser):
    with AuthlibClient(realm) as client:
        tokens, _ = client.sign_in(ada)
        fresh = client.refresh(tokens["refresh_token"])
        assert client.revoke(fresh["refresh_token"]) == 200
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.refresh(fresh["refresh_token"])
        assert client.introspect(fresh["access_token"]) == {"active": False}


def test_oa_05_code_used_twice_is_refused_and_ends_what_it_gave(realm: RealmUnderTest, ada: Browser):
    with AuthlibClient(realm) as client:
        pending, answer = client.authorize(ada)
        tokens = dict(client.redeem(pending, answer))
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.redeem(pending, answer)
        assert client.introspect(tokens["access_token"]) == {"active": False}
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.refresh(tokens["refresh_token"])


def test_client_credentials_give_a_token_without_a_person(realm: RealmUnderTest):
    with AuthlibClient(realm, "service", SECRETS["SERVICE_SECRET"]) as client:
        tokens = client.session.fetch_token(
            realm.metadata["token_endpoint"], grant_type="client_credentials", scope="orders.read"
        )
        assert "refresh_token" not in tokens
        assert "id_token" not in tokens
        answer = client.introspect(tokens["access_token"])
    assert answer["active"] is True
    assert answer["client_id"] == "service"
    assert answer["scope"] == "orders.read"


def test_a_wrong_secret_is_refused(realm: RealmUnderTest):
    with (
        AuthlibClient(realm, "service", "x" * 43) as client,
        pytest.raises(OAuthError, match="invalid_client"),
    ):
        client.session.fetch_token(realm.metadata["token_endpoint"], grant_type="client_credentials")
