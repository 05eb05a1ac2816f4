"""A forgotten password, by a code to the own number."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from conftest import make_user
from identity.accounts.commands import disable_user
from identity.accounts.models import User
from identity.audit.reading import ReadableEvent
from identity.courier.testing import mails
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.mfa.models import MessageDevice
from identity.mfa.testing import code_at
from identity.mfa.tests.conftest import with_app
from identity.realms.commands import change_realm_settings
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import PASSWORD, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

Events = Callable[[Realm, str], list[ReadableEvent]]
NUMBER = "+4930123456"
NEW = "another good phrase"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def with_settings(realm: Realm, **settings: Any) -> None:
    with realm_scope(realm):
        change_realm_settings(system_actor(realm.pk), changes=settings)


@pytest.fixture
def dana(realm_a: Realm, user_a: User, realm_b: Realm, user_b: User) -> User:
    """Dana, with a confirmed number, in a realm where numbers are names; and the same in another realm."""
    for realm, user in ((realm_a, user_a), (realm_b, user_b)):
        with_settings(realm, phone_sign_in=True, default_country="DE")
        with realm_scope(realm):
            User.objects.filter(pk=user.pk).update(phone=NUMBER, phone_verified_at=clock.now())
    return user_a


def texts(realm: Realm) -> list[str]:
    """The numbers' codes, oldest first."""
    sent = [mail for mail in mails(realm) if "choose a new" in mail.text and mail.to == NUMBER]
    return [re.findall(r"\b\d{6}\b", mail.text)[0] for mail in sent]


def asked(realm: Realm, login: str = NUMBER, **data: str) -> tuple[RealmClient, str]:
    client = RealmClient(realm)
    page = client.post("/password/reset", {"email": login, **data})
    return client, page.context["note"] if page.context and "note" in page.context else ""


def test_a_code_to_the_own_number_leads_to_a_new_password(realm_a: Realm, dana: User, events: Events) -> None:
    elsewhere = RealmClient(realm_a).sign_in(dana)
    client, note = asked(realm_a, "030 123456")
    (code,) = texts(realm_a)
    assert client.post("/password/reset/code", {"note": note, "code": "000000"}).status_code == 200
    done = client.post("/password/reset/code", {"note": note, "code": code})
    assert done.status_code == 302
    assert client.get("/account/").status_code == 302, "the code signs nobody in"
    path = done["Location"].removeprefix("/realms/a")
    assert client.post(path, {"password1": NEW})["Location"] == "/realms/a/password/reset/done"
    assert elsewhere.get("/account/").status_code == 302
    assert sign_in(client, NUMBER, PASSWORD).status_code == 200
    assert sign_in(client, NUMBER, NEW).status_code == 302
    assert events(realm_a, "password.reset_requested")[0].row.target_id == dana.pk
    assert events(realm_a, "password.changed")[0].row.payload == {"how": "reset", "sessions_ended": 1}
    assert b"Start again" not in client.post("/password/reset/code", {"note": note, "code": code}).content


@pytest.mark.parametrize("login", [NUMBER, "+493099999999"])
def test_lg_08_lg_13_asking_too_often_leaves_the_code_that_was_sent_and_says_so(
    realm_a: Realm, dana: User, login: str
) -> None:
    client, note = asked(realm_a, login)
    for said in ("it is on its way", "it is on its way", "No other code can be sent there for now"):
        start = client.post("/password/reset", {"again": "yes", "note": note})
        assert (start.context["form"]["email"].value(), start.context["note"]) == (login, note)
        assert f'value="{note}"' in start.text
        page = client.post("/password/reset", {"email": login, "note": note})
        assert said in page.text
        assert (page.context["note"] == note) is said.startswith("No other")
        note = page.context["note"]
    if login == NUMBER:
        assert client.post("/password/reset/code", {"note": note, "code": texts(realm_a)[-1]}).status_code == 302
    # A note of another name, or of another realm, keeps nothing.
    assert "No other code" not in client.post("/password/reset", {"email": "+493088888888", "note": note}).text
    forged = client.post("/password/reset", {"again": "yes", "note": f"{note}x"})
    assert forged.context["note"] == ""


