"""Codes by mail and text message: who gets one, what it opens, and that nobody learns who has an account."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from conftest import make_user
from identity.accounts.models import OneTimeCode, User
from identity.audit.reading import ReadableEvent
from identity.courier.commands import deliver_due
from identity.courier.models import Message
from identity.courier.testing import mails
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.realms.commands import change_realm_settings
from identity.realms.models import Realm
from identity.sessions.models import Device, DeviceStatus, Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import NOON, sign_in

pytestmark = pytest.mark.django_db

Events = Callable[[Realm, str], list[ReadableEvent]]
NUMBER = "+4915112345678"


def allow(realm: Realm, **settings: object) -> None:
    with realm_scope(realm):
        change_realm_settings(system_actor(realm.pk), changes=settings)


@pytest.fixture
def codes_a(realm_a: Realm) -> Realm:
    """Realm A sends codes by mail."""
    allow(realm_a, email_code_sign_in=True)
    return realm_a


def ask(client: RealmClient, login: str = "dana@example.com") -> str:
    """Ask for a code; the signed note of the page that comes."""
    response = client.post("/signin/code", {"login": login})
    assert response.status_code == 200
    found = re.search(r'name="note" value="([^"]+)"', response.text)
    assert found
    return found[1]


def sent_code(realm: Realm) -> str:
    """The digits of the newest mail."""
    deliver_due()
    deliver_due()
    found = re.search(r"\b(\d{6})\b", mails(realm)[-1].text)
    assert found
    return found[1]


def test_a_code_lets_in_the_person_who_reads_the_mail(codes_a: Realm, user_a: User, events: Events) -> None:
    client = RealmClient(codes_a)
    note = ask(client)
    response = client.post("/signin/code", {"note": note, "code": sent_code(codes_a)})
    assert (response.status_code, response["Location"]) == (302, "/realms/a/account/")
    assert client.get("/account/").status_code == 200
    (said,) = events(codes_a, "signin.succeeded")
    assert said.row.target_id == user_a.pk
    with realm_scope(codes_a):
        assert OneTimeCode.objects.get().used_at is not None


@pytest.mark.parametrize("login", ["dana@example.com", "nobody@example.com"])
def test_lg_23_asking_too_often_leaves_the_code_that_was_sent_and_says_so(
    codes_a: Realm, user_a: User, login: str
) -> None:
    client = RealmClient(codes_a)
    note = ask(client, login)
    for said in ("it is on its way", "it is on its way", "No other code can be sent there for now"):
        page = client.post("/signin/code", {"login": login, "note": note})
        assert said in page.text
        (newer,) = set(re.findall(r'name="note" value="([^"]+)"', page.text))
        assert (newer == note) is said.startswith("No other")
        note = newer
    if login == user_a.email:
        response = client.post("/signin/code", {"note": note, "code": sent_code(codes_a)})
        assert (response.status_code, response["Location"]) == (302, "/realms/a/account/")
    # Another name's note changes nothing.
    other = client.post("/signin/code", {"login": "else@example.com", "note": note})
    assert "No other code" not in other.text


@pytest.mark.parametrize("spell", ["{} ", "{:.3} {:.3}", "‑{}", "\u200b{}"])
def test_spaces_and_other_spellings_of_digits_are_taken(codes_a: Realm, user_a: User, spell: str) -> None:
    client = RealmClient(codes_a)
    note, code = ask(client), sent_code(codes_a)
    typed = f"{code[:3]} {code[3:]}" if ":" in spell else spell.format(code)
    arabic = typed.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert client.post("/signin/code", {"note": note, "code": arabic}).status_code == 302


def test_lg_01_a_code_works_once(codes_a: Realm, user_a: User) -> None:
    note, code = ask(RealmClient(codes_a)), sent_code(codes_a)
    assert RealmClient(codes_a).post("/signin/code", {"note": note, "code": code}).status_code == 302
    assert RealmClient(codes_a).post("/signin/code", {"note": note, "code": code}).status_code == 200


def test_a_way_that_was_closed_meanwhile_lets_nobody_in(codes_a: Realm, user_a: User, events: Events) -> None:
    note, code = ask(RealmClient(codes_a)), sent_code(codes_a)
    allow(codes_a, email_code_sign_in=False)
    assert RealmClient(codes_a).post("/signin/code", {"note": note, "code": code}).status_code == 200
    assert events(codes_a, "signin.failed")[-1].row.payload["reason"] == "method_off"
    assert not events(codes_a, "signin.succeeded")


def test_five_wrong_tries_end_a_code(codes_a: Realm, user_a: User, events: Events) -> None:
    note, code = ask(RealmClient(codes_a)), sent_code(codes_a)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for number in range(5):
        answer = RealmClient(codes_a, REMOTE_ADDR=f"192.0.2.{number}").post(
            "/signin/code", {"note": note, "code": wrong}
        )
        assert "didn’t work" in answer.text
    late = RealmClient(codes_a, REMOTE_ADDR="192.0.2.99").post("/signin/code", {"note": note, "code": code})
    assert late.status_code == 200
    reasons = [(said.row.payload["reason"], said.row.payload["method"]) for said in events(codes_a, "signin.failed")]
    assert reasons == [("wrong_code", "email_code")] * 6


def test_rl_07_wrong_codes_and_wrong_passwords_count_together(codes_a: Realm, user_a: User) -> None:
    client = RealmClient(codes_a)
    note = ask(client)
    for _ in range(3):
        client.post("/signin", {"login": "dana@example.com", "password": "wrong password"})
    for _ in range(2):
        client.post("/signin/code", {"note": note, "code": "000000"})
    assert client.post("/signin/code", {"note": note, "code": "000000"}).status_code == 429


def test_a_code_ends_after_ten_minutes(codes_a: Realm, user_a: User) -> None:
    client = RealmClient(codes_a)
    note, code = ask(client), sent_code(codes_a)
    with clock.clock_at(clock.now() + timedelta(minutes=11)):
        assert client.post("/signin/code", {"note": note, "code": code}).status_code == 200
    assert client.get("/account/").status_code == 302


def test_rl_08_a_stranger_neither_uses_up_nor_ends_the_codes_of_a_person(codes_a: Realm, user_a: User) -> None:
    home = RealmClient(codes_a, REMOTE_ADDR="203.0.113.9")
    with clock.clock_at(NOON):
        note, code = ask(home), sent_code(codes_a)
        stranger = RealmClient(codes_a, REMOTE_ADDR="198.51.100.1")
        for _ in range(6):
            ask(stranger)
        assert len(mails(codes_a)) == 1 + 3, "his network’s share, and no more"
        ask(RealmClient(codes_a, REMOTE_ADDR="203.0.113.77"))
        assert len(mails(codes_a)) == 5, "another network has its own"
        home.post("/signin/code", {"note": note, "code": code})
        assert home.get("/account/").status_code == 200


def test_lg_13_rl_08_all_networks_together_are_bounded_and_a_known_device_asks_none_of_them(
    codes_a: Realm, user_a: User
) -> None:
    home = RealmClient(codes_a, REMOTE_ADDR="203.0.113.9")
    sign_in(home)
    home.post("/signout")
    with clock.clock_at(NOON):
        for host in range(5):
            for _ in range(4):
                ask(RealmClient(codes_a, REMOTE_ADDR=f"198.51.{host}.1"))
        flooded = len(mails(codes_a))
        assert flooded == 10
        ask(RealmClient(codes_a, REMOTE_ADDR="203.0.113.200"))
        assert len(mails(codes_a)) == flooded
        for _ in range(5):
            note = ask(home)
        assert len(mails(codes_a)) == flooded + 3, "by its own share"
        with realm_scope(codes_a):
            Device.objects.update(status=DeviceStatus.DENIED)
        with clock.clock_at(NOON + timedelta(minutes=5)):
            ask(home)
        assert len(mails(codes_a)) == flooded + 3
        assert note


def test_lg_13_a_person_has_one_budget_whichever_name_is_typed(codes_a: Realm, user_a: User, realm_b: Realm) -> None:
    allow(codes_a, username_sign_in=True)
    with realm_scope(codes_a):
        User.objects.filter(pk=user_a.pk).update(username="dana")
    with clock.clock_at(NOON):
        stranger = RealmClient(codes_a, REMOTE_ADDR="198.51.100.1")
        for login in ("dana@example.com", "dana") * 3:
            ask(stranger, login)
        assert len(mails(codes_a)) == 3
        for host in range(4):
            for login in ("dana@example.com", "dana") * 2:
                ask(RealmClient(codes_a, REMOTE_ADDR=f"198.51.{host}.1"), login)
        assert len(mails(codes_a)) == 10, "all networks together"
        with realm_scope(codes_a):
            assert OneTimeCode.objects.count() == 22, "asking does the same for every name"
        # A link for a new password and one that ends a pause are of the same budget.
        RealmClient(codes_a).post("/password/reset", {"email": "dana@example.com"})
        assert len(mails(codes_a)) == 10


def test_lg_23_every_name_gets_the_same_page_and_rows_and_only_the_right_one_a_mail(
    codes_a: Realm, user_a: User
) -> None:
    make_user(codes_a, "unproven@example.com")
    with realm_scope(codes_a):
        User.objects.filter(email="unproven@example.com").update(email_verified_at=None)
    pages = set()
    for login in ("dana@example.com", "nobody@example.com", "unproven@example.com"):
        response = RealmClient(codes_a).post("/signin/code", {"login": login})
        text = response.text.replace(login, "NAME")
        text = re.sub(r'(name="(?:note|csrfmiddlewaretoken)" value=")[^"]+', r"\1", text)
        pages.add((response.status_code, text))
    assert len(pages) == 1
    with realm_scope(codes_a):
        assert OneTimeCode.objects.count() == Message.objects.count() == 3
    deliver_due()
    deliver_due()
    assert [mail.to for mail in mails(codes_a)] == ["dana@example.com"]


def test_ti_19_a_code_of_a_opens_nothing_in_b(codes_a: Realm, user_a: User, realm_b: Realm, user_b: User) -> None:
    allow(realm_b, email_code_sign_in=True)
    note, code = ask(RealmClient(codes_a)), sent_code(codes_a)
    other = RealmClient(realm_b)
    assert other.post("/signin/code", {"note": note, "code": code}).status_code == 200
    ask(other)
    assert other.post("/signin/code", {"note": note, "code": code}).status_code == 200
    with realm_scope(realm_b):
        assert not Session.objects.filter(user=user_b).exists()


def test_a_realm_without_codes_sends_none(realm_a: Realm, user_a: User) -> None:
    assert RealmClient(realm_a).post("/signin/code", {"login": "dana@example.com"}).status_code == 302
    with realm_scope(realm_a):
        assert not OneTimeCode.objects.exists()


def test_a_code_goes_by_text_message_to_a_proven_number(realm_a: Realm, user_a: User) -> None:
    allow(realm_a, sms_code_sign_in=True)
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(phone=NUMBER, phone_verified_at=clock.now())
    client = RealmClient(realm_a)
    note = ask(client, "0049 151 1234 5678")
    code = sent_code(realm_a)
    assert client.post("/signin/code", {"note": note, "code": code}).status_code == 302


# --- the steps of the page


def test_a_name_leads_to_the_password_step_the_same_for_every_name(realm_a: Realm, user_a: User) -> None:
    pages = set()
    for login in ("dana@example.com", "nobody@example.com"):
        text = RealmClient(realm_a).post("/signin", {"login": login}).text.replace(login, "NAME")
        pages.add(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text))
    (page,) = pages
    assert "Enter your password" in page
    assert 'autocomplete="username"' in page


def test_lg_23_where_only_passkeys_are_taken_no_name_is_asked_for_a_password(realm_a: Realm, user_a: User) -> None:
    allow(realm_a, passkey_sign_in=True, password_sign_in=False)
    for login in (user_a.email, "nobody@example.com"):
        page = RealmClient(realm_a).post("/signin", {"login": login})
        assert (page.status_code, 'name="password"' in page.text) == (200, False)
        assert "Use your passkey" in page.text


def test_without_passwords_a_name_leads_to_the_code_at_once(codes_a: Realm, user_a: User) -> None:
    allow(codes_a, password_sign_in=False)
    response = RealmClient(codes_a).post("/signin", {"login": "dana@example.com"})
    assert "Check your email" in response.text
    refused = RealmClient(codes_a).post("/signin", {"login": "dana@example.com", "password": "correct horse battery"})
    assert refused.status_code == 200
    assert "Use the password" not in response.text


@pytest.mark.parametrize(("setting", "login"), [("username_sign_in", "dana.o"), ("phone_sign_in", NUMBER)])
def test_usernames_and_numbers_open_only_where_the_realm_says_so(
    realm_a: Realm, user_a: User, setting: str, login: str, events: Events
) -> None:
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(phone=NUMBER, phone_verified_at=clock.now(), username="dana.o")
    sent = {"login": login, "password": "correct horse battery"}
    assert RealmClient(realm_a).post("/signin", sent).status_code == 200
    assert events(realm_a, "signin.failed")[-1].row.payload["reason"] == "method_off"
    allow(realm_a, **{setting: True})
    assert RealmClient(realm_a).post("/signin", sent).status_code == 302


@pytest.mark.parametrize(
    ("settings", "label"),
    [({}, "Email"), ({"username_sign_in": True, "phone_sign_in": True}, "Email, phone or username")],
)
def test_the_field_asks_only_for_what_the_realm_takes(realm_a: Realm, settings: dict[str, object], label: str) -> None:
    allow(realm_a, **settings)
    assert f">{label}<" in RealmClient(realm_a).get("/signin").text.replace("\n", "").replace("  ", "")
