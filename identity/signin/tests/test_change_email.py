"""Changing the own address: asked fresh, both addresses told, taken back by the former one (LG-11)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress

from conftest import actor_of, make_user
from identity.accounts.commands import change_email, set_password
from identity.accounts.models import User
from identity.audit.reading import ReadableEvent
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import PASSWORD, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

Events = Callable[[Realm, str], list[ReadableEvent]]
NEW = "dana.new@example.com"


@pytest.fixture
def dana(realm_a: Realm, user_a: User) -> RealmClient:
    client = RealmClient(realm_a)
    sign_in(client)
    return client


def ask(client: RealmClient, email: str = NEW) -> object:
    return client.post("/account/email", {"email": email, "action_add": ""})


def stored(realm: Realm, user: User) -> User:
    with realm_scope(realm):
        return User.objects.get(pk=user.pk)


def rows(user: User) -> list[tuple[str, bool, bool]]:
    return sorted(EmailAddress.objects.filter(user_id=user.pk).values_list("email", "verified", "primary"))


def test_lg_11_nothing_changes_until_the_new_address_is_confirmed(
    realm_a: Realm, user_a: User, dana: RealmClient, events: Events
) -> None:
    assert ask(dana)["Location"] == "/realms/a/account/email"
    assert stored(realm_a, user_a).email == "dana@example.com"
    assert NEW.encode() in dana.get("/account/email").content
    confirm, notice = mails(realm_a)
    assert (confirm.to, notice.to) == (NEW, "dana@example.com")
    assert NEW in notice.text
    assert len(events(realm_a, "email.change_requested")) == 1
    # Before that the new address opens nothing.
    assert sign_in(RealmClient(realm_a), NEW).status_code == 200
    RealmClient(realm_a).post("/password/reset", {"email": NEW})
    assert len(mails(realm_a)) == 2

    path = path_of(confirm.links[0])
    assert RealmClient(realm_a).get(path).status_code == 200
    assert stored(realm_a, user_a).email == "dana@example.com"
    RealmClient(realm_a).post(path)
    user = stored(realm_a, user_a)
    assert (user.email, user.email_verified) == (NEW, True)
    assert rows(user_a) == [(NEW, True, True)]
    (said,) = events(realm_a, "email.changed")
    assert (said.personal["email"], said.personal["former_email"]) == (NEW, "dana@example.com")
    assert sign_in(RealmClient(realm_a), NEW).status_code == 302
    assert sign_in(RealmClient(realm_a)).status_code == 200
    assert mails(realm_a)[-1].to == "dana@example.com"


def test_lg_11_the_former_address_takes_the_change_back(
    realm_a: Realm, user_a: User, dana: RealmClient, events: Events
) -> None:
    ask(dana)
    RealmClient(realm_a).post(path_of(mails(realm_a)[0].links[0]))
    told = mails(realm_a)[-1]
    path = path_of(told.links[0])
    owner = RealmClient(realm_a)
    assert NEW.encode() in owner.get(path).content
    assert dana.get("/account/").status_code == 200
    # Two changes in a row leave no other way open to who made them.
    ask(dana, "dana.third@example.com")
    RealmClient(realm_a).post(path_of(mails(realm_a)[-2].links[0]))
    assert stored(realm_a, user_a).email == "dana.third@example.com"
    assert owner.post(path).status_code == 200
    user = stored(realm_a, user_a)
    assert (user.email, user.email_verified, user.has_usable_password()) == ("dana@example.com", True, False)
    assert dana.get("/account/").status_code == 302
    assert sign_in(RealmClient(realm_a), NEW).status_code == 200
    assert events(realm_a, "email.change_reverted")[0].row.payload == {"sessions_ended": 1}
    assert owner.post(path).status_code == 200
    assert len(events(realm_a, "email.change_reverted")) == 1
    link = mails(realm_a)[-1]
    assert (link.to, "/password/reset/" in link.links[0]) == ("dana@example.com", True)


def test_lg_11_the_way_back_ends_after_a_week_and_in_another_realm(
    realm_a: Realm, user_a: User, realm_b: Realm, user_b: User, dana: RealmClient
) -> None:
    ask(dana)
    RealmClient(realm_a).post(path_of(mails(realm_a)[0].links[0]))
    path = path_of(mails(realm_a)[-1].links[0])
    RealmClient(realm_b).post(path.replace("/realms/a/", "/realms/b/"))
    RealmClient(realm_a).post(path[:-2] + "xx")
    assert stored(realm_a, user_a).email == NEW
    assert stored(realm_b, user_b).email == "dana@example.com"


def test_lg_11_an_old_sign_in_has_to_be_confirmed_first(realm_a: Realm, user_a: User, dana: RealmClient) -> None:
    with clock.clock_at(clock.now() + timedelta(minutes=6)):
        for response in (dana.get("/account/email"), ask(dana)):
            assert response["Location"] == "/realms/a/signin/again?next=/realms/a/account/email"
        assert dana.get("/signin/again?next=/realms/a/account/email").status_code == 200
        wrong = dana.post("/signin/again", {"password": "wrong", "next": "/realms/a/account/email"})
        assert wrong.status_code == 200
        right = dana.post("/signin/again", {"password": PASSWORD, "next": "/realms/a/account/email"})
        assert right["Location"] == "/realms/a/account/email"
        assert dana.get("/account/email").status_code == 200


def test_lg_11_a_new_password_stops_a_change_that_waits(
    realm_a: Realm, user_a: User, dana: RealmClient, as_owner_a: Actor
) -> None:
    ask(dana)
    path = path_of(mails(realm_a)[0].links[0])
    with realm_scope(realm_a):
        set_password(as_owner_a, user_id=user_a.pk, password="another good phrase")
    assert b"confirm it" not in RealmClient(realm_a).get(path).content
    RealmClient(realm_a).post(path)
    assert stored(realm_a, user_a).email == "dana@example.com"


def test_a_change_is_cancelled_sent_again_and_replaced(realm_a: Realm, user_a: User, dana: RealmClient) -> None:
    ask(dana)
    first = path_of(mails(realm_a)[0].links[0])
    ask(dana, "dana.third@example.com")
    assert rows(user_a) == [("dana.third@example.com", False, False), ("dana@example.com", True, True)]
    RealmClient(realm_a).post(first)
    assert stored(realm_a, user_a).email == "dana@example.com"
    dana.post("/account/email", {"email": "x", "action_send": ""})
    assert mails(realm_a)[-1].to == "dana.third@example.com"
    dana.post("/account/email", {"email": "x", "action_remove": ""})
    assert rows(user_a) == [("dana@example.com", True, True)]
    RealmClient(realm_a).post(path_of(mails(realm_a)[-1].links[0]))
    assert stored(realm_a, user_a).email == "dana@example.com"


def test_lg_23_an_address_that_somebody_has_is_answered_alike(realm_a: Realm, user_a: User, dana: RealmClient) -> None:
    make_user(realm_a, "kim@example.com")
    free, taken = ask(dana, "free@example.com"), ask(dana, "kim@example.com")
    assert (free.status_code, free["Location"]) == (taken.status_code, taken["Location"])
    assert "kim@example.com" not in {mail.to for mail in mails(realm_a)}


def test_an_address_taken_meanwhile_is_refused_at_the_link(realm_a: Realm, user_a: User, dana: RealmClient) -> None:
    ask(dana)
    path = path_of(mails(realm_a)[0].links[0])
    make_user(realm_a, NEW)
    assert RealmClient(realm_a).post(path).status_code == 200
    assert stored(realm_a, user_a).email == "dana@example.com"


def test_an_admins_change_holds_at_once_and_is_told(realm_a: Realm, user_a: User, owner_a: User) -> None:
    with realm_scope(realm_a):
        change_email(actor_of(owner_a), user_id=user_a.pk, email=NEW)
    user = stored(realm_a, user_a)
    assert (user.email, user.email_verified, rows(user)) == (NEW, False, [(NEW, False, True)])
    assert [mail.to for mail in mails(realm_a)] == ["dana@example.com"]
    with realm_scope(realm_a):
        change_email(system_actor(realm_a.pk), user_id=user_a.pk, email=NEW, verified=True)
    assert stored(realm_a, user_a).email_verified
    assert rows(user) == [(NEW, True, True)]


def test_lg_11_a_link_that_somebody_got_by_the_change_undoes_no_rescue(
    realm_a: Realm, user_a: User, dana: RealmClient, events: Events
) -> None:
    def to(address: str) -> None:
        ask(dana, address)
        dana.post(path_of(next(each for each in reversed(mails(realm_a)) if each.to == address).links[0]))

    def way_back(address: str) -> str:
        found = [each.links[0] for each in mails(realm_a) if each.to == address and each.links]
        return path_of(next(each for each in reversed(found) if "/revert/" in each))

    to("mallory@example.com")
    to("mallory2@example.com")
    hers, his = way_back("dana@example.com"), way_back("mallory@example.com")
    assert "/revert/" in his
    # His own first: it doesn't close hers.
    RealmClient(realm_a).post(his)
    assert stored(realm_a, user_a).email == "mallory@example.com"
    RealmClient(realm_a).post(hers)
    assert stored(realm_a, user_a).email == "dana@example.com"
    assert "Take the change back" not in RealmClient(realm_a).get(his).text
    RealmClient(realm_a).post(his)
    assert stored(realm_a, user_a).email == "dana@example.com"
    assert len(events(realm_a, "email.change_reverted")) == 2
    # A change that comes after it has a way back again.
    with realm_scope(realm_a):
        set_password(actor_of(user_a), user_id=user_a.pk, password=PASSWORD)
    sign_in(dana)
    to("dana.new@example.com")
    RealmClient(realm_a).post(his)
    assert stored(realm_a, user_a).email == "dana.new@example.com"
    RealmClient(realm_a).post(way_back("dana@example.com"))
    assert stored(realm_a, user_a).email == "dana@example.com"
