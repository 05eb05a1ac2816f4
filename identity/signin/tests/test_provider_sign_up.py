"""A first sign-in through an identity provider: who gets an account, by which policy, and what is asked first."""

import json
import re
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount

from identity.accounts.models import Attribute, User, UserStatus
from identity.courier.testing import mails
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin.tests.fake_provider import FakeProvider
from identity.signin.tests.round_trips import (
    FINISH,
    add,
    code_to,
    events,
    is_in,
    link,
    note_of,
    plain,
    policy,
    round_trip,
)

pytestmark = pytest.mark.django_db


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
