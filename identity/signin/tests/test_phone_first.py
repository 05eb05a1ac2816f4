"""Sign-in that begins with the number: country and number as people dial it; other names stay one press away."""

import re
from datetime import timedelta

import pytest

from conftest import make_user
from identity.accounts.countries import countries
from identity.accounts.models import User
from identity.courier.commands import deliver_due
from identity.courier.testing import mails
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Invalid
from identity.realms.commands import change_realm_settings
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NUMBER = "+4915112345678"
TYPED = {"country": "DE", "number": "0151 1234-5678"}


def allow(realm, **settings):
    with realm_scope(realm):
        change_realm_settings(system_actor(realm.pk), changes=settings)


@pytest.fixture
def by_number(realm_a):
    allow(realm_a, phone_sign_in=True, phone_first=True, default_country="DE")
    return realm_a


def test_the_page_asks_for_country_and_number_and_leads_to_the_password(by_number):
    make_user(by_number, "dana@example.com", phone=NUMBER, phone_verified=True)
    client = RealmClient(by_number)
    page = client.get("/signin?next=/realms/a/account/apps").text
    assert re.search(r'<option value="DE" selected[^>]*>Germany \(\+49\)', page)
    assert 'autocomplete="tel-national webauthn"' in page
    assert 'name="login"' not in page
    second = client.post("/signin", {**TYPED, "next": "/realms/a/account/apps"})
    assert f'value="{NUMBER}"' in second.text
    sent = {"login": NUMBER, "password": PASSWORD, "next": "/realms/a/account/apps"}
    assert client.post("/signin", sent)["Location"] == "/realms/a/account/apps"


def test_with_codes_alone_the_code_is_sent_at_once(realm_a):
    allow(realm_a, sms_code_sign_in=True, phone_first=True)
    make_user(realm_a, "dana@example.com", phone=NUMBER, phone_verified=True)
    client = RealmClient(realm_a)
    assert "Text me a code" in client.get("/signin").text
    page = client.post("/signin", TYPED)
    note = re.search(r'name="note" value="([^"]+)"', page.text)[1]
    deliver_due()
    deliver_due()
    code = re.search(r"\b(\d{6})\b", mails(realm_a)[-1].text)[1]
    assert client.post("/signin/code", {"note": note, "code": code})["Location"] == "/realms/a/account/"


def test_who_begins_with_the_number_chooses_a_password_after_the_code(by_number):
    allow(by_number, sign_up_open=True, sign_up_identifiers=["phone"])
    client = RealmClient(by_number)
    assert 'name="password1"' not in client.get("/signup").text
    asked = client.post("/signup", {"name": "Nora", "phone": "0151 1234-5678", "password1": PASSWORD})
    note = re.search(r'name="note" value="([^"]+)"', asked.text)[1]
    # Without the code a password makes no account (LG-01).
    assert "6-digit code" in client.post("/signup/code", {"note": note, "password1": PASSWORD}).text
    deliver_due()
    code = re.search(r"\b(\d{6})\b", mails(by_number)[-1].text)[1]
    page = client.post("/signup/code", {"note": note, "code": code})
    assert 'name="password1"' in page.text
    proven = {"note": re.search(r'name="note" value="([^"]+)"', page.text)[1]}
    assert "Use at least 10 characters" in client.post("/signup/code", {**proven, "password1": "short"}).text
    with realm_scope(by_number):
        assert not User.objects.filter(phone=NUMBER).exists()
    assert client.post("/signup/code", {**proven, "password1": PASSWORD})["Location"] == "/realms/a/account/"
    with realm_scope(by_number):
        made = User.objects.get(phone=NUMBER)
    assert (made.phone_verified_at is not None, made.check_password(PASSWORD)) == (True, True)
    # The note makes no second account, and changes nothing of the first one.
    again = RealmClient(by_number).post("/signup/code", {**proven, "password1": "another good horse 7"})
    assert again["Location"].startswith("/realms/a/signin")
    with realm_scope(by_number):
        assert User.objects.get(phone=NUMBER).check_password(PASSWORD)