def test_who_has_both_chooses(realm_a: Realm, dana: User) -> None:
    asked(realm_a, "dana@example.com")
    assert texts(realm_a) == []
    assert "/password/reset/" in mails(realm_a)[0].links[0]
    _client, note = asked(realm_a, "dana@example.com", by="phone")
    assert note
    assert len(texts(realm_a)) == 1
    asked(realm_a, NUMBER, by="email")
    assert [mail.to for mail in mails(realm_a) if mail.channel == "email"] == ["dana@example.com"] * 2


def test_a_code_is_used_once_in_time_for_its_purpose_and_in_its_realm(
    realm_a: Realm, dana: User, realm_b: Realm
) -> None:
    with_settings(realm_a, sms_code_sign_in=True)
    client, note = asked(realm_a)
    (code,) = texts(realm_a)
    assert RealmClient(realm_b).post("/password/reset/code", {"note": note, "code": code}).status_code == 200
    assert client.post("/signin/code", {"note": note, "code": code}).status_code == 200
    assert client.get("/account/").status_code == 302
    with clock.clock_at(clock.now() + timedelta(minutes=11)):
        assert client.post("/password/reset/code", {"note": note, "code": code}).status_code == 200
    assert client.post("/password/reset/code", {"note": note, "code": code}).status_code == 302
    assert client.post("/password/reset/code", {"note": note, "code": code}).status_code == 200


def test_lg_08_the_page_is_the_same_for_every_name_and_only_a_confirmed_number_gets_a_code(
    realm_a: Realm, dana: User
) -> None:
    off = make_user(realm_a, "off@example.com", phone="+4930123457", phone_verified=True)
    make_user(realm_a, "new@example.com", phone="+4930123458")
    with realm_scope(realm_a):
        disable_user(system_actor(realm_a.pk), user_id=off.pk)
    pages = set()
    for number in (NUMBER, "+4930123457", "+4930123458", "+4930123459"):
        client = RealmClient(realm_a)
        page = client.post("/password/reset", {"email": number})
        pages.add((page.status_code, len(re.sub(r'value="[^"]*"', "", page.text).replace(number, ""))))
    assert len(pages) == 1
    assert len(texts(realm_a)) == 1


def test_where_numbers_are_no_names_there_is_no_code(realm_a: Realm, dana: User) -> None:
    with_settings(realm_a, phone_sign_in=False)
    _client, note = asked(realm_a, "dana@example.com", by="phone")
    assert not note
    assert RealmClient(realm_a).post("/password/reset", {"email": NUMBER}).context["form"].errors
    assert texts(realm_a) == []


def test_rl_07_codes_of_a_reset_count_as_tries_of_the_account(realm_a: Realm, dana: User) -> None:
    client, note = asked(realm_a)
    for _ in range(5):
        client.post("/password/reset/code", {"note": note, "code": "000000"})
    assert client.post("/password/reset/code", {"note": note, "code": texts(realm_a)[0]}).status_code == 429
    assert sign_in(RealmClient(realm_a), "dana@example.com").status_code == 429


def test_lg_07_a_reset_leaves_the_second_factor_and_never_signs_in_without_it(realm_a: Realm, dana: User) -> None:
    with realm_scope(realm_a):
        with_app(dana)
    client, note = asked(realm_a)
    done = client.post("/password/reset/code", {"note": note, "code": texts(realm_a)[0]})
    client.post(done["Location"].removeprefix("/realms/a"), {"password1": NEW})
    assert client.get("/account/").status_code == 302
    assert sign_in(client, NUMBER, NEW)["Location"] == "/realms/a/signin/confirm"
    assert client.get("/account/").status_code == 302
    assert client.post("/signin/confirm", {"code": code_at(SECRET, clock.now())}).status_code == 302
    assert client.get("/account/").status_code == 200


def test_lg_07_a_number_that_is_the_second_step_is_not_the_first_as_well(realm_a: Realm, dana: User) -> None:
    with realm_scope(realm_a):
        MessageDevice(user=dana, name="x", kind="sms", confirmed=True, to_sealed=b"x", to_hash=b"x", hint="56").save(
            force_insert=True
        )
    asked(realm_a)
    assert texts(realm_a) == []
    asked(realm_a, NUMBER, by="email")
    assert [mail.to for mail in mails(realm_a)] == ["dana@example.com"]
