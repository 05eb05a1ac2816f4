"""Answers of identity providers that are refused, and what of a right one counts (OA-26, OA-29)."""

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from joserfc import jwt
from joserfc.jwk import OctKey
from joserfc.util import urlsafe_b64encode

from identity.accounts.models import User
from identity.audit.reading import readable
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.fake_provider import FakeProvider, key_of
from identity.signin.tests.round_trips import (
    add,
    begin,
    come_back,
    events,
    is_in,
    link,
    refused,
    round_trip,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("mapping", "upstream", "amr"),
    [
        ({}, ["pwd", "otp", "mfa"], ["fed"]),
        ({"mfa": "mfa"}, ["mfa"], ["fed", "mfa"]),
        ({"mfa": "mfa"}, "mfa", ["fed"]),
        ({"pwd": "pwd", "otp": "otp"}, ["pwd", "otp"], ["fed", "pwd", "otp", "mfa"]),
        ({"gold": "mfa"}, ["pwd"], ["fed"]),
        ({"pwd": "pwd"}, ["pwd"], ["fed", "pwd"]),
        ({"otp": "otp"}, ["otp"], ["fed", "otp"]),
    ],
)
def test_oa_29_only_mapped_methods_of_the_signed_token_count(
    mapping: dict[str, str],
    upstream: Any,
    amr: list[str],
    realm_a: Realm,
    as_owner_a: Actor,
    user_a: User,
    fake: FakeProvider,
) -> None:
    link(add(as_owner_a, fake, amr_mapping=mapping), user_a)
    fake.bend = lambda claims: {**claims, "amr": upstream}
    fake.userinfo = {**fake.person, "amr": ["mfa"], "acr": "gold"}
    client = RealmClient(realm_a)
    round_trip(client, fake)
    with realm_scope(realm_a):
        assert Session.objects.get(user=user_a).amr == amr