def test_lg_23_a_number_that_nobody_has_looks_the_same(by_number):
    make_user(by_number, "dana@example.com", phone=NUMBER, phone_verified=True)
    known, unknown = (
        RealmClient(by_number).post("/signin", {**TYPED, "number": number}) for number in (NUMBER, "+4915112345679")
    )
    texts = [
        re.sub(r'value="[^"]{30,}"|nonce="[^"]*"', "", page.text).replace(number, "N")
        for page, number in ((known, NUMBER), (unknown, "+4915112345679"))
    ]
    assert known.status_code == unknown.status_code == 200
    assert texts[0] == texts[1]


@pytest.mark.parametrize("number", ["", "12", "+49 151 1234;ext=5", "dana@example.com"])
def test_what_is_no_number_is_said_at_the_field(by_number, number):
    page = RealmClient(by_number).post("/signin", {**TYPED, "number": number})
    assert page.status_code == 200
    assert page.context["number"].errors


def test_lg_14_all_spellings_are_one_number(by_number):
    for country, number in (("DE", "0151 12345678"), ("US", "+49 151 12345678"), ("", "004915112345678")):
        page = RealmClient(by_number).post("/signin", {"country": country, "number": number})
        assert f'value="{NUMBER}"' in page.text


def test_other_names_are_one_press_away_and_go_on_as_ever(by_number, user_a):
    client = RealmClient(by_number)
    other = re.search(r'href="([^"]*signin\?name=1[^"]*)"', client.get("/signin").text)
    assert other
    assert 'name="login"' in client.get("/signin?name=1").text
    assert "Enter your password" in client.post("/signin", {"login": "dana@example.com"}).text


def test_only_where_numbers_let_people_in(realm_a, realm_b):
    with pytest.raises(Invalid) as refused:
        allow(realm_a, phone_first=True)
    assert refused.value.field == "phone_first"
    assert 'name="login"' in RealmClient(realm_b).get("/signin").text
    assert "number" not in RealmClient(realm_b).post("/signin", TYPED).context


def test_countries_are_named_in_the_readers_language():
    german, english = ({each.code: str(each) for each in countries(language)} for language in ("de", "en"))
    assert (german["DE"], english["DE"]) == ("Deutschland (+49)", "Germany (+49)")
    assert german["US"] == "Vereinigte Staaten von Amerika (+1)"
    assert len(english) > 200
    assert not [name for code, name in english.items() if name.startswith(code + " ")]


def test_countries_stand_where_a_reader_looks_for_them():
    names = [each.name for each in countries("de")]
    assert names.index("Oman") < names.index("Österreich") < names.index("Pakistan")
    assert names[1:4] == ["Afghanistan", "Ägypten", "Albanien"]


def test_lg_11_a_proof_of_a_number_ends_though_its_page_is_asked_for_again(by_number):
    allow(by_number, sign_up_open=True, sign_up_identifiers=["phone"])
    client, begun = RealmClient(by_number), clock.now()

    def note_of(page):
        return re.search(r'name="note" value="([^"]+)"', page.text)[1]

    asked = client.post("/signup", {"name": "Nora", "phone": "0151 1234-5678"})
    deliver_due()
    code = re.search(r"\b(\d{6})\b", mails(by_number)[-1].text)[1]
    page = client.post("/signup/code", {"note": note_of(asked), "code": code})
    with clock.clock_at(begun + timedelta(minutes=9)):
        page = client.post("/signup/code", {"note": note_of(page), "password1": "short"})
    with clock.clock_at(begun + timedelta(minutes=18)):
        client.post("/signup/code", {"note": note_of(page), "password1": PASSWORD})
    with realm_scope(by_number):
        assert not User.objects.filter(phone=NUMBER).exists()
