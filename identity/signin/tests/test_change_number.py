"""Changing the own number: asked fresh, proven by a code, told to number and address, taken back by either (LG-11)."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from conftest import actor_of, make_user
from identity.access.commands import assign_role, create_role
from identity.access.models import Role, RoleKind
from identity.accounts.commands import change_identifiers
from identity.accounts.models import User
from identity.audit.reading import ReadableEvent
from identity.courier.commands import deliver_due
from identity.courier.models import Message
from identity.courier.queries import OutboxMessage
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import PermissionDenied
from identity.mfa.queries import factors_of
from identity.realms.commands import change_realm_settings
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin.commands import remove_phone, request_phone_change
from identity.signin.tests.conftest import PASSWORD, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

Events = Callable[[Realm, str], list[ReadableEvent]]
OLD, NEW = "+493012345678", "+493087654321"


def stored(user: User) -> User:
    return User.all_realms.get(pk=user.pk)


def have(user: User, **fields: Any) -> None:
    User.all_realms.filter(pk=user.pk).update(**fields)


def change(realm: Realm, **settings: Any) -> None:
    with realm_scope(realm):
        change_realm_settings(system_actor(realm.pk), changes=settings)


@pytest.fixture
def numbers(realm_a: Realm, realm_b: Realm) -> None:
    """Both realms let people in by number, too."""
    for realm in (realm_a, realm_b):
        change(realm, phone_sign_in=True, sms_code_sign_in=True, default_country="DE")


@pytest.fixture
def dana(numbers: None, realm_a: Realm, user_a: User) -> RealmClient:
    have(user_a, phone=OLD, phone_verified_at=clock.now())
    client = RealmClient(realm_a)
    sign_in(client)
    return client


def ask(client: RealmClient, phone: str = NEW) -> Any:
    return client.post("/account/phone", {"phone": phone})


def sent(realm: Realm, to: str) -> list[OutboxMessage]:
    return [message for message in mails(realm) if message.to == to]


def code_to(realm: Realm, number: str) -> str:
    found = re.search(r"\b\d{6}\b", sent(realm, number)[-1].text)
    assert found is not None
    return found[0]


def prove(client: RealmClient, realm: Realm, number: str = NEW) -> Any:
    return client.post("/account/phone", {"code": code_to(realm, number)})


def test_lg_11_a_new_number_is_of_no_use_until_its_code_came_back(
    realm_a: Realm, user_a: User, dana: RealmClient, events: Events
) -> None:
    # As it is dialed there: one spelling whatever was typed (LG-14).
    assert ask(dana, "030 8765 4321")["Location"] == "/realms/a/account/phone"
    assert NEW in dana.get("/account/phone").text
    assert stored(user_a).phone == OLD
    assert len(events(realm_a, "phone.change_requested")) == 1
    assert sign_in(RealmClient(realm_a), NEW).status_code == 200
    RealmClient(realm_a).post("/password/reset", {"email": NEW})
    RealmClient(realm_a).post("/signin", {"login": NEW, "way": "code"})
    assert len(sent(realm_a, NEW)) == 1
    wrong = dana.post("/account/phone", {"code": "000000"})
    assert (wrong.status_code, stored(user_a).phone) == (422, OLD)

    assert prove(dana, realm_a)["Location"] == "/realms/a/account/phone"
    user = stored(user_a)
    assert (user.phone, user.phone_verified_at is not None) == (NEW, True)
    (said,) = events(realm_a, "phone.changed")
    assert (said.personal["phone"], said.personal["former_phone"]) == (NEW, OLD)
    assert OLD not in str(said.row.payload)
    assert NEW not in str(said.row.payload)
    assert sign_in(RealmClient(realm_a), NEW).status_code == 302
    assert sign_in(RealmClient(realm_a), OLD).status_code == 200
    # Both were told, each with a way back; nobody at the new number.
    assert "/phone/revert/" in sent(realm_a, OLD)[-1].text
    assert sent(realm_a, "dana@example.com")[-1].subject == "Your Realm A phone number was changed"
    assert len(sent(realm_a, NEW)) == 1
    assert "is changed" in dana.get("/account/phone").text


@pytest.mark.parametrize("by", [OLD, "dana@example.com"])
def test_lg_11_the_change_is_taken_back_from_the_number_or_the_address(
    realm_a: Realm, user_a: User, dana: RealmClient, events: Events, by: str
) -> None:
    ask(dana)
    prove(dana, realm_a)
    found = re.search(r"https?://\S+/phone/revert/\S+", sent(realm_a, by)[-1].text)
    assert found is not None
    path, owner = path_of(found[0]), RealmClient(realm_a)
    assert "Take the change back?" in owner.get(path).text
    assert stored(user_a).phone == NEW
    # Two changes in a row leave no other way open to who made them.
    ask(dana, "+493055555555")
    prove(dana, realm_a, "+493055555555")
    assert "Your old number is back" in owner.post(path).text
    user = stored(user_a)
    assert (user.phone, user.phone_verified_at is not None, user.has_usable_password()) == (OLD, True, False)
    assert dana.get("/account/").status_code == 302
    assert events(realm_a, "phone.change_reverted")[0].row.payload == {"password": True, "sessions_ended": 1}
    assert "/password/reset/" in sent(realm_a, "dana@example.com")[-1].links[0]
    assert "doesn’t work any more" in owner.post(path).text
    assert len(events(realm_a, "phone.change_reverted")) == 1


def test_lg_11_the_way_back_ends_after_a_week_and_in_another_realm(
    realm_a: Realm, user_a: User, realm_b: Realm, user_b: User, dana: RealmClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    have(user_b, phone=NEW, phone_verified_at=clock.now())
    ask(dana)
    prove(dana, realm_a)
    path = path_of(sent(realm_a, "dana@example.com")[-1].links[0])
    RealmClient(realm_b).post(path.replace("/realms/a/", "/realms/b/"))
    RealmClient(realm_a).post(path[:-2] + "xx")
    a_week_later = time.time() + timedelta(days=7, minutes=1).total_seconds()
    with monkeypatch.context() as patched:
        patched.setattr("django.core.signing.time.time", lambda: a_week_later)
        RealmClient(realm_a).post(path)
    assert (stored(user_a).phone, stored(user_b).phone) == (NEW, NEW)


def test_lg_11_the_number_asks_for_a_fresh_sign_in_and_its_own_person(
    realm_a: Realm, user_a: User, owner_a: User, dana: RealmClient
) -> None:
    with clock.clock_at(clock.now() + timedelta(minutes=6)):
        for response in (dana.get("/account/phone"), ask(dana), dana.post("/account/phone", {"action_remove": ""})):
            assert response["Location"] == "/realms/a/signin/again?next=/realms/a/account/phone"
    assert RealmClient(realm_a).get("/account/phone")["Location"].startswith("/realms/a/signin?")
    assert stored(user_a).phone == OLD
    with realm_scope(realm_a), pytest.raises(PermissionDenied):
        remove_phone(actor_of(owner_a), realm=realm_a, user_id=user_a.pk)
    with realm_scope(realm_a), pytest.raises(PermissionDenied):
        request_phone_change(actor_of(owner_a), realm=realm_a, user_id=user_a.pk, phone=NEW)
    assert not sent(realm_a, NEW)


def test_lg_13_asking_too_often_leaves_the_code_that_was_sent_and_says_so(
    realm_a: Realm, user_a: User, dana: RealmClient, events: Events
) -> None:
    for _ in range(4):
        ask(dana)
    assert "No other code can be sent there for now" in dana.get("/account/phone").text
    assert (len(sent(realm_a, NEW)), len(events(realm_a, "phone.change_requested"))) == (3, 3)
    prove(dana, realm_a)
    assert stored(user_a).phone == NEW


def test_rl_07_who_proves_a_number_gets_no_more_tries_at_the_password(
    realm_a: Realm, user_a: User, dana: RealmClient
) -> None:
    for _ in range(10):
        dana.post("/signin/again", {"password": "wrong"})
    ask(dana)
    prove(dana, realm_a)
    assert stored(user_a).phone == NEW
    assert dana.post("/signin/again", {"password": PASSWORD}).status_code == 200


def test_lg_23_a_number_that_somebody_has_is_answered_alike_and_gets_nothing(
    realm_a: Realm, user_a: User, realm_b: Realm, user_b: User, dana: RealmClient
) -> None:
    make_user(realm_a, "kim@example.com", phone="+493011111111")
    have(user_b, phone="+493022222222")
    pages = []
    for number in ("+493011111111", "+493022222222"):
        assert ask(dana, number).status_code == 302
        wrong = dana.post("/account/phone", {"code": "123456"})
        pages.append((wrong.status_code, re.sub(r"\+49\d+|nonce-\S+|value=\"\w{64}\"", "", wrong.text)))
    assert pages[0] == pages[1]
    assert not sent(realm_a, "+493011111111")
    # Somebody's of another realm is free here (TI-01).
    assert len(sent(realm_a, "+493022222222")) == 1
    with realm_scope(realm_a):
        assert Message.objects.filter(to_hash__isnull=False).count() == 1


def test_a_number_taken_meanwhile_is_refused_at_the_code(realm_a: Realm, user_a: User, dana: RealmClient) -> None:
    ask(dana)
    code = code_to(realm_a, NEW)
    make_user(realm_a, "kim@example.com", phone=NEW)
    dana.post("/account/phone", {"code": code})
    assert stored(user_a).phone == OLD
    assert "Somebody else has this number now" in dana.get("/account/phone").text


def test_lg_13_one_person_has_few_numbers_texted(realm_a: Realm, user_a: User, dana: RealmClient) -> None:
    answers = [ask(dana, f"+4930876543{n:02}").status_code for n in range(8)]
    assert answers == [302] * 6 + [429] * 2
    with realm_scope(realm_a):
        while deliver_due():
            pass
        assert Message.objects.filter(template="phone_code").count() == 6


def test_rl_07_guesses_are_counted_for_the_person_and_a_code_works_once(
    realm_a: Realm, user_a: User, dana: RealmClient
) -> None:
    ask(dana)
    right = code_to(realm_a, NEW)
    wrong = "111111" if right != "111111" else "222222"
    assert [dana.post("/account/phone", {"code": wrong}).status_code for _ in range(5)] == [422] * 5
    assert dana.post("/account/phone", {"code": right}).status_code == 422
    assert stored(user_a).phone == OLD
    # Asked from another browser, its digits are right there alone.
    ask(dana)
    other = RealmClient(realm_a)
    sign_in(other)
    other.post("/account/phone", {"code": code_to(realm_a, NEW)})
    assert stored(user_a).phone == OLD
    with clock.clock_at(clock.now() + timedelta(minutes=11)):
        assert "Type the code" not in dana.get("/account/phone").text


def test_a_first_number_is_added_confirmed_cancelled_and_taken_off(
    realm_a: Realm, user_a: User, dana: RealmClient, events: Events
) -> None:
    have(user_a, phone=None, phone_verified_at=None)
    assert "No phone number" in dana.get("/account/details").text
    assert ask(dana, "12").status_code == 422
    ask(dana)
    dana.post("/account/phone", {"action_cancel": ""})
    assert "Type the code" not in dana.get("/account/phone").text
    ask(dana)
    prove(dana, realm_a)
    told = sent(realm_a, "dana@example.com")[-1]
    assert "was added" in told.text
    assert "taken off" in RealmClient(realm_a).post(path_of(told.links[0])).text
    assert stored(user_a).phone is None
    # One that an admin gave is confirmed here, too.
    have(user_a, phone=OLD)
    have(user_a, password=user_a.password)
    sign_in(dana)
    assert "Not confirmed yet" in dana.get("/account/phone").text
    ask(dana, OLD)
    prove(dana, realm_a, OLD)
    assert stored(user_a).phone_verified_at is not None
    assert len(events(realm_a, "phone.verified")) == 1
    assert ask(dana, OLD).status_code == 422


def test_a_number_is_removed_told_and_put_back(realm_a: Realm, user_a: User, dana: RealmClient, events: Events) -> None:
    dana.post("/account/phone", {"action_remove": ""})
    assert stored(user_a).phone is None
    (said,) = events(realm_a, "phone.removed")
    assert said.personal["former_phone"] == OLD
    assert "was removed" in sent(realm_a, OLD)[-1].text
    path = path_of(sent(realm_a, "dana@example.com")[-1].links[0])
    assert "no longer has the number" in RealmClient(realm_a).get(path).text
    RealmClient(realm_a).post(path)
    assert (stored(user_a).phone, stored(user_a).phone_verified_at is not None) == (OLD, True)


def test_the_last_way_in_the_last_name_and_what_the_realm_asks_for_stay(
    realm_a: Realm, user_a: User, dana: RealmClient, events: Events
) -> None:
    def refused(why: str) -> None:
        dana.post("/account/phone", {"action_remove": ""})
        assert stored(user_a).phone == OLD
        assert why in dana.get("/account/phone").text

    have(user_a, password="!")
    dana.sign_in(stored(user_a))
    refused("last way to sign in")
    have(user_a, email=None, username=None)
    refused("how your account is found")
    have(user_a, email="dana@example.com", password=user_a.password)
    dana.sign_in(stored(user_a))
    change(realm_a, sign_up_identifiers=["email", "phone"])
    refused("Everybody has a number here")
    assert "action_remove" not in dana.get("/account/phone").text
    assert not events(realm_a, "phone.removed")


def test_ac_08_what_the_last_owner_is_owner_by_stays(numbers: None, realm_a: Realm, owner_a: User) -> None:
    have(owner_a, phone=OLD, phone_verified_at=clock.now())
    with realm_scope(realm_a):
        Role.objects.filter(name="Owner").update(requirements=["verified_phone"])
    client = RealmClient(realm_a)
    sign_in(client, "owner@example.com")
    client.post("/account/phone", {"action_remove": ""})
    assert stored(owner_a).phone == OLD
    assert "nobody could own this realm" in client.get("/account/phone").text


def test_codes_of_the_second_step_stay_with_their_own_number(realm_a: Realm, user_a: User, dana: RealmClient) -> None:
    change(realm_a, second_factor="optional", second_factor_methods=["sms", "totp"])
    dana.post("/account/factors/add/number", {"to": OLD})
    dana.post("/account/factors/add/number", {"code": code_to(realm_a, OLD)})
    ask(dana)
    prove(dana, realm_a)
    assert stored(user_a).phone == NEW
    with realm_scope(realm_a):
        (factor,) = [each for each in factors_of(user_a.pk) if each.kind == "sms"]
    assert OLD.endswith(factor.hint)
    assert "go to the number ending in" in dana.get("/account/phone").text


def test_where_a_number_is_of_no_use_none_is_asked_for(realm_a: Realm, user_a: User) -> None:
    client = RealmClient(realm_a)
    sign_in(client)
    assert "account/phone" not in client.get("/account/details").text
    assert client.get("/account/phone").status_code == 404
    assert ask(client).status_code == 404
    assert not mails(realm_a)
    with realm_scope(realm_a):
        owner = actor_of(make_user(realm_a, "o@example.com", role="Owner"))
        role = create_role(owner, kind=RoleKind.APPLICATION, name="caller")
        Role.objects.filter(pk=role.pk).update(requirements=["verified_phone"])
        assign_role(owner, user_id=user_a.pk, role_id=role.pk)
    assert client.get("/account/phone").status_code == 200


def test_lg_11_the_password_stays_where_nobody_could_choose_another(
    realm_a: Realm, user_a: User, events: Events
) -> None:
    have(user_a, phone=OLD, phone_verified_at=clock.now(), email=None, email_verified_at=None, username="dana")
    change(realm_a, username_sign_in=True)
    client = RealmClient(realm_a)
    sign_in(client, "dana")
    ask(client)
    prove(client, realm_a)
    found = re.search(r"https?://\S+/phone/revert/\S+", sent(realm_a, OLD)[-1].text)
    assert found is not None
    assert "Sign in again" in RealmClient(realm_a).post(path_of(found[0])).text
    assert (stored(user_a).phone, stored(user_a).has_usable_password()) == (OLD, True)
    assert client.get("/account/").status_code == 302


def test_lg_11_an_admins_change_of_a_number_is_told_and_taken_back(
    realm_a: Realm, user_a: User, dana: RealmClient, as_owner_a: Actor
) -> None:
    with realm_scope(realm_a):
        change_identifiers(as_owner_a, user_id=user_a.pk, phone=NEW)
    assert stored(user_a).phone_verified_at is None
    assert not sent(realm_a, NEW)
    assert "/phone/revert/" in sent(realm_a, OLD)[-1].text
    RealmClient(realm_a).post(path_of(sent(realm_a, "dana@example.com")[-1].links[0]))
    assert (stored(user_a).phone, stored(user_a).phone_verified_at is not None) == (OLD, True)


def test_lg_11_a_link_that_somebody_got_by_the_change_undoes_no_rescue(
    realm_a: Realm, user_a: User, dana: RealmClient, events: Events
) -> None:
    def way_back(number: str) -> str:
        found = re.search(r"https?://\S+/phone/revert/\S+", sent(realm_a, number)[-1].text)
        assert found is not None
        return path_of(found[0])

    ask(dana)
    prove(dana, realm_a)
    ask(dana, "+493055555555")
    prove(dana, realm_a, "+493055555555")
    hers, his = way_back(OLD), way_back(NEW)
    # His own first: it doesn't close hers.
    RealmClient(realm_a).post(his)
    assert stored(user_a).phone == NEW
    RealmClient(realm_a).post(hers)
    assert stored(user_a).phone == OLD
    assert "doesn’t work any more" in RealmClient(realm_a).get(his).text
    RealmClient(realm_a).post(his)
    assert stored(user_a).phone == OLD
    assert len(events(realm_a, "phone.change_reverted")) == 2


def test_lg_11_who_takes_his_address_back_is_not_left_with_a_strangers_number(
    realm_a: Realm, user_a: User, dana: RealmClient
) -> None:
    ask(dana)
    prove(dana, realm_a)
    dana.post("/account/email", {"email": "mallory@example.com", "action_add": ""})
    RealmClient(realm_a).post(path_of(sent(realm_a, "mallory@example.com")[-1].links[0]))
    path = next(each.links[0] for each in sent(realm_a, "dana@example.com") if "/email/revert/" in str(each.links))
    RealmClient(realm_a).post(path_of(path))
    user = stored(user_a)
    assert (user.email, user.phone, user.phone_verified_at) == ("dana@example.com", NEW, None)
    before = len(sent(realm_a, NEW))
    RealmClient(realm_a).post("/signin", {"login": NEW, "way": "code"})
    RealmClient(realm_a).post("/password/reset", {"email": NEW})
    assert len(sent(realm_a, NEW)) == before
