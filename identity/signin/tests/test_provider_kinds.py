"""Kinds of identity providers, each with what it wants and what it says in its own way."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from joserfc import jwt

from identity.accounts.models import User
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin.tests.fake_provider import FakeProvider, key_of
from identity.signin.tests.round_trips import (
    add,
    begin,
    come_back,
    is_in,
    link,
    refused,
    round_trip,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("announced", "chosen", "way"),
    [
        (["client_secret_basic"], "auto", "basic"),
        (["client_secret_post", "client_secret_basic"], "auto", None),
        ([], "basic", "basic"),
        (["client_secret_basic"], "post", None),
    ],
)
def test_the_secret_travels_as_the_provider_wants_it(
    announced: list[str],
    chosen: str,
    way: str | None,
    realm_a: Realm,
    as_owner_a: Actor,
    user_a: User,
    fake: FakeProvider,
) -> None:
    fake.token_auth, fake.client_id, fake.client_secret = announced, "a:b", "s%+e t".replace(" ", "")
    link(add(as_owner_a, fake, settings={"issuer": fake.issuer, "token_auth": chosen}), user_a)
    client = RealmClient(realm_a)
    round_trip(client, fake)
    assert is_in(client)
    assert fake.last_token_request.get("way") == way


def test_any_oauth2_provider_comes_in_by_its_endpoints(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    settings = {
        "authorization_endpoint": f"{fake.issuer}/authorize",
        "token_endpoint": f"{fake.issuer}/token",
        "userinfo_endpoint": f"{fake.issuer}/userinfo",
        "subject_claim": "account.id",
    }
    fake.person = {"account": {"id": 4711}, "mail": "x@y.example"}
    link(add(as_owner_a, fake, kind="oauth2", settings=settings, scopes=["who"]), user_a, "4711")
    client = RealmClient(realm_a)
    location = begin(client)
    assert "nonce" not in location
    come_back(client, fake.agree(location))
    assert is_in(client)
    fake.person = {"account": {}}
    refused(round_trip(other := RealmClient(realm_a), fake), other, 502)


def test_github_is_known_by_its_number_and_its_proven_address(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    add(as_owner_a, fake, "github", kind="github", settings={"base_url": fake.issuer})
    fake.person = {"id": 583231, "login": "octocat", "name": "The Octocat", "email": "shown@github.example"}
    fake.emails = [
        {"email": "other@github.example", "primary": False, "verified": True},
        {"email": "octo@github.example", "primary": True, "verified": True},
    ]
    client = RealmClient(realm_a)
    round_trip(client, fake, "github")
    assert is_in(client)
    with realm_scope(realm_a):
        assert User.objects.get(email="octo@github.example").email_verified
    assert SocialAccount.objects.get().uid == "583231"


def test_apple_posts_and_gets_a_signed_secret(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = key_of("own")
    monkeypatch.setattr("identity.signin.social_protocol.ISSUERS", {"apple": fake.issuer})
    pem = own.as_pem(private=True).decode()
    add(as_owner_a, fake, "apple", kind="apple", secret=pem, settings={"team_id": "TEAM123456", "key_id": "KEY1234567"})
    fake.client_secret = ""
    fake.person = {"sub": "001.apple", "email": "x@privaterelay.appleid.com", "email_verified": "true"}
    client = RealmClient(realm_a)
    location = begin(client, "apple")
    asked = parse_qs(urlsplit(location).query)
    assert asked["response_mode"] == ["form_post"]
    back = {k: v[0] for k, v in parse_qs(urlsplit(fake.agree(location)).query).items()}
    back["user"] = json.dumps({"name": {"firstName": "Ada", "lastName": "Apple"}})
    # From Apple's site: without our cookies, and without our CSRF token.
    stranger = RealmClient(realm_a, enforce_csrf_checks=True)
    sent_on = stranger.post("/signin/provider/callback", back)
    assert sent_on.status_code == 303
    assert not stranger.cookies
    come_back(client, sent_on.headers["Location"])
    assert is_in(client)
    secret = jwt.decode(fake.last_token_request["client_secret"], own, algorithms=["ES256"])
    assert secret.header["kid"] == "KEY1234567"
    assert (secret.claims["iss"], secret.claims["sub"]) == ("TEAM123456", fake.client_id)
    assert secret.claims["aud"] == "https://appleid.apple.com"
    assert secret.claims["exp"] - secret.claims["iat"] <= 300
    with realm_scope(realm_a):
        assert User.objects.get(email="x@privaterelay.appleid.com").name == "Ada Apple"


TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


def test_microsofts_issuer_is_the_tenants_own(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = fake.issuer + "/{tenantid}/v2.0"
    monkeypatch.setattr("identity.signin.social_protocol.MICROSOFT", fake.issuer + "/{tenant}/v2.0")
    monkeypatch.setattr("identity.signin.social_protocol.issuer_at", lambda provider: fake.issuer)
    fake.discovery = {"issuer": template}
    monkeypatch.setattr("identity.signin.social_protocol._same_issuer", lambda provider, said, issuer: said == template)
    add(as_owner_a, fake, "ms", kind="microsoft", settings={"tenant": "common", "trust_email": True})
    fake.bend = lambda claims: {**claims, "iss": template.replace("{tenantid}", TENANT), "tid": TENANT}
    client = RealmClient(realm_a)
    round_trip(client, fake, "ms")
    assert SocialAccount.objects.get().uid == f"{TENANT}:u-1"
    fake.bend = lambda claims: {**claims, "iss": template.replace("{tenantid}", TENANT), "tid": "0" * 36}
    refused(round_trip(other := RealmClient(realm_a), fake, "ms"), other, 502)
    fake.bend = lambda claims: {**claims, "iss": "https://evil.example", "tid": "evil.example"}
    refused(round_trip(other, fake, "ms"), other, 502)


def test_a_hosted_domain_keeps_other_google_accounts_out(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity.signin.social_protocol.ISSUERS", {"google": fake.issuer})
    add(as_owner_a, fake, "google", kind="google", settings={"hosted_domain": "corp.example"})
    client = RealmClient(realm_a)
    refused(round_trip(client, fake, "google"), client, 502)
    fake.bend = lambda claims: {**claims, "hd": "corp.example"}
    round_trip(client, fake, "google")
    assert is_in(client)
