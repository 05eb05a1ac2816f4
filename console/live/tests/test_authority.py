"""Who may open a socket, and that it closes when that ends (TI-13, SE-11, DS-05)."""

import time
from collections.abc import Callable
from unittest.mock import patch

import pytest

from conftest import make_user
from console.live import consumers
from console.live.tests.sockets import Page, cookie_of, elsewhere, run, socket
from console.live.tests.test_feed import happen
from identity.access.commands import assign_role, end_visit, open_visit, set_role_requirements, unassign_role
from identity.access.models import Role
from identity.accounts.commands import disable_user, lock_user
from identity.accounts.models import User
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.realms.commands import suspend_realm
from identity.realms.models import Realm
from identity.sessions.commands import end_session
from identity.sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=True)
PROMISED_SECONDS = 5


def role(realm: Realm, name: str) -> Role:
    with realm_scope(realm):
        return Role.objects.get(name=name, built_in=True)


def session_of(user: User, realm: Realm) -> Session:
    with realm_scope(realm):
        return Session.objects.filter(user=user, status="active").latest("id")


def closes(realm: Realm, cookie: str, act: Callable[[], object], code: int = 4403) -> float:
    """Open a page, do it, and return after how many seconds the page was closed; nothing reaches it afterwards."""

    async def story() -> float:
        page = await Page(realm, cookie).open()
        await page.listen(0.4)
        assert page.code is None
        began = time.monotonic()
        await elsewhere(act)
        await page.listen(PROMISED_SECONDS + 3)
        took = time.monotonic() - began
        assert page.code == code
        return took

    return run(story())


@pytest.fixture
def admin(realm_a: Realm) -> User:
    return make_user(realm_a, "adm@example.com", role="Admin")


@pytest.fixture
def system(realm_a: Realm) -> Actor:
    return system_actor(realm_a.pk)


def inside(realm: Realm, act: Callable[[], object]) -> Callable[[], object]:
    def run_there() -> object:
        with realm_scope(realm):
            return act()

    return run_there


def test_ti_13_an_ended_session_closes_its_socket(realm_a: Realm, admin: User, system: Actor):
    cookie = cookie_of(realm_a, admin)
    session = session_of(admin, realm_a)
    took = closes(realm_a, cookie, inside(realm_a, lambda: end_session(system, session_id=session.pk)))
    assert took < PROMISED_SECONDS


def test_ti_13_a_role_that_is_taken_away_closes_the_socket(realm_a: Realm, admin: User, system: Actor):
    cookie = cookie_of(realm_a, admin)
    held = role(realm_a, "Admin")
    act = inside(realm_a, lambda: unassign_role(system, user_id=admin.pk, role_id=held.pk))
    assert closes(realm_a, cookie, act) < PROMISED_SECONDS


def test_ti_13_a_role_that_asks_for_more_closes_the_socket(realm_a: Realm, admin: User, system: Actor):
    cookie = cookie_of(realm_a, admin)
    held = role(realm_a, "Admin")
    asks = inside(realm_a, lambda: set_role_requirements(system, role_id=held.pk, requirements=["second_factor"]))
    assert closes(realm_a, cookie, asks) < PROMISED_SECONDS


@pytest.mark.parametrize("command", [lock_user, disable_user])
def test_ti_13_a_locked_or_disabled_person_loses_the_socket(realm_a: Realm, admin: User, system: Actor, command):
    cookie = cookie_of(realm_a, admin)
    act = inside(realm_a, lambda: command(system, user_id=admin.pk))
    assert closes(realm_a, cookie, act) < PROMISED_SECONDS


def test_ti_13_a_suspended_realm_closes_every_socket(realm_a: Realm, admin: User, as_operator: Actor, platform: Realm):
    cookie = cookie_of(realm_a, admin)
    act = inside(platform, lambda: suspend_realm(as_operator, realm_id=realm_a.pk, reason="test"))
    assert closes(realm_a, cookie, act) < PROMISED_SECONDS


def test_ti_13_without_any_event_the_timer_finds_it(realm_a: Realm, admin: User):
    cookie = cookie_of(realm_a, admin)
    session = session_of(admin, realm_a)

    def expire() -> None:
        with realm_scope(realm_a):
            Session.objects.filter(pk=session.pk).update(status="ended")

    assert closes(realm_a, cookie, expire) < PROMISED_SECONDS


def test_ti_13_an_ended_visit_closes_the_operators_socket(
    realm_a: Realm, platform: Realm, operator: User, as_operator: Actor
):
    cookie = cookie_of(platform, operator)
    session = session_of(operator, platform)
    actor = _with_session(as_operator, session)
    with realm_scope(platform):
        visit = open_visit(actor, realm_id=realm_a.pk, reason="to look after it")
    act = inside(platform, lambda: end_visit(actor, realm_id=realm_a.pk, visit_id=visit.pk))
    assert closes(realm_a, cookie, act) < PROMISED_SECONDS


def test_ti_13_an_operator_signed_out_at_home_loses_the_visited_socket(
    realm_a: Realm, platform: Realm, operator: User, as_operator: Actor
):
    cookie = cookie_of(platform, operator)
    session = session_of(operator, platform)
    with realm_scope(platform):
        open_visit(_with_session(as_operator, session), realm_id=realm_a.pk, reason="to look after it")
    act = inside(platform, lambda: end_session(system_actor(platform.pk), session_id=session.pk))
    assert closes(realm_a, cookie, act) < PROMISED_SECONDS


