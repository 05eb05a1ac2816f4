"""Coming in through an identity provider, with a real server on the other side and our own client code."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount

from identity.accounts.models import User
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.realms.commands import disable_provider
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.fake_provider import FakeProvider
from identity.signin.tests.round_trips import add, begin, events, is_in, link, round_trip

pytestmark = pytest.mark.django_db


def test_the_question_is_a_code_with_pkce_nonce_and_state(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    add(as_owner_a, fake)
    url = urlsplit(begin(RealmClient(realm_a), hint="dana@corp.example"))
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{fake.issuer}/authorize"
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["nonce"]) >= 22
    assert asked["scope"] == "openid email profile"
    assert asked["redirect_uri"] == "http://testserver/realms/a/signin/provider/callback"
    assert asked["login_hint"] == "dana@corp.example"
    assert fake.client_secret not in url.query


def test_an_unknown_or_disabled_provider_is_not_there(realm_a: Realm, as_owner_a: Actor, fake: FakeProvider) -> None:
    client = RealmClient(realm_a)
    assert client.get("/signin/provider/corp").status_code == 404
    provider = add(as_owner_a, fake)
    with realm_scope(realm_a):
        disable_provider(as_owner_a, provider_id=provider.pk)
    assert client.get("/signin/provider/corp").status_code == 404


def test_another_site_cannot_begin_a_sign_in(realm_a: Realm, as_owner_a: Actor, fake: FakeProvider) -> None:
    add(as_owner_a, fake)
    response = RealmClient(realm_a).get("/signin/provider/corp", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 200
    assert "Corp ID signs you in" in response.content.decode()
    assert not fake.asked


def test_a_provider_that_is_away_is_said_without_detail(realm_a: Realm, as_owner_a: Actor, fake: FakeProvider) -> None:
    add(as_owner_a, fake)
    fake.status["/.well-known/openid-configuration"] = 500
    response = RealmClient(realm_a).get("/signin/provider/corp")
    assert response.status_code == 502
    assert "can’t be reached" in response.content.decode()
    assert fake.issuer not in response.content.decode()


def test_in_01_an_issuer_inside_is_never_asked(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider, settings: Any
) -> None:
    add(as_owner_a, fake)
    settings.REALMKEEP_OUTBOUND_NETWORKS = []
    assert RealmClient(realm_a).get("/signin/provider/corp").status_code == 502
    assert not fake.asked


def test_a_linked_person_comes_in_and_it_is_said(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    provider = add(as_owner_a, fake, sign_up="link")
    link(provider, user_a)
    client = RealmClient(realm_a)
    response = round_trip(client, fake, next="/realms/a/account/security")
    assert response.headers["Location"] == "/realms/a/account/security"
    assert is_in(client)
    (said,) = events(realm_a, "signin.succeeded")
    assert (said.target_id, said.payload["method"], said.payload["amr"]) == (user_a.pk, "corp", ["fed"])
    with realm_scope(realm_a):
        session = Session.objects.get(user=user_a)
        assert session.amr == ["fed"]
        assert session.ip
    assert SocialAccount.objects.get().extra_data == {"label": "dana@corp.example"}


def test_ti_01_the_same_subject_in_two_realms_is_two_people(
    realm_a: Realm, realm_b: Realm, as_owner_a: Actor, as_owner_b: Actor, fake: FakeProvider
) -> None:
    for realm, actor in ((realm_a, as_owner_a), (realm_b, as_owner_b)):
        add(actor, fake)
        client = RealmClient(realm)
        round_trip(client, fake)
        assert is_in(client)
    people = User.all_realms.filter(email="dana@corp.example")
    assert {person.realm_id for person in people} == {realm_a.pk, realm_b.pk}
    assert len({account.user_id for account in SocialAccount.objects.all()}) == 2
