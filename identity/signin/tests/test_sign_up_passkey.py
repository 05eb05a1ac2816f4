"""Signing up with a passkey in place of a password: an address or number is proven first, then both are made."""

import json
import re

import pytest
from django.contrib.auth import SESSION_KEY

from conftest import make_user
from identity.accounts.models import User
from identity.courier.commands import deliver_due
from identity.courier.testing import mails
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.mfa.testing import SoftKey
from identity.realms.commands import change_realm_settings
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db

FORM = {"name": "Kim Park", "with": "passkey"}
EMAIL = {**FORM, "email": "kim@example.com"}
NUMBER = "+4915112345678"


def allow(realm, **settings):
    with realm_scope(realm):
        change_realm_settings(system_actor(realm.pk), changes=settings)
    realm.refresh_from_db()
    return realm


def note_of(response):
    return re.search(r'name="note" value="([^"]+)"', response.text)[1]


def newest_code(realm):
    deliver_due()
    return re.search(r"\b(\d{6})\b", mails(realm)[-1].text)[1]


def options_of(response):
    found = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', response.text, re.DOTALL)
    return json.loads(found.group(1))


def people(realm, **filters):
    with realm_scope(realm):
        return list(User.objects.filter(**filters))


def proven(realm, client, form=EMAIL):
    page = client.post("/signup", form)
    return client.post("/signup/code", {"note": note_of(page), "code": newest_code(realm)})


@pytest.fixture
def with_passkeys(realm_a):
    return allow(realm_a, passkey_sign_in=True)


def test_a_person_signs_up_and_in_again_with_a_passkey_alone(with_passkeys, events):
    realm, client, key = with_passkeys, RealmClient(with_passkeys), SoftKey("http://testserver")
    assert "Use a passkey instead of a password" in client.get("/signup").text
    page = proven(realm, client)
    assert people(realm, email="kim@example.com") == []
    sent = {"note": note_of(page), "credential": json.dumps(key.create(options_of(page))), "name": "Phone"}
    assert client.post("/signup/code", sent)["Location"] == "/realms/a/account/"
    (kim,) = people(realm, email="kim@example.com")
    assert client.session.get(SESSION_KEY) == str(kim.pk)
    assert (kim.email_verified, kim.has_usable_password()) == (True, False)
    assert kim.pk.bytes == key.user_handle
    assert "user" in events(realm, "signin.succeeded")[-1].row.payload["amr"]
    assert events(realm, "factor.added")[-1].row.target_id == kim.pk
    again = RealmClient(realm)
    asked = json.loads(again.get("/signin/passkey").text)
    answer = {"state": asked["state"], "credential": json.dumps(key.get(asked["options"]))}
    assert again.post("/signin/passkey", answer)["Location"] == "/realms/a/account/"


def test_a_passkey_that_does_not_answer_makes_no_account(with_passkeys):
    realm, client = with_passkeys, RealmClient(with_passkeys)
    page = proven(realm, client)
    for credential in ("", "{}", json.dumps(SoftKey("https://evil.example").create(options_of(page)))):
        page = client.post("/signup/code", {"note": note_of(page), "credential": credential})
        assert "couldn’t be added" in page.text
    unverified = SoftKey("http://testserver")
    unverified.flags = 1
    page = client.post(
        "/signup/code", {"note": note_of(page), "credential": json.dumps(unverified.create(options_of(page)))}
    )
    assert "couldn’t be added" in page.text
    assert people(realm, email="kim@example.com") == []
    right = SoftKey("http://testserver")
    sent = {"note": note_of(page), "credential": json.dumps(right.create(options_of(page)))}
    assert RealmClient(realm).post("/signup/code", sent).status_code == 200  # another browser was never asked
    assert client.post("/signup/code", sent).status_code == 302
    assert len(people(realm, email="kim@example.com")) == 1
    assert client.post("/signup/code", sent).status_code == 200
    assert len(people(realm, email="kim@example.com")) == 1


