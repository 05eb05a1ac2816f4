"""Sign-up by the realm's policy: names that are asked, codes that prove them, domains, terms and approval."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY

from conftest import actor_of, make_user
from identity.accounts.commands import approve_user, lock_user, refuse_user
from identity.accounts.models import OneTimeCode, User, UserStatus
from identity.courier.commands import deliver_due
from identity.courier.models import Message
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, NotFound, PermissionDenied
from identity.realms.commands import change_realm_settings
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import NOON, PASSWORD, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

NUMBER, SPELLED = "+4915112345678", "0151 1234-5678"
FORM = {"name": "Kim Park", "password1": PASSWORD}


def allow(realm, **settings):
    with realm_scope(realm):
        change_realm_settings(system_actor(realm.pk), changes=settings)
    realm.refresh_from_db()
    return realm


def by_phone(realm, *also, **settings):
    names = ["phone", *also]
    return allow(realm, phone_sign_in=True, default_country="DE", sign_up_identifiers=names, **settings)


def note_of(response):
    found = re.search(r'name="note" value="([^"]+)"', response.text)
    assert found, response.text
    return found[1]


def digits_in(message):
    return re.search(r"\b(\d{6})\b", message.text)[1]


def people(realm, **filters):
    with realm_scope(realm):
        return list(User.objects.filter(**filters))


def who(client):
    return client.session.get(SESSION_KEY)


def messages_of(realm):
    deliver_due()
    return mails(realm)


# --- by number --------------------------------------------------------------------------------------------------------


def test_a_number_is_proven_before_there_is_an_account_and_then_lets_in(realm_a, events):
    by_phone(realm_a)
    client = RealmClient(realm_a)
    assert "Phone number" in client.get("/signup").text
    page = client.post("/signup?next=/realms/a/account/apps", {**FORM, "phone": SPELLED})
    assert (page.status_code, people(realm_a, phone=NUMBER)) == (200, [])
    (message,) = messages_of(realm_a)
    assert (message.to, message.channel) == (NUMBER, "sms")
    assert PASSWORD not in page.text
    done = client.post("/signup/code", {"note": note_of(page), "code": digits_in(message)})
    assert done["Location"] == "/realms/a/account/apps"
    (user,) = people(realm_a, phone=NUMBER)
    assert who(client) == str(user.pk)
    assert user.phone_verified_at is not None
    assert (user.email, user.name, user.check_password(PASSWORD)) == (None, "Kim Park", True)
    assert events(realm_a, "signin.succeeded")[-1].row.payload["amr"] == ["sms"]
    assert events(realm_a, "signup.completed")[-1].row.target_id == user.pk
    assert sign_in(RealmClient(realm_a), SPELLED)["Location"] == "/realms/a/account/"


def test_lg_01_a_code_serves_once_for_its_own_wish_and_realm(realm_a, realm_b, events):
    by_phone(realm_a)
    by_phone(realm_b)
    client = RealmClient(realm_a)
    first = note_of(client.post("/signup", {**FORM, "phone": NUMBER}))
    code = digits_in(messages_of(realm_a)[-1])
    other = note_of(client.post("/signup", {**FORM, "phone": "+4915112345679"}))
    foreign = RealmClient(realm_b).post("/signup/code", {"note": first, "code": code})
    assert "Start again" in foreign.text
    assert "didn’t work" in client.post("/signup/code", {"note": other, "code": code}).text
    assert "Start again" in client.post("/signup/code", {"note": first[:-4] + "AAAA", "code": code}).text
    assert "Start again" in client.post("/signup/code", {"code": code}).text
    assert client.get("/signup/code").status_code == 302
    assert client.post("/signup/code", {"note": first, "code": code}).status_code == 302
    again = RealmClient(realm_a).post("/signup/code", {"note": first, "code": code})
    assert "didn’t work" in again.text
    assert len(people(realm_a, phone=NUMBER)) == 1
    assert people(realm_b, phone=NUMBER) == []


def test_asking_too_often_leaves_the_code_that_was_sent(realm_a):
    by_phone(realm_a)
    client = RealmClient(realm_a)
    page = client.post("/signup", {**FORM, "phone": NUMBER})
    for _each in range(3):
        page = client.post("/signup/code", {"note": note_of(page), "again": "yes"})
    assert "No other code can be sent there for now" in page.text
    newest = digits_in(messages_of(realm_a)[-1])
    assert client.post("/signup/code", {"note": note_of(page), "code": newest}).status_code == 302


def test_a_code_ends_after_ten_minutes_and_after_five_wrong_ones(realm_a):
    by_phone(realm_a)
    client = RealmClient(realm_a)
    note = note_of(client.post("/signup", {**FORM, "phone": NUMBER}))
    code = digits_in(messages_of(realm_a)[-1])
    with clock.clock_at(clock.now() + timedelta(minutes=11)):
        assert "Start again" in client.post("/signup/code", {"note": note, "code": code}).text
    for _each in range(5):
        client.post("/signup/code", {"note": note, "code": f"{(int(code) + 1) % 10**6:06}"})
    assert "didn’t work" in client.post("/signup/code", {"note": note, "code": code}).text
    again = client.post("/signup/code", {"note": note, "again": "yes"})
    newer = digits_in(messages_of(realm_a)[-1])
    assert client.post("/signup/code", {"note": note_of(again), "code": newer}).status_code == 302


def test_rl_08_a_stranger_who_signs_up_with_a_number_ends_no_code_of_its_owner(realm_a):
    by_phone(realm_a)
    client = RealmClient(realm_a)
    note = note_of(client.post("/signup", {**FORM, "phone": NUMBER}))
    code = digits_in(messages_of(realm_a)[-1])
    stranger = RealmClient(realm_a, REMOTE_ADDR="198.51.100.1")
    theirs = note_of(stranger.post("/signup", {**FORM, "phone": NUMBER}))
    assert "didn’t work" in stranger.post("/signup/code", {"note": theirs, "code": code}).text
    assert client.post("/signup/code", {"note": note, "code": code}).status_code == 302
    assert who(client)


def test_lg_23_a_number_that_somebody_has_looks_the_same_and_its_owner_is_told(realm_a, realm_b):
    by_phone(realm_a)
    by_phone(realm_b)
    dana = make_user(realm_a, "dana@example.com", phone=NUMBER, phone_verified=True)
    make_user(realm_b, "dana@example.com")
    taken = RealmClient(realm_a).post("/signup", {**FORM, "phone": NUMBER})
    free = RealmClient(realm_a).post("/signup", {**FORM, "phone": "+4915112345679"})

    def without_notes(page, number):
        text = re.sub(r'value="[^"]{20,}"', "", page.text)
        return re.sub(r"nonce-?[^\s\"]*|nonce=\"[^\"]*\"", "", text).replace(number, "N")

    assert taken.status_code == free.status_code == 200
    assert without_notes(taken, NUMBER) == without_notes(free, "+4915112345679")
    told, code = messages_of(realm_a)
    assert told.to == NUMBER
    assert "You already have an account" in told.text
    assert not re.search(r"\d{6}", told.text.replace(NUMBER, ""))
    # Not even the right digits open it: they went to nobody.
    assert digits_in(code)
    with realm_scope(realm_a):
        assert OneTimeCode.objects.filter(purpose="sign_up").count() == 2
    assert people(realm_a, phone=NUMBER) == [dana]
    # The same number is free in the other realm.
    client = RealmClient(realm_b)
    note = note_of(client.post("/signup", {**FORM, "phone": NUMBER}))
    assert client.post("/signup/code", {"note": note, "code": digits_in(messages_of(realm_b)[-1])}).status_code == 302
    assert len(people(realm_b, phone=NUMBER)) == 1


def test_lg_23_a_strangers_address_beside_my_number_tells_me_nothing(realm_a, user_a):
    by_phone(realm_a, "email")
    answers = []
    for number, email in ((NUMBER, "dana@example.com"), ("+4915112345679", "kim@example.com")):
        client = RealmClient(realm_a)
        page = client.post("/signup", {**FORM, "phone": number, "email": email})
        (message,) = [each for each in messages_of(realm_a) if each.to == number]
        done = client.post("/signup/code", {"note": note_of(page), "code": digits_in(message)})
        answers.append((page.status_code, done.status_code, done["Location"], who(client)))
    assert answers[0] == answers[1] == (200, 302, "/realms/a/signup/sent", None)
    assert len(people(realm_a, email="dana@example.com")) == 1
    assert people(realm_a, phone=NUMBER) == []
    (kim,) = people(realm_a, email="kim@example.com")
    assert (kim.email_verified_at, kim.phone_verified_at is not None) == (None, True)
    subjects = {mail.to: mail.subject for mail in messages_of(realm_a) if mail.channel == "email"}
    assert "already have" in subjects["dana@example.com"]
    assert "already have" not in subjects["kim@example.com"]


def test_lg_14_however_a_number_is_written_it_is_one(realm_a):
    by_phone(realm_a)
    for number in (SPELLED, "+49 151 12345678", "004915112345678", "０１５１ 12345678"):
        page = RealmClient(realm_a).post("/signup", {**FORM, "phone": number})
        assert NUMBER in page.text
    refused = RealmClient(realm_a).post("/signup", {**FORM, "phone": "+49 151 12345678;ext=5"})
    assert list(refused.context["form"].errors) == ["phone"]


def test_lg_13_one_number_gets_few_messages_whoever_asks(realm_a):
    by_phone(realm_a)
    for _each in range(8):
        assert RealmClient(realm_a).post("/signup", {**FORM, "phone": NUMBER}).status_code == 200
    with realm_scope(realm_a):
        assert Message.objects.filter(channel="sms", status="queued").count() <= 3


# --- other names ------------------------------------------------------------------------------------------------------


def test_a_username_alone_lets_in_at_once_and_is_told_when_it_is_taken(realm_a):
    allow(realm_a, username_sign_in=True, sign_up_identifiers=["username"])
    with clock.clock_at(NOON):
        client = RealmClient(realm_a)
        assert client.post("/signup", {**FORM, "username": "Kim.Park"})["Location"] == "/realms/a/account/"
        (kim,) = people(realm_a, username="kim.park")
        assert who(client) == str(kim.pk)
        taken = RealmClient(realm_a).post("/signup", {**FORM, "username": "KIM.park"})
        assert list(taken.context["form"].errors) == ["username"]
        asked = [RealmClient(realm_a).post("/signup", {**FORM, "username": "kim.park"}).status_code for _n in range(20)]
        assert asked[-1] == 429


def test_lg_23_a_free_username_beside_an_owned_address_tells_nothing(realm_a, user_a):
    allow(realm_a, username_sign_in=True, sign_up_identifiers=["email", "username"])
    for email, name in (("dana@example.com", "eve"), ("kim@example.com", "kim")):
        answer = RealmClient(realm_a).post("/signup", {**FORM, "email": email, "username": name})
        assert answer["Location"] == "/realms/a/signup/sent"
    assert people(realm_a, username="eve") == []
    assert len(people(realm_a, username="kim")) == 1


def test_without_passwords_an_address_is_proven_by_a_code(realm_a, owner_a):
    allow(realm_a, email_code_sign_in=True)
    allow(realm_a, password_sign_in=False)
    client = RealmClient(realm_a)
    assert "password1" not in client.get("/signup").text
    page = client.post("/signup", {"name": "Kim", "email": "kim@example.com"})
    done = client.post("/signup/code", {"note": note_of(page), "code": digits_in(messages_of(realm_a)[-1])})
    assert done["Location"] == "/realms/a/account/"
    (kim,) = people(realm_a, email="kim@example.com")
    assert kim.email_verified
    assert not kim.has_usable_password()


@pytest.mark.parametrize(
    ("email", "code"), [("kim@other.example", 200), ("kim@guests.acme.example", 200), ("kim@mail.acme.example", 302)]
)
def test_only_addresses_of_allowed_domains_make_accounts(realm_a, email, code):
    allow(realm_a, sign_up_domains_allowed=["acme.example"], sign_up_domains_blocked=["guests.acme.example"])
    answer = RealmClient(realm_a).post("/signup", {**FORM, "email": email})
    assert answer.status_code == code
    if code == 200:
        assert list(answer.context["form"].errors) == ["email"]
        assert people(realm_a, email=email) == []


# --- terms ------------------------------------------------------------------------------------------------------------

TERMS = {"terms_uri": "https://a.example/terms", "terms_version": "2026-11"}


def test_terms_are_accepted_at_sign_up_and_the_version_is_kept(realm_a):
    allow(realm_a, **TERMS)
    page = RealmClient(realm_a).get("/signup")
    assert 'href="https://a.example/terms"' in page.text
    assert "checked" not in page.text
    refused = RealmClient(realm_a).post("/signup", {**FORM, "email": "kim@example.com"})
    assert list(refused.context["form"].errors) == ["terms"]
    RealmClient(realm_a).post("/signup", {**FORM, "email": "kim@example.com", "terms": "on"})
    (kim,) = people(realm_a, email="kim@example.com")
    assert kim.terms_version == "2026-11"
    assert kim.terms_accepted_at is not None


def test_new_terms_are_asked_at_the_next_sign_in_and_nobody_gets_around_them(realm_a, user_a, events):
    allow(realm_a, **TERMS)
    client = RealmClient(realm_a)
    assert sign_in(client)["Location"].endswith("/signin/terms")
    assert who(client) is None
    assert client.get("/account/").status_code == 302
    page = client.get("/signin/terms")
    assert "Accept the terms" in page.text
    assert "Accept the terms to go on" in client.post("/signin/terms", {"version": "2026-11"}).text
    assert "changed a moment ago" in client.post("/signin/terms", {"version": "1", "terms": "yes"}).text
    assert who(client) is None
    done = client.post("/signin/terms", {"version": "2026-11", "terms": "yes"})
    assert done["Location"] == "/realms/a/account/"
    assert who(client) == str(user_a.pk)
    (said,) = events(realm_a, "terms.accepted")
    assert (said.row.target_id, said.row.payload["terms_version"]) == (user_a.pk, "2026-11")
    assert sign_in(RealmClient(realm_a))["Location"] == "/realms/a/account/"
    allow(realm_a, terms_version="2027-01")
    other = RealmClient(realm_a)
    sign_in(other)
    assert "The terms have changed" in other.get("/signin/terms").text


def test_lg_01_the_pages_in_between_are_nobodys_without_a_first_step(realm_a, realm_b, user_a, user_b):
    allow(realm_a, **TERMS)
    allow(realm_b, **TERMS)
    for path in ("/signin/terms", "/signin/number"):
        client = RealmClient(realm_a)
        assert "/signin" in client.get(path)["Location"]
        assert "/signin" in client.post(path, {"version": "2026-11", "terms": "yes", "not_mine": "1"})["Location"]
    client = RealmClient(realm_a)
    sign_in(client)
    assert "/signin" in client.get("/signin/number")["Location"]
    with realm_scope(realm_b):
        user_b.refresh_from_db()
        assert user_b.terms_version == ""


# --- a number that somebody else gave ---------------------------------------------------------------------------------


@pytest.fixture
def numbered(realm_a):
    allow(realm_a, phone_verification_required=True)
    return make_user(realm_a, "kim@example.com", phone=NUMBER)


def test_an_unconfirmed_number_is_confirmed_before_the_session(realm_a, numbered, events):
    client = RealmClient(realm_a)
    assert sign_in(client, "kim@example.com")["Location"].endswith("/signin/number")
    assert who(client) is None
    assert NUMBER not in client.get("/signin/number").text
    (message,) = messages_of(realm_a)
    assert message.to == NUMBER
    assert "didn’t work" in client.post("/signin/number", {"code": "000000"}).text
    done = client.post("/signin/number", {"code": digits_in(message)})
    assert done["Location"] == "/realms/a/account/"
    assert who(client) == str(numbered.pk)
    assert events(realm_a, "phone.verified")[0].row.target_id == numbered.pk
    assert sign_in(RealmClient(realm_a), "kim@example.com")["Location"] == "/realms/a/account/"


def test_rl_07_nobody_guesses_his_way_to_a_number_by_asking_for_new_codes(realm_a, numbered):
    client = RealmClient(realm_a)
    sign_in(client, "kim@example.com")
    answers = []
    for _ in range(4):
        client.post("/signin/number", {"send": "yes"})
        answers += [client.post("/signin/number", {"code": "000000"}).status_code for _ in range(3)]
    assert answers == [200] * 10 + [429] * 2
    again = RealmClient(realm_a)
    sign_in(again, "kim@example.com")
    assert again.post("/signin/number", {"code": "000000"}).status_code == 429


def test_a_number_that_is_not_mine_is_taken_off(realm_a, numbered):
    client = RealmClient(realm_a)
    sign_in(client, "kim@example.com")
    assert client.post("/signin/number", {"not_mine": "yes"})["Location"] == "/realms/a/account/"
    assert people(realm_a, email="kim@example.com")[0].phone is None


def test_lg_01_the_code_of_another_wish_confirms_no_number(realm_a, numbered):
    allow(realm_a, sms_code_sign_in=True)
    client = RealmClient(realm_a)
    sign_in(client, "kim@example.com")
    with realm_scope(realm_a):
        assert set(OneTimeCode.objects.values_list("purpose", flat=True)) == {"verify"}
    asked = client.post("/signin/number", {"send": "yes"})
    assert asked.status_code == 200
    first, second = messages_of(realm_a)
    assert "didn’t work" in client.post("/signin/number", {"code": digits_in(first)}).text
    assert client.post("/signin/number", {"code": digits_in(second)}).status_code == 302


# --- approval ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(realm_a):
    allow(realm_a, sign_up_approval=True)
    client = RealmClient(realm_a)
    answer = client.post("/signup", {**FORM, "email": "kim@example.com"})
    assert answer["Location"] == "/realms/a/signup/sent?approval=1"
    assert "look at your account" in client.get("/signup/sent?approval=1").text
    return people(realm_a, email="kim@example.com")[0]


def confirmed(realm, user):
    path = path_of(next(mail for mail in messages_of(realm) if mail.to == user.email).links[0])
    RealmClient(realm).post(path)
    with realm_scope(realm):
        user.refresh_from_db()
    return user


def test_who_waits_for_approval_gets_in_nowhere_and_learns_nothing(realm_a, waiting, events):
    confirmed(realm_a, waiting)
    assert waiting.status == UserStatus.PENDING
    right, wrong = RealmClient(realm_a), RealmClient(realm_a)
    answers = [sign_in(right, "kim@example.com"), sign_in(wrong, "nobody@example.com")]
    assert [each.status_code for each in answers] == [200, 200]
    assert "combination" in answers[0].text
    assert events(realm_a, "signin.failed")[-2].row.payload["reason"] == "pending"
    with realm_scope(realm_a):
        assert not Session.objects.exclude(user=None).exists()


def test_an_admin_lets_in_and_the_person_is_told(realm_a, waiting, as_owner_a, events):
    confirmed(realm_a, waiting)
    with realm_scope(realm_a):
        with pytest.raises(Conflict):
            lock_user(as_owner_a, user_id=waiting.pk, minutes=1)
        approve_user(as_owner_a, user_id=waiting.pk)
        with pytest.raises(Conflict):
            approve_user(as_owner_a, user_id=waiting.pk)
        with pytest.raises(Conflict):
            refuse_user(as_owner_a, user_id=waiting.pk)
    assert events(realm_a, "user.approved")[0].row.actor_id == as_owner_a.id
    told = messages_of(realm_a)[-1]
    assert (told.to, "is ready" in told.subject) == ("kim@example.com", True)
    assert path_of(told.links[0]) == "/realms/a/signin"
    assert sign_in(RealmClient(realm_a), "kim@example.com")["Location"] == "/realms/a/account/"


def test_an_admin_refuses_and_the_address_is_free_again(realm_a, waiting, as_owner_a, events):
    confirmed(realm_a, waiting)
    with realm_scope(realm_a):
        refuse_user(as_owner_a, user_id=waiting.pk, reason="Not one of us")
    assert people(realm_a, email="kim@example.com") == []
    (said,) = events(realm_a, "user.refused")
    assert said.row.target_id == waiting.pk
    told = messages_of(realm_a)[-1]
    assert told.to == "kim@example.com"
    assert "Not one of us" not in told.text + told.html
    assert RealmClient(realm_a).post("/signup", {**FORM, "email": "kim@example.com"}).status_code == 302


def test_nobody_is_written_to_at_an_address_that_was_never_confirmed(realm_a, waiting, as_owner_a):
    before = len(messages_of(realm_a))
    with realm_scope(realm_a):
        refuse_user(as_owner_a, user_id=waiting.pk)
    assert len(messages_of(realm_a)) == before


def test_only_who_may_invite_decides_and_only_in_his_realm(realm_a, realm_b, waiting, as_user_a, as_owner_b):
    auditor = actor_of(make_user(realm_a, "auditor@example.com", role="Auditor"))
    for command in (approve_user, refuse_user):
        for actor in (as_user_a, auditor):
            with realm_scope(realm_a), pytest.raises(PermissionDenied):
                command(actor, user_id=waiting.pk)
        with realm_scope(realm_b), pytest.raises(NotFound):
            command(as_owner_b, user_id=waiting.pk)
    assert people(realm_a, email="kim@example.com")[0].status == UserStatus.PENDING


def test_by_number_the_same_page_says_that_the_account_waits(realm_a, as_owner_a):
    by_phone(realm_a, sign_up_approval=True)
    client = RealmClient(realm_a)
    note = note_of(client.post("/signup", {**FORM, "phone": NUMBER}))
    done = client.post("/signup/code", {"note": note, "code": digits_in(messages_of(realm_a)[-1])})
    assert done["Location"] == "/realms/a/signup/waiting"
    assert "waits for approval" in client.get("/signup/waiting").text
    assert who(client) is None
    (kim,) = people(realm_a, phone=NUMBER)
    with realm_scope(realm_a):
        approve_user(as_owner_a, user_id=kim.pk)
    told = messages_of(realm_a)[-1]
    assert (told.to, told.channel) == (NUMBER, "sms")
    assert sign_in(RealmClient(realm_a), NUMBER)["Location"] == "/realms/a/account/"