def _with_session(actor: Actor, session: Session) -> Actor:
    from dataclasses import replace

    return replace(actor, session_id=session.pk)


def test_other_permissions_make_the_page_connect_again(realm_a: Realm, admin: User, system: Actor):
    """1012: the websocket extension tries again, and gets what it may now."""
    cookie = cookie_of(realm_a, admin)
    more = role(realm_a, "Owner")
    act = inside(realm_a, lambda: assign_role(system, user_id=admin.pk, role_id=more.pk))
    assert closes(realm_a, cookie, act, code=1012) < PROMISED_SECONDS


def refused(page, code: int) -> None:
    async def story() -> None:
        connected, _ = await page.connect(timeout=5)
        assert connected, "opened, so that the page learns the code"
        message = await page.receive_output(timeout=5)
        assert (message["type"], message["code"]) == ("websocket.close", code)

    run(story())


def test_nobody_and_people_without_a_console_role_are_turned_away(realm_a: Realm, user_a: User):
    refused(socket(realm_a), 4403)
    refused(socket(realm_a, cookie_of(realm_a, user_a)), 4403)


def test_ti_01_a_session_of_one_realm_opens_no_socket_in_another(realm_a: Realm, realm_b: Realm, owner_a: User):
    cookie = cookie_of(realm_a, owner_a)
    refused(socket(realm_b, cookie), 4403)
    refused(socket(realm_b, cookie.replace("rk_s_a=", "rk_s_b=")), 4403)


@pytest.mark.parametrize("origin", ["http://evil.example", "", "null", "http://testserver.evil.example"])
def test_se_11_another_sites_page_opens_no_socket(realm_a: Realm, owner_a: User, origin: str):
    page = socket(realm_a, cookie_of(realm_a, owner_a), origin=origin)

    async def story() -> None:
        connected, code = await page.connect(timeout=5)
        assert not connected
        assert code == 4403

    run(story())


def test_an_unknown_realm_has_no_socket(realm_a: Realm):
    async def story() -> None:
        connected, code = await socket("nowhere").connect(timeout=5)
        assert not connected
        assert code == 4404

    run(story())


def test_ds_05_one_person_opens_only_so_many(realm_a: Realm, owner_a: User):
    cookie = cookie_of(realm_a, owner_a)

    async def story() -> None:
        with patch.object(consumers, "MOST_FOR_PERSON", 2):
            pages = [await Page(realm_a, cookie).open() for _ in range(3)]
            await pages[2].listen(2)
            assert pages[2].code == 4429
            for page in pages[:2]:
                await page.listen(0.2)
                assert page.code is None
                await page.close()

    run(story())


def test_ds_05_a_big_message_or_a_flood_closes_the_socket(realm_a: Realm, owner_a: User):
    cookie = cookie_of(realm_a, owner_a)

    async def story() -> None:
        page = await Page(realm_a, cookie).open()
        await page.say("x" * (consumers.MOST_BYTES + 1))
        await page.listen(2)
        assert page.code == 1009
        page = await Page(realm_a, cookie).open()
        for _ in range(consumers.MESSAGES + 1):
            await page.say("{}")
        await page.listen(2)
        assert page.code == 4429

    run(story())


@pytest.mark.parametrize(
    "text",
    [
        "null", "[]", "{}", '{"resume": 7}', '{"resume": "x"}', "[" * 900, '{"resume": {"a": 1}}',
        # Ids of no time: before 1970 and after the year 9999.
        '{"resume": "00000000-0000-7000-8000-000000000000"}', '{"resume": "ffffffff-ffff-7fff-bfff-ffffffffffff"}',
    ],
)  # fmt: skip
def test_nonsense_is_ignored(realm_a: Realm, owner_a: User, text: str):
    cookie = cookie_of(realm_a, owner_a)

    async def story() -> None:
        page = await Page(realm_a, cookie).open()
        await page.say(text)
        ids = await elsewhere(happen, realm_a)
        await page.listen(3, until=lambda page: set(ids) <= set(page.rows))
        assert page.code is None
        assert ids[0] in page.rows
        await page.close()

    run(story())


def test_ds_05_a_socket_that_never_resumes_is_closed(realm_a: Realm, owner_a: User):
    cookie = cookie_of(realm_a, owner_a)

    async def story() -> None:
        with patch.object(consumers, "SILENT_SECONDS", 0.3):
            page = Page(realm_a, cookie)
            await page.communicator.connect(timeout=5)
            await page.listen(2)
            assert page.code == 4408

    run(story())


def test_ds_05_a_flood_reaches_a_page_as_its_newest_rows(realm_a: Realm, owner_a: User):
    cookie = cookie_of(realm_a, owner_a)

    async def story() -> None:
        page = await Page(realm_a, cookie).open()
        await page.listen(0.5)
        before = len(page.rows)
        ids = await elsewhere(happen, realm_a, 150)
        await page.listen(5, until=lambda page: ids[-1] in page.rows)
        assert ids[-1] in page.rows
        # What a page can show at once, not more in one piece.
        assert max(message.count("data-event-id") for message in page.messages) <= max(50, before)
        await page.close()

    run(story())