def test_lg_01_without_the_code_there_is_no_way_to_the_passkey(with_passkeys):
    realm, client, key = with_passkeys, RealmClient(with_passkeys), SoftKey("http://testserver")
    note = note_of(client.post("/signup", EMAIL))
    page = proven(realm, RealmClient(realm), {**EMAIL, "email": "other@example.com"})
    credential = json.dumps(key.create(options_of(page)))
    refused = client.post("/signup/code", {"note": note, "credential": credential})
    assert "Type the 6 digits" in refused.text
    assert people(realm, email="kim@example.com") == []


def test_lg_23_an_owned_address_looks_the_same_and_no_code_opens_it(with_passkeys, user_a):
    client = RealmClient(with_passkeys)
    page = client.post("/signup", {**EMAIL, "email": "dana@example.com"})
    assert "Check your email" in page.text
    deliver_due()
    (mail,) = mails(with_passkeys)
    assert "already have an account" in mail.subject
    assert "didn’t work" in client.post("/signup/code", {"note": note_of(page), "code": "123456"}).text
    assert len(people(with_passkeys, email="dana@example.com")) == 1


def test_by_number_in_two_realms_each_has_its_own_passkey(realm_a, realm_b):
    keys = {}
    for realm in (realm_a, realm_b):
        allow(realm, passkey_sign_in=True, sign_up_identifiers=["phone"], default_country="DE")
        client, key = RealmClient(realm), SoftKey("http://testserver")
        page = proven(realm, client, {**FORM, "phone": "0151 12345678"})
        sent = {"note": note_of(page), "credential": json.dumps(key.create(options_of(page)))}
        assert client.post("/signup/code", sent).status_code == 302
        (person,) = people(realm, phone=NUMBER)
        keys[realm.slug] = (key, person)
        assert client.session.get(SESSION_KEY) == str(person.pk)
    key_a, person_a = keys["a"]
    assert person_a.pk != keys["b"][1].pk
    other = RealmClient(realm_b)
    asked = json.loads(other.get("/signin/passkey").text)
    answer = {"state": asked["state"], "credential": json.dumps(key_a.get(asked["options"]))}
    assert "/signin" in other.post("/signin/passkey", answer)["Location"]
    assert SESSION_KEY not in other.session


def test_where_the_realm_has_no_passkeys_a_password_is_needed(realm_a):
    client = RealmClient(realm_a)
    assert "Use a passkey" not in client.get("/signup").text
    refused = client.post("/signup", EMAIL)
    assert list(refused.context["form"].errors) == ["password1"]


def test_with_a_number_first_the_address_is_still_confirmed_by_its_mail(with_passkeys):
    allow(with_passkeys, sign_up_identifiers=["phone", "email"], phone_sign_in=True)
    client, key = RealmClient(with_passkeys), SoftKey("http://testserver")
    page = client.post("/signup", {**EMAIL, "phone": NUMBER})
    page = client.post("/signup/code", {"note": note_of(page), "code": newest_code(with_passkeys)})
    sent = {"note": note_of(page), "credential": json.dumps(key.create(options_of(page)))}
    assert client.post("/signup/code", sent)["Location"] == "/realms/a/signup/sent"
    assert SESSION_KEY not in client.session
    (kim,) = people(with_passkeys, phone=NUMBER)
    assert not kim.email_verified


def test_a_name_that_is_taken_meanwhile_makes_neither(with_passkeys):
    realm, client, key = with_passkeys, RealmClient(with_passkeys), SoftKey("http://testserver")
    page = proven(realm, client)
    make_user(realm, "kim@example.com")
    sent = {"note": note_of(page), "credential": json.dumps(key.create(options_of(page)))}
    assert "/signin" in client.post("/signup/code", sent)["Location"]
    assert len(people(realm, email="kim@example.com")) == 1
