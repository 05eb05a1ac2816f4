"""Ending a pause before its time: by the person's link, by an admin, by a new password."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from conftest import actor_of, make_user
from identity.accounts.commands import disable_user
from identity.accounts.models import User
from identity.audit.reading import ReadableEvent
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, NotFound, PermissionDenied
from identity.kernel.ids import public_id
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin import limits
from identity.signin.commands import unlock_sign_in
from identity.signin.queries import pauses_of
from identity.signin.tests.conftest import PASSWORD, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

Events = Callable[[Realm, str], list[ReadableEvent]]
ADDRESS = "192.0.2.1"


def at(realm: Realm, ip: str = ADDRESS) -> RealmClient:
    return RealmClient(realm, REMOTE_ADDR=ip)


@pytest.fixture
def paused(realm_a: Realm, user_a: User) -> User:
    """Dana, after six wrong tries from one place."""
    for _ in range(6):
        sign_in(at(realm_a), password="wrong")
    assert sign_in(at(realm_a)).status_code == 429
    return user_a


def ask(realm: Realm, login: str = "dana@example.com") -> RealmClient:
    client = at(realm)
    assert b"a link that ends the pause is on its way" in client.post("/signin/unlock", {"login": login}).content
    return client


def test_the_page_of_a_pause_offers_a_link_that_ends_it_once(realm_a: Realm, paused: User, events: Events) -> None:
    assert b"Email me a link that ends the pause" in sign_in(at(realm_a)).content
    client = ask(realm_a)
    (mail,) = mails(realm_a)
    assert mail.to == "dana@example.com"
    path = path_of(mail.links[0])
    assert b"End the pause" in client.get(path).content
    assert sign_in(at(realm_a)).status_code == 429, "opening the link does nothing yet"
    assert client.post(path)["Location"] == "/realms/a/signin"
    assert sign_in(at(realm_a)).status_code == 302
    (said,) = events(realm_a, "signin.unlocked")
    assert (said.row.target_id, said.row.payload["by"]) == (paused.pk, "link")
    assert client.post(path).status_code == 410
    assert len(events(realm_a, "signin.unlocked")) == 1


def test_a_link_lasts_an_hour_and_is_of_its_realm(realm_a: Realm, paused: User, realm_b: Realm, user_b: User) -> None:
    ask(realm_a)
    path = path_of(mails(realm_a)[0].links[0])
    assert at(realm_b).post(path.replace("/realms/a/", "/realms/b/")).status_code == 410
    assert at(realm_a).post(path + "x").status_code == 410
    with clock.clock_at(clock.now() + timedelta(minutes=61)):
        assert at(realm_a).post(path).status_code == 410


def test_lg_23_asking_is_the_same_for_every_name_and_mails_only_who_is_paused(
    realm_a: Realm, paused: User, realm_b: Realm, user_b: User
) -> None:
    kim = make_user(realm_a, "kim@example.com")
    off = make_user(realm_a, "off@example.com")
    with realm_scope(realm_a):
        disable_user(system_actor(realm_a.pk), user_id=off.pk)
    pages = set()
    for login in ("dana@example.com", kim.email, off.email, "nobody@example.com", "+49 30 123456", "x"):
        pages.add(len(at(realm_a).post("/signin/unlock", {"login": login}).content))
    assert len(pages) == 1
    assert [mail.to for mail in mails(realm_a)] == ["dana@example.com"]
    assert mails(realm_b) == []
    assert at(realm_a).get("/signin/unlock").status_code == 302


def test_who_asks_again_and_again_gets_a_few_mails_and_then_waits(realm_a: Realm, paused: User) -> None:
    client = at(realm_a)
    codes = [client.post("/signin/unlock", {"login": "dana@example.com"}).status_code for _ in range(31)]
    assert (codes[:30], codes[30]) == ([200] * 30, 429)
    assert len(mails(realm_a)) == 3


def test_an_attack_from_everywhere_is_seen_and_ended_by_an_admin(
    realm_a: Realm, user_a: User, as_owner_a: Actor, events: Events
) -> None:
    for host in range(31):
        sign_in(at(realm_a, f"198.51.100.{host}"), password="wrong")
    assert sign_in(at(realm_a, "203.0.113.1")).status_code == 429
    with realm_scope(realm_a):
        (pause,) = pauses_of(as_owner_a, user_id=user_a.pk)
        assert (pause.everywhere, pause.network) == (True, "")
        unlock_sign_in(as_owner_a, user_id=user_a.pk)
        assert pauses_of(as_owner_a, user_id=user_a.pk) == []
        with pytest.raises(Conflict):
            unlock_sign_in(as_owner_a, user_id=user_a.pk)
    assert sign_in(at(realm_a, "203.0.113.1")).status_code == 302
    assert events(realm_a, "signin.unlocked")[0].row.payload["by"] == "admin"


def test_it_needs_the_permission_and_the_realm(
    realm_a: Realm, paused: User, realm_b: Realm, as_owner_b: Actor, as_user_a: Actor
) -> None:
    auditor = actor_of(make_user(realm_a, "auditor@example.com", role="Auditor"))
    with realm_scope(realm_a):
        for nobody in (auditor, as_user_a):
            with pytest.raises(PermissionDenied):
                unlock_sign_in(nobody, user_id=paused.pk)
    with realm_scope(realm_b), pytest.raises(NotFound):
        unlock_sign_in(as_owner_b, user_id=paused.pk)
    assert sign_in(at(realm_a)).status_code == 429


def test_the_console_shows_a_persons_pause_and_ends_it(realm_a: Realm, paused: User, owner_a: User) -> None:
    console = RealmClient(realm_a).sign_in(owner_a)
    url = f"/console/users/{public_id('user', paused.pk)}"
    assert f"From {ADDRESS} until" in console.get(url).text
    assert console.post(f"{url}/unlock-sign-in").status_code == 302
    assert "Sign-in is paused" not in console.get(url).text
    assert sign_in(at(realm_a)).status_code == 302


def test_lg_22_ending_one_persons_pause_leaves_the_network_its_count(realm_a: Realm, paused: User) -> None:
    with realm_scope(realm_a):
        before = limits.count_attempt("x", ADDRESS).taken[-1].count
        unlock_sign_in(system_actor(realm_a.pk), user_id=paused.pk)
        assert limits.count_attempt("y", ADDRESS).taken[-1].count == before + 1


def test_a_new_password_by_a_link_ends_the_pause(realm_a: Realm, paused: User, events: Events) -> None:
    client = at(realm_a)
    client.post("/password/reset", {"email": "dana@example.com"})
    path = path_of(mails(realm_a)[-1].links[0])
    client.post(path, {"password1": "another good phrase"})
    assert sign_in(client, password=PASSWORD).status_code == 200
    assert sign_in(client, password="another good phrase").status_code == 302
    assert events(realm_a, "signin.unlocked")[0].row.payload["by"] == "new_password"


def test_a_name_with_a_sign_that_no_database_stores_gets_the_same_answer(realm_a: Realm) -> None:
    ask(realm_a, "dana\0@example.com")
    ask(realm_a, "\0")
