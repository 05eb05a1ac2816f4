"""Coming in through an identity provider, with a real server on the other side and our own client code."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core import signing
from joserfc import jwt
from joserfc.jwk import OctKey

from conftest import actor_of, make_user
from identity.accounts.models import Attribute, User, UserStatus
from identity.audit.models import AuditEvent
from identity.audit.reading import readable
from identity.courier.models import Message
from identity.courier.rendering import render
from identity.courier.testing import mails
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.realms.commands import create_provider, disable_provider
from identity.realms.models import IdentityProvider, Realm
from identity.realms.queries import provider_key
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.fake_provider import FakeProvider, key_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeProvider]:
    settings.REALMKEEP_OUTBOUND_NETWORKS = ["127.0.0.0/8"]
    with FakeProvider() as provider:
        yield provider


FINISH = "/realms/a/signin/provider/finish"


def add(actor: Actor, fake: FakeProvider, alias: str = "corp", **fields: Any) -> IdentityProvider:
    values: dict[str, Any] = {
        "name": "Corp ID",
        "kind": "oidc",
        "client_id": fake.client_id,
        "secret": fake.client_secret,
        "settings": {"issuer": fake.issuer, "trust_email": True},
        "sign_up": "create",
        **fields,
    }
    with realm_scope(Realm.objects.get(pk=actor.realm_id)):
        return create_provider(actor, alias=alias, **values)


def link(provider: IdentityProvider, user: User, uid: str = "u-1") -> SocialAccount:
    account: SocialAccount = SocialAccount.objects.create(
        user=user, provider=provider_key(provider), uid=uid, extra_data={"label": "old"}
    )
    return account


def begin(client: RealmClient, alias: str = "corp", **query: str) -> str:
    response = client.get(f"/signin/provider/{alias}", query)
    assert response.status_code == 302, response.content.decode()[:2000]
    return str(response.headers["Location"])


def come_back(client: RealmClient, url: str) -> Any:
    return client.get(url.removeprefix("http://testserver"))


def round_trip(client: RealmClient, fake: FakeProvider, alias: str = "corp", **query: str) -> Any:
    return come_back(client, fake.agree(begin(client, alias, **query)))


def is_in(client: RealmClient) -> bool:
    return bool(client.session.get("_auth_user_id"))


def events(realm: Realm, *types: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type__in=types).order_by("id"))


# --- the way there ---------------------------------------------------------------------------------------------------


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


# --- coming in -------------------------------------------------------------------------------------------------------


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


def test_a_first_sign_in_makes_an_account_where_the_policy_lets_it(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    add(as_owner_a, fake, attribute_mapping={"email": "email", "name": "name", "attributes.team": "org.team"})
    fake.person |= {"org": {"team": "red"}, "is_superuser": True, "status": "x"}
    with realm_scope(realm_a):
        Attribute.objects.create(name="team", label="Team", created_at="2026-01-01T00:00:00Z")
    client = RealmClient(realm_a)
    assert round_trip(client, fake).status_code == 302
    assert is_in(client)
    with realm_scope(realm_a):
        user = User.objects.get(email="dana@corp.example")
    assert (user.name, user.email_verified, user.has_usable_password()) == ("Dana Corp", True, False)
    assert user.attributes == {"team": "red"}
    assert [each.type for each in events(realm_a, "user.created", "identity.linked", "signup.completed")][-3:] == [
        "user.created",
        "identity.linked",
        "signup.completed",
    ]
    again = RealmClient(realm_a)
    round_trip(again, fake)
    assert is_in(again)
    assert User.all_realms.filter(email="dana@corp.example").count() == 1


@pytest.mark.parametrize(("trust", "verified"), [(False, True), (True, False), (True, "yes"), (True, None)])
def test_oa_28_an_address_is_verified_only_by_a_trusted_true(
    trust: bool, verified: Any, realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    add(as_owner_a, fake, settings={"issuer": fake.issuer, "trust_email": trust})
    fake.person["email_verified"] = verified
    client = RealmClient(realm_a)
    assert round_trip(client, fake).headers["Location"] == FINISH
    assert 'value="dana@corp.example"' in client.get(FINISH).content.decode()
    assert not is_in(client)
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("verified", [True, "true"])
@pytest.mark.parametrize("policy", ["link", "create", "approve"])
def test_oa_28_somebodys_address_never_opens_his_account(
    policy: str, verified: Any, realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    add(as_owner_a, fake, sign_up=policy)
    fake.person |= {"email": "Dana@Example.com", "email_verified": verified}
    client = RealmClient(realm_a)
    response = round_trip(client, fake)
    assert response.headers["Location"] == "/realms/a/signin/provider/link"
    assert not is_in(client)
    assert not SocialAccount.objects.exists()
    page = client.get("/signin/provider/link").content.decode()
    assert "There is an account with this address" in page
    assert "action_link" not in page
    client.post("/signin/provider/link", {"action_link": "1"})
    assert not SocialAccount.objects.exists()


def plain(response: Any) -> str:
    """A page without what differs each time."""
    text = re.sub(r'name="(note|csrfmiddlewaretoken)" value="[^"]*"', "", response.content.decode())
    return re.sub(r"(dana|free)@example\.com", "…", re.sub(r'nonce="[^"]*"', "", text))


@pytest.mark.parametrize("policy", ["create", "approve", "link"])
def test_lg_23_an_address_that_the_provider_did_not_prove_is_answered_alike_taken_or_free(
    policy: str, realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    add(as_owner_a, fake, sign_up=policy)
    pages = []
    for address in ("dana@example.com", "free@example.com"):
        fake.person |= {"email": address, "email_verified": False}
        client = RealmClient(realm_a)
        where = round_trip(client, fake).headers["Location"]
        seen = [where, plain(client.get(where))]
        if policy != "link":
            sent = client.post(where, {"email": address})
            assert "Check your email" in sent.content.decode()
            seen += [plain(sent), plain(client.post(where, {"note": note_of(sent), "code": "000000"}))]
        pages.append(seen)
        assert not is_in(client)
    assert pages[0] == pages[1]
    assert not SocialAccount.objects.exists()


def note_of(page: Any) -> str:
    found = re.search(r'name="note" value="([^"]+)"', page.content.decode())
    assert found is not None
    return found[1]


def code_to(realm: Realm, to: str) -> str:
    texts = [mail.text for mail in mails(realm) if mail.to == to]
    found = re.search(r"\b\d{6}\b", texts[-1])
    assert found is not None
    return found[0]


def test_oa_28_after_signing_in_to_the_own_account_the_two_are_linked(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    add(as_owner_a, fake, sign_up="link")
    client = RealmClient(realm_a)
    round_trip(client, fake, next="/realms/a/account/activity")
    client.post(
        "/signin",
        {"login": "dana@example.com", "password": "correct horse battery", "next": "/realms/a/signin/provider/link"},
    )
    assert is_in(client)
    assert not SocialAccount.objects.exists()
    assert "action_link" in client.get("/signin/provider/link").content.decode()
    response = client.post("/signin/provider/link", {"action_link": "1"})
    assert response.headers["Location"] == "/realms/a/account/activity"
    (account,) = SocialAccount.objects.all()
    assert (account.user_id, account.uid) == (user_a.pk, "u-1")
    (said,) = events(realm_a, "identity.linked")
    assert "dana@corp.example" not in json.dumps(said.payload)
    other = RealmClient(realm_a)
    round_trip(other, fake)
    assert is_in(other)


@pytest.mark.parametrize("is_open", [True, False])
def test_where_only_linked_people_come_in_the_page_says_who_makes_accounts(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider, is_open: bool
) -> None:
    add(as_owner_a, fake, sign_up="link")
    policy(realm_a, sign_up_open=is_open)
    client = RealmClient(realm_a)
    round_trip(client, fake)
    page = client.get("/signin/provider/link").content.decode()
    assert ('href="/realms/a/signup?next=%2Frealms%2Fa%2Fsignin%2Fprovider%2Flink"' in page) is is_open
    assert ("The people who run it can make one" in page) is not is_open


def test_an_approved_policy_makes_an_account_that_waits(realm_a: Realm, as_owner_a: Actor, fake: FakeProvider) -> None:
    add(as_owner_a, fake, sign_up="approve")
    client = RealmClient(realm_a)
    first = round_trip(client, fake)
    with realm_scope(realm_a):
        assert User.objects.get(email="dana@corp.example").status == UserStatus.PENDING
    assert not is_in(client)
    again = round_trip(RealmClient(realm_a), fake)
    assert (first.headers["Location"], again.headers["Location"]) == (
        "/realms/a/signup/waiting",
        "/realms/a/signin/unusable",
    )
    assert "waits for approval" in RealmClient(realm_a).get("/signin/unusable").content.decode()
    assert {each.payload["reason"] for each in events(realm_a, "signin.failed")} == {"pending"}


@pytest.mark.parametrize("status", [UserStatus.DISABLED, UserStatus.LOCKED, UserStatus.PENDING])
def test_lg_23_who_may_not_come_in_meets_the_same_page(
    status: str, realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    link(add(as_owner_a, fake), user_a)
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(status=status)
    client = RealmClient(realm_a)
    response = round_trip(client, fake)
    assert response.headers["Location"] == "/realms/a/signin/unusable"
    assert not is_in(client)
    (said,) = events(realm_a, "signin.failed")
    assert (said.payload["reason"], said.payload["method"]) == (str(status), "corp")


def test_lg_23_without_an_address_one_is_asked_for_and_proven_by_a_code(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    add(as_owner_a, fake)
    del fake.person["email"]
    client = RealmClient(realm_a)
    assert round_trip(client, fake).headers["Location"] == FINISH
    assert client.get(FINISH).status_code == 200
    taken = client.post(FINISH, {"email": "dana@example.com"})
    assert "Check your email" in taken.content.decode()
    (told,) = [mail for mail in mails(realm_a) if mail.to == "dana@example.com"]
    assert "already have an account" in told.subject
    assert "Corp ID" in told.text
    assert not re.search(r"\b\d{6}\b", told.text), "the owner’s code went to nobody"
    sent = client.post(FINISH, {"email": "new@example.com"})
    assert not SocialAccount.objects.exists()
    code = code_to(realm_a, "new@example.com")
    wrong = client.post(FINISH, {"note": note_of(taken), "code": code})
    assert "That code didn’t work" in wrong.content.decode()
    assert not SocialAccount.objects.exists()
    assert client.post("/signup/code", {"note": note_of(sent), "code": code}).status_code == 200
    assert not User.all_realms.filter(email="new@example.com").exists(), "a wish of one way is none of another"
    client.post(FINISH, {"note": note_of(sent), "code": code})
    with realm_scope(realm_a):
        user = User.objects.get(email="new@example.com")
    assert user.email_verified
    assert is_in(client)
    assert SocialAccount.objects.get().user_id == user.pk
    other = RealmClient(realm_a)
    assert other.post(FINISH, {"note": note_of(sent), "code": code}).status_code == 400


def policy(realm: Realm, **settings: Any) -> None:
    Realm.objects.filter(pk=realm.pk).update(settings={**realm.settings, **settings})


def test_lg_10_a_provider_leads_round_nothing_that_sign_up_asks_of_everybody(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    policy(realm_a, sign_up_identifiers=["email", "username"])
    with realm_scope(realm_a):
        made: dict[str, Any] = {"created_at": "2026-01-01T00:00:00Z", "at_sign_up": True, "required": True}
        Attribute.objects.create(name="team", label="Team", **made)
        Attribute.objects.create(name="unit", label="Unit", **made)
    add(as_owner_a, fake, attribute_mapping={"email": "email", "attributes.team": "team", "username": "nick"})
    fake.person |= {"team": "red", "nick": "dana.c"}
    client = RealmClient(realm_a)
    assert round_trip(client, fake).headers["Location"] == FINISH
    page = client.get(FINISH)
    assert set(page.context["form"].fields) == {"username", "attribute_unit"}
    assert 'value="dana.c"' in page.content.decode()
    refused = client.post(FINISH, {"username": "two words", "attribute_unit": "", "attribute_team": "blue"})
    assert set(refused.context["form"].errors) == {"username", "attribute_unit"}
    assert not SocialAccount.objects.exists()
    client.post(FINISH, {"username": "dana.x", "attribute_unit": "7", "attribute_team": "blue", "phone": "+49"})
    assert is_in(client)
    with realm_scope(realm_a):
        user = User.objects.get(email="dana@corp.example")
    assert (user.username, user.attributes, user.phone) == ("dana.x", {"team": "red", "unit": "7"}, None)


def test_lg_10_a_number_that_sign_up_asks_for_is_proven_after_a_provider_too(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    policy(realm_a, sign_up_identifiers=["phone", "email"])
    add(as_owner_a, fake)
    client = RealmClient(realm_a)
    assert round_trip(client, fake).headers["Location"] == FINISH
    sent = client.post(FINISH, {"phone": "+4915112345678"})
    assert "Check your phone" in sent.content.decode()
    assert not SocialAccount.objects.exists()
    client.post(FINISH, {"note": note_of(sent), "code": code_to(realm_a, "+4915112345678")})
    assert is_in(client)
    with realm_scope(realm_a):
        user = User.objects.get(email="dana@corp.example")
    assert (user.phone, user.phone_verified_at is not None, user.email_verified) == ("+4915112345678", True, True)


def test_lg_23_behind_a_proven_number_an_address_that_nobody_proved_is_answered_alike(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    policy(realm_a, sign_up_identifiers=["phone", "email"])
    add(as_owner_a, fake)
    del fake.person["email"]
    answers = []
    for number, address in (("+4915112345678", "dana@example.com"), ("+4915112345679", "free@example.com")):
        client = RealmClient(realm_a)
        round_trip(client, fake)
        sent = client.post(FINISH, {"phone": number, "email": address})
        done = client.post(FINISH, {"note": note_of(sent), "code": code_to(realm_a, number)})
        answers.append((done.status_code, done.headers["Location"], is_in(client)))
    assert answers[0] == answers[1]
    assert answers[0][1:] == ("/realms/a/signup/sent", False)
    assert not User.all_realms.filter(phone="+4915112345678").exists()


def test_terms_are_accepted_before_there_is_an_account(realm_a: Realm, as_owner_a: Actor, fake: FakeProvider) -> None:
    add(as_owner_a, fake)
    Realm.objects.filter(pk=realm_a.pk).update(
        settings={**realm_a.settings, "terms_version": "2", "terms_uri": "https://a.example/terms"}
    )
    client = RealmClient(realm_a)
    assert round_trip(client, fake).headers["Location"] == "/realms/a/signin/provider/finish"
    assert not SocialAccount.objects.exists()
    client.post("/signin/provider/finish", {})
    assert not SocialAccount.objects.exists()
    client.post("/signin/provider/finish", {"terms": "on"})
    assert is_in(client)
    with realm_scope(realm_a):
        assert User.objects.get(email="dana@corp.example").terms_version == "2"


def test_the_realms_lists_of_domains_stand_over_the_provider(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    add(as_owner_a, fake)
    Realm.objects.filter(pk=realm_a.pk).update(settings={"sign_up_domains_blocked": ["corp.example"]})
    client = RealmClient(realm_a)
    assert round_trip(client, fake).status_code == 422
    assert not SocialAccount.objects.exists()


# --- factors ---------------------------------------------------------------------------------------------------------


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


# --- refused answers (OA-26) -----------------------------------------------------------------------------------------


def refused(response: Any, client: RealmClient, status: int) -> None:
    assert response.status_code == status, response.headers.get("Location")
    assert not is_in(client)


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
    from joserfc.util import urlsafe_b64encode

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


# --- other kinds -----------------------------------------------------------------------------------------------------


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


# --- own links -------------------------------------------------------------------------------------------------------


def test_a_signed_in_person_links_and_unlinks(
    realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider
) -> None:
    add(as_owner_a, fake, sign_up="link")
    client = RealmClient(realm_a).sign_in(user_a)
    location = client.get("/account/linked/corp/link").headers["Location"]
    back = come_back(client, fake.agree(location))
    assert back.headers["Location"] == "/realms/a/signin/provider/link"
    assert not SocialAccount.objects.exists()
    client.post("/signin/provider/link", {"action_link": "1"})
    assert SocialAccount.objects.get().user_id == user_a.pk
    assert client.get("/account/linked/corp/unlink").status_code == 200
    client.post("/account/linked/corp/unlink")
    assert not SocialAccount.objects.exists()
    assert [each.type for each in events(realm_a, "identity.linked", "identity.unlinked")] == [
        "identity.linked",
        "identity.unlinked",
    ]
    with realm_scope(realm_a):
        templates = list(Message.objects.order_by("id").values_list("template", flat=True))
    assert templates[-2:] == ["identity_linked", "identity_unlinked"]
    assert client.post("/account/linked/corp/unlink").status_code == 404


def test_linking_needs_a_fresh_sign_in(realm_a: Realm, as_owner_a: Actor, user_a: User, fake: FakeProvider) -> None:
    add(as_owner_a, fake)
    client = RealmClient(realm_a).sign_in(user_a)
    location = client.get("/account/linked/corp/link").headers["Location"]
    come_back(client, fake.agree(location))
    Session.all_realms.update(authenticated_at="2020-01-01T00:00:00Z")
    assert "/signin/again" in client.get("/signin/provider/link").headers["Location"]
    client.post("/signin/provider/link", {"action_link": "1"})
    assert not SocialAccount.objects.exists()
    assert "/signin/again" in client.get("/account/linked/corp/link").headers["Location"]
    assert "/signin/again" in client.post("/account/linked/corp/unlink").headers["Location"]


def test_a_link_never_ends_at_who_signed_in_in_between(
    realm_a: Realm, as_owner_a: Actor, owner_a: User, user_a: User, fake: FakeProvider
) -> None:
    add(as_owner_a, fake)
    client = RealmClient(realm_a).sign_in(user_a)
    url = fake.agree(client.get("/account/linked/corp/link").headers["Location"])
    with realm_scope(realm_a):
        store = client.session
        store["_auth_user_id"] = str(owner_a.pk)
        store["_auth_user_hash"] = owner_a.get_session_auth_hash()
        store.save()
    assert come_back(client, url).status_code == 400
    assert not SocialAccount.objects.exists()


def test_one_subject_is_linked_with_one_person(
    realm_a: Realm, as_owner_a: Actor, owner_a: User, user_a: User, fake: FakeProvider
) -> None:
    link(add(as_owner_a, fake), owner_a)
    client = RealmClient(realm_a).sign_in(user_a)
    come_back(client, fake.agree(client.get("/account/linked/corp/link").headers["Location"]))
    client.post("/signin/provider/link", {"action_link": "1"})
    assert SocialAccount.objects.get().user_id == owner_a.pk


def test_the_last_way_in_is_never_unlinked_and_a_password_can_be_set_later(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    add(as_owner_a, fake)
    client = RealmClient(realm_a)
    round_trip(client, fake)
    assert is_in(client)
    client.post("/account/linked/corp/unlink")
    assert SocialAccount.objects.count() == 1
    response = client.post("/account/password/set", {"password1": "a long enough phrase 7"})
    assert response.status_code == 302
    client.post("/account/linked/corp/unlink")
    assert not SocialAccount.objects.exists()


def test_unlinking_for_somebody_needs_the_permission(
    realm_a: Realm, realm_b: Realm, as_owner_a: Actor, as_owner_b: Actor, as_user_a: Actor, fake: FakeProvider
) -> None:
    from identity.kernel.errors import NotFound, PermissionDenied
    from identity.signin.commands import unlink_identity

    provider = add(as_owner_a, fake)
    other = make_user(realm_a, "lee@example.com")
    link(provider, other)
    with realm_scope(realm_a), pytest.raises((NotFound, PermissionDenied)):
        unlink_identity(as_user_a, user_id=other.pk, provider_id=provider.pk)
    with realm_scope(realm_b), pytest.raises(NotFound):
        unlink_identity(as_owner_b, user_id=other.pk, provider_id=provider.pk)
    with realm_scope(realm_a):
        unlink_identity(as_owner_a, user_id=other.pk, provider_id=provider.pk)
    assert not SocialAccount.objects.exists()


def test_no_owner_is_locked_out_by_closing_a_provider(
    realm_a: Realm, as_owner_a: Actor, owner_a: User, fake: FakeProvider
) -> None:
    from identity.kernel.errors import Conflict
    from identity.signin.commands import close_provider, remove_provider

    provider = add(as_owner_a, fake)
    link(provider, owner_a)
    with realm_scope(realm_a):
        User.objects.filter(pk=owner_a.pk).update(password="!")
        with pytest.raises(Conflict) as refusal:
            close_provider(actor_of(owner_a), provider_id=provider.pk)
        assert refusal.value.reason == "nobody_left"
        with pytest.raises(Conflict):
            remove_provider(actor_of(owner_a), provider_id=provider.pk, typed_alias="corp")
        assert IdentityProvider.objects.get().enabled


def test_a_domain_of_another_alphabet_leads_to_its_provider(
    realm_a: Realm, as_owner_a: Actor, fake: FakeProvider
) -> None:
    provider = add(as_owner_a, fake, domains=["München.example"])
    assert provider.domains == ["xn--mnchen-3ya.example"]
    client = RealmClient(realm_a)
    for typed in ("dana@münchen.example", "dana@MÜNCHEN.example.", "dana@xn--mnchen-3ya.example"):
        assert "Corp ID" in client.post("/signin", {"login": typed}).content.decode(), typed


@pytest.mark.parametrize("template", ["identity_linked", "identity_unlinked"])
def test_the_mails_name_the_provider_as_text(template: str, realm_a: Realm) -> None:
    context = {
        "name": "Dana",
        "email": "dana@example.com",
        "provider": "Corp <b>ID</b>",
        "reset_url": "https://x.example",
    }
    with realm_scope(realm_a):
        found = render(realm_a, "email", template, context, "en")
    assert "Realm A" in found.subject
    assert "Corp <b>ID</b>" in found.text
    assert "<b>ID" not in found.html