def test_oa_26_an_answer_without_a_session_is_refused(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    link(add(as_owner_a, fake), user_a)
    url = fake.agree(begin(RealmClient(realm_a)))
    other = RealmClient(realm_a)
    refused(come_back(other, url), other, 400)
    refused(other.get("/signin/provider/callback"), other, 400)
    assert ("POST", "/token") not in fake.asked


def test_oa_26_an_answer_counts_once(realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider) -> None:
    link(add(as_owner_a, fake), user_a)
    client = RealmClient(realm_a)
    url = fake.agree(begin(client))
    come_back(client, url)
    client.post("/signout")
    assert come_back(client, url).status_code == 400
    assert fake.asked.count(("POST", "/token")) == 1


def test_oa_26_a_state_of_one_provider_is_not_anothers(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    link(add(as_owner_a, fake), user_a)
    add(as_owner_a, fake, "evil")
    client = RealmClient(realm_a)
    url = fake.agree(begin(client))
    state = parse_qs(urlsplit(url).query)["state"][0]
    salt = f"identity.signin.state.{realm_a.pk}"
    said = signing.loads(state, salt=salt)
    forged = signing.dumps({**said, "p": "evil"}, salt=salt)
    refused(client.get("/signin/provider/callback", {"state": forged, "code": "x"}), client, 400)
    refused(client.get("/signin/provider/callback", {"state": state[:-2] + "xx", "code": "x"}), client, 400)


def test_oa_26_a_state_of_one_realm_is_not_anothers(
    realm_a: Realm, realm_b: Realm, as_owner_a: Actor, as_owner_b: Actor, user_b: User, fake: FakeProvider
) -> None:
    add(as_owner_a, fake)
    link(add(as_owner_b, fake), user_b)
    url = fake.agree(begin(RealmClient(realm_a)))
    client = RealmClient(realm_b)
    begin(client)
    refused(client.get(f"/signin/provider/callback?{urlsplit(url).query}"), client, 400)


def test_oa_26_an_old_answer_is_refused(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    link(add(as_owner_a, fake), user_a)
    client = RealmClient(realm_a)
    url = fake.agree(begin(client))
    late = time.time() + 601
    monkeypatch.setattr("django.core.signing.time.time", lambda: late)
    refused(come_back(client, url), client, 400)


def test_rfc_9207_an_answer_of_another_issuer_is_refused(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    link(add(as_owner_a, fake), user_a)
    fake.discovery = {"authorization_response_iss_parameter_supported": True}
    client = RealmClient(realm_a)
    refused(come_back(client, fake.agree(begin(client), iss="https://evil.example")), client, 502)
    refused(come_back(client, fake.agree(begin(client))), client, 502)
    assert ("POST", "/token") not in fake.asked
    come_back(client, fake.agree(begin(client), iss=fake.issuer))
    assert is_in(client)


def test_turning_back_is_no_failure_of_anybody(realm_a: Realm, as_owner_a: Actor, fake: FakeProvider) -> None:
    add(as_owner_a, fake)
    client = RealmClient(realm_a)
    response = come_back(client, fake.refuse(begin(client)))
    assert response.status_code == 200
    assert "You turned back" in response.content.decode()
    (said,) = events(realm_a, "signin.failed")
    assert (said.payload["reason"], said.payload["method"]) == ("provider_cancelled", "corp")
    assert readable([said])[0].sentence() == "Cancelled at the provider"


def test_in_05_an_error_of_the_provider_is_said_without_its_words(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    add(as_owner_a, fake)
    client = RealmClient(realm_a)
    url = fake.refuse(begin(client), "server_error") + "&error_description=internal+10.0.0.7"
    response = come_back(client, url)
    refused(response, client, 502)
    assert "10.0.0.7" not in response.content.decode()
    assert events(realm_a, "signin.failed")[0].payload["reason"] == "provider_failed"


def hs256(fake: FakeProvider) -> Any:
    """The published key taken for a shared secret (RFC 8725, 2.1)."""
    secret = OctKey.import_key(json.dumps(fake.key.as_dict(private=False)).encode())
    return lambda claims: jwt.encode({"alg": "HS256", "kid": "k1"}, claims, secret)


def unsigned(claims: dict[str, Any]) -> str:
    parts = [json.dumps({"alg": "none"}).encode(), json.dumps(claims).encode()]
    return ".".join(urlsafe_b64encode(part).decode() for part in parts) + "."


REFUSED_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "for somebody else": {"aud": "another-client"},
    "for nobody": {"aud": None},
    "for several without azp": {"aud": ["realmkeep", "another"]},
    "used by somebody else": {"azp": "another"},
    "expired": {"exp": 1},
    "without end": {"exp": None},
    "end in words": {"exp": "tomorrow"},
    "from the future": {"iat": 4_000_000_000},
    "old": {"iat": 1_000_000_000},
    "not yet": {"nbf": 4_000_000_000},
    "no nonce": {"nonce": None},
    "another nonce": {"nonce": "x" * 32},
    "about nobody": {"sub": None},
    "about an empty one": {"sub": ""},
    "about a number": {"sub": 7},
    "about a long one": {"sub": "x" * 200},
}


@pytest.mark.parametrize("case", list(REFUSED_CLAIMS))
def test_oa_26_an_id_token_that_proves_nothing_lets_nobody_in(
    case: str, realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    link(add(as_owner_a, fake), user_a)
    changes = REFUSED_CLAIMS[case]
    fake.bend = lambda claims: {k: v for k, v in {**claims, **changes}.items() if v is not None}
    client = RealmClient(realm_a)
    refused(round_trip(client, fake), client, 502)


@pytest.mark.parametrize("case", ["wrong key", "none", "hs256", "crit", "no token", "garbage"])
def test_oa_26_an_id_token_with_a_wrong_signature_lets_nobody_in(
    case: str, realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    link(add(as_owner_a, fake), user_a)
    match case:
        case "wrong key":
            fake.key = key_of("k1")
        case "none":
            fake.sign = unsigned
        case "hs256":
            fake.sign = hs256(fake)
        case "crit":
            fake.header = {"crit": ["b64"], "b64": True}
        case "no token":
            fake.bend_page = lambda page: {k: v for k, v in page.items() if k != "id_token"}
        case "garbage":
            fake.sign = lambda claims: "a.b.c"
    client = RealmClient(realm_a)
    refused(round_trip(client, fake), client, 502)


def test_oa_23_a_new_key_of_the_provider_is_fetched_once(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    link(add(as_owner_a, fake), user_a)
    client = RealmClient(realm_a)
    round_trip(client, fake)
    fake.key = key_of("k2", "RSA")
    fake.alg = "RS256"
    fake.published.append(fake.key)
    client = RealmClient(realm_a)
    round_trip(client, fake)
    assert is_in(client)
    assert fake.asked.count(("GET", "/jwks")) == 2
    fake.key = key_of("k3")
    fake.alg = "ES256"
    client = RealmClient(realm_a)
    refused(round_trip(client, fake), client, 502)
    assert fake.asked.count(("GET", "/jwks")) == 2


def test_the_page_about_the_person_must_be_about_the_same(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    link(add(as_owner_a, fake), user_a)
    fake.userinfo = {"sub": "somebody-else"}
    client = RealmClient(realm_a)
    refused(round_trip(client, fake), client, 502)


def test_discovery_that_names_another_issuer_is_refused(realm_a: Realm, as_owner_a: Actor, fake: FakeProvider) -> None:
    add(as_owner_a, fake)
    fake.discovery = {"issuer": "https://accounts.google.com"}
    assert RealmClient(realm_a).get("/signin/provider/corp").status_code == 502


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_in_01_endpoints_of_a_discovery_page_are_checked_like_typed_ones(
    endpoint: str, realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    add(as_owner_a, fake)
    fake.discovery = {endpoint: "javascript:alert(1)"}
    assert RealmClient(realm_a).get("/signin/provider/corp").status_code == 502


def test_in_01_a_token_endpoint_inside_is_not_asked(realm_a: Realm, as_owner_a: Actor, fake: FakeProvider) -> None:
    add(as_owner_a, fake)
    fake.discovery = {"token_endpoint": "https://169.254.169.254/latest"}
    client = RealmClient(realm_a)
    refused(round_trip(client, fake), client, 502)
