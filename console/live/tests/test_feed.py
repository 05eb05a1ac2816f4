"""The feed: every viewer gets what he may see, once, also after a lost connection; and nobody gets another realm's."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import transaction

from conftest import make_user
from console.live import consumers
from console.live.groups import feed_group
from console.live.hub import hub
from console.live.rows import Viewer, render_row
from console.live.tests.sockets import Page, cookie_of, elsewhere, run
from identity.accounts.models import User
from identity.applications.commands import add_secret
from identity.audit.events import AuditExported
from identity.audit.models import AuditEvent
from identity.audit.reading import readable
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor, anonymous_actor, system_actor
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission
from identity.realms.models import Realm
from identity.security.events import AlertRaised
from identity.security.tests.test_commands import raised
from identity.signin.events import SignInFailed

pytestmark = pytest.mark.django_db(transaction=True)


def happen(realm: Realm, count: int = 1) -> list[str]:
    """Events of the realm, oldest first."""
    out = []
    for _ in range(count):
        with transaction.atomic():
            out.append(str(record(system_actor(realm.pk), AuditExported(target_id=realm.pk)).pk))
    return out


def seen(ids: list[str]) -> Callable[[Page], bool]:
    return lambda page: set(ids) <= set(page.rows)


def test_an_event_reaches_the_open_pages_of_its_realm_and_no_other(
    realm_a: Realm, realm_b: Realm, owner_a: User, owner_b: User
):
    cookie_a, cookie_b = cookie_of(realm_a, owner_a), cookie_of(realm_b, owner_b)

    async def story():
        pages = [await Page(realm_a, cookie_a).open(), await Page(realm_a, cookie_a).open()]
        other = await Page(realm_b, cookie_b).open()
        for page in (*pages, other):
            await page.listen(0.6)
        ids = await elsewhere(happen, realm_a)
        for page in pages:
            await page.listen(3, until=seen(ids))
            assert page.rows.count(ids[0]) == 1
        await other.listen(0.5)
        assert not set(other.rows) & set(ids)
        for page in (*pages, other):
            await page.close()

    run(story())


def test_each_row_comes_once_however_often_it_is_told(realm_a: Realm, owner_a: User):
    cookie = cookie_of(realm_a, owner_a)

    async def story():
        page = await Page(realm_a, cookie).open()
        await page.listen(0.5)
        ids = await elsewhere(happen, realm_a, 3)
        await page.listen(3, until=seen(ids))
        await page.say(json.dumps({"resume": ids[0]}))
        await elsewhere(happen, realm_a)
        await page.listen(1)
        for each in ids:
            assert page.rows.count(each) == 1
        await page.close()

    run(story())


def test_after_a_lost_connection_the_feed_resumes_with_nothing_missed(realm_a: Realm, owner_a: User):
    cookie = cookie_of(realm_a, owner_a)

    async def story():
        page = await Page(realm_a, cookie).open()
        first = await elsewhere(happen, realm_a)
        await page.listen(3, until=seen(first))
        await page.close()
        missed = await elsewhere(happen, realm_a, 5)
        page = await Page(realm_a, cookie).open(first[0])
        await page.listen(3, until=seen(missed))
        # Newest first in one piece, as the page shows them.
        assert [row for row in page.rows if row in missed] == missed[::-1]
        await page.close()

    run(story())


def test_more_than_the_page_can_catch_up_with_makes_it_load_anew(realm_a: Realm, owner_a: User):
    cookie = cookie_of(realm_a, owner_a)

    async def story():
        with patch.object(consumers, "MOST_RESUMED", 4):
            first = (await elsewhere(happen, realm_a))[0]
            await elsewhere(happen, realm_a, 6)
            page = await Page(realm_a, cookie).open(first)
            await page.listen(2, until=lambda page: '{"reload": true}' in page.messages)
            assert '{"reload": true}' in page.messages
            assert page.rows == []
            await page.close()

    run(story())


def test_an_event_that_commits_late_is_not_lost(realm_a: Realm, owner_a: User):
    """Ids do not commit in order: one that is five seconds old when it appears comes all the same."""
    cookie = cookie_of(realm_a, owner_a)

    async def story():
        page = await Page(realm_a, cookie).open()
        await page.listen(0.5)
        newer = await elsewhere(happen, realm_a)
        await page.listen(3, until=seen(newer))
        with clock_at(clock.now() - timedelta(seconds=5)):
            late = await elsewhere(happen, realm_a)
        await page.listen(3, until=seen(late))
        assert late[0] in page.rows
        await page.close()

    run(story())


def test_without_the_permission_to_read_the_trail_there_are_no_rows(realm_a: Realm):
    desk = make_user(realm_a, "desk@example.com", role="Help desk")
    cookie = cookie_of(realm_a, desk)

    async def story():
        page = await Page(realm_a, cookie).open()
        await elsewhere(happen, realm_a, 2)
        await page.listen(1)
        assert page.messages == []
        assert page.code is None
        await page.close()

    run(story())


def test_a_new_alert_changes_the_number_in_the_sidebar(realm_a: Realm, owner_a: User, user_a: User):
    cookie = cookie_of(realm_a, owner_a)

    async def story():
        page = await Page(realm_a, cookie).open()
        await page.listen(0.5)
        before = len(page.messages)
        await elsewhere(raised, realm_a, user_a)
        await page.listen(3, until=lambda page: any("nav-count-alerts" in m for m in page.messages[before:]))
        (count,) = [message for message in page.messages[before:] if "nav-count-alerts" in message]
        assert 'hx-swap-oob="true"' in count
        assert "hidden" not in count.partition(">")[0]
        await page.close()

    run(story())


def test_the_last_page_that_closes_stops_the_work(realm_a: Realm, owner_a: User):
    cookie = cookie_of(realm_a, owner_a)

    async def story():
        assert hub.task is None
        page = await Page(realm_a, cookie).open()
        await page.listen(0.3)
        assert hub.task is not None
        assert hub.count(realm_id=realm_a.pk, user_id=owner_a.pk) == 1
        await page.close()
        assert hub.task is None
        assert not hub.sockets

    run(story())


def test_ti_14_group_names_come_from_the_id_alone_and_have_one_length(realm_a: Realm, realm_b: Realm):
    names = {feed_group(realm.pk) for realm in (realm_a, realm_b)}
    assert len(names) == 2
    assert {len(name) for name in names} == {37}
    assert not any(realm.slug == name.removeprefix("feed-") for realm in (realm_a, realm_b) for name in names)


def test_ti_14_a_message_on_a_wrong_group_shows_nothing(realm_a: Realm, realm_b: Realm, owner_a: User):
    cookie = cookie_of(realm_a, owner_a)

    async def story():
        page = await Page(realm_a, cookie).open()
        await page.listen(0.3)
        ids = await elsewhere(happen, realm_b)
        from channels.layers import get_channel_layer

        message = {"type": "feed.events", "ids": ids, "recheck": False, "counts": False}
        await get_channel_layer().group_send(feed_group(realm_a.pk), message)
        await page.listen(0.7)
        assert not set(page.rows) & set(ids)
        await page.close()

    run(story())


def test_ac_10_no_secret_travels_over_the_socket(realm_a: Realm, owner_a: User, as_owner_a: Actor, app_a):
    cookie = cookie_of(realm_a, owner_a)
    application, first_secret = app_a

    async def story():
        page = await Page(realm_a, cookie).open()
        await page.listen(0.5)

        def add() -> tuple[str, list[str]]:
            with realm_scope(realm_a):
                secret = add_secret(as_owner_a, application_id=application.pk)[1]
                return secret, [str(AuditEvent.objects.filter(type="secret.added").latest("id").pk)]

        secret, ids = await elsewhere(add)
        await page.listen(3, until=seen(ids))
        assert secret not in "".join(page.messages)
        assert first_secret not in "".join(page.messages)
        await page.close()

    run(story())


# --- rows --------------------------------------------------------------------------------------------------------


def viewer(*permissions: Permission, language: str = "en") -> Viewer:
    return Viewer(language, "/realms/a", frozenset(permissions))


@pytest.fixture
def alert_row(realm_a: Realm, user_a: User):
    alert = raised(realm_a, user_a)
    return alert, readable([AuditEvent.objects.filter(realm_id=realm_a.pk, type="alert.raised").latest("id")])[0]


def test_an_alerts_row_can_be_acted_on_by_those_who_may(realm_a: Realm, alert_row):
    alert, event = alert_row
    html = render_row(event, viewer(Permission.ALERTS_READ, Permission.ALERTS_ACT), realm_a)
    base = f"/realms/a/console/security/{public_id('alert', alert.pk)}"
    for act in ("/contain", "/contain?only=sessions", "/dismiss"):
        assert f'hx-get="{base}{act}"' in html
    assert f'href="{base}"' in html


def test_a_row_has_neither_links_nor_acts_for_those_who_may_not(realm_a: Realm, alert_row):
    _alert, event = alert_row
    html = render_row(event, viewer(), realm_a)
    assert "href" not in html
    assert "hx-get" not in html


def test_in_07_what_was_typed_at_the_door_is_text_in_the_row(realm_a: Realm):
    with transaction.atomic():
        row = record(
            anonymous_actor(realm_a.pk),
            SignInFailed(identifier='"><img src=x onerror=alert(1)>', reason="unknown_name"),
        )
    html = render_row(readable([row])[0], viewer(), realm_a)
    assert "<img" not in html
    assert "&lt;img" in html


def test_two_viewers_of_different_languages_read_the_same_event_in_their_own_words(realm_a: Realm):
    with transaction.atomic():
        row = record(system_actor(realm_a.pk), AuditExported(count=3))
    hub._events.clear()
    hub._rows.clear()
    rows = {code: hub._rendered(realm_a, [row.pk], viewer(language=code)) for code in ("en", "de", "en")}
    assert "exported 3 events" in str(rows["en"])
    assert "hat Ereignisse exportiert: 3" in str(rows["de"])


def test_viewers_who_may_the_same_share_a_rendered_row(realm_a: Realm):
    with transaction.atomic():
        row = record(system_actor(realm_a.pk), AuditExported())
    hub._events.clear()
    hub._rows.clear()
    with patch("console.live.hub.render_row", wraps=render_row) as rendering:
        for _ in range(3):
            hub._rendered(realm_a, [row.pk], viewer())
        hub._rendered(realm_a, [row.pk], viewer(Permission.ALERTS_READ))
    assert rendering.call_count == 2


def test_an_alert_carries_its_own_severity_to_the_page(realm_a: Realm):
    with transaction.atomic():
        row = record(system_actor(realm_a.pk), AlertRaised(number=1, level="critical", about="x"))
    assert 'data-severity="critical"' in render_row(readable([row])[0], replace(viewer(), prefix=""), realm_a)
