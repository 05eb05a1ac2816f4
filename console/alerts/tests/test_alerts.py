"""The Security page: queue, evidence, and acts with the counts of the moment."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from conftest import make_user
from identity.accounts.models import User
from identity.audit import outbox
from identity.audit.models import AuditEvent
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.realms.models import Realm
from identity.security.models import Alert, AlertStatus
from identity.security.tests.test_commands import raised, session_of
from identity.security.tests.test_detectors import say
from identity.sessions.models import Session
from identity.signin.events import SignInFailed

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def analyst(realm_a: Realm, client_for):
    return client_for(realm_a).sign_in(make_user(realm_a, "ravi@example.com", role="Security analyst", name="Ravi"))


@pytest.fixture
def alert(realm_a: Realm, user_a: User) -> Alert:
    """Raised by seven wrong passwords from two addresses."""
    for n in range(7):
        event = SignInFailed(
            target_id=user_a.pk, subject_id=user_a.pk, identifier="dana@example.com", reason="wrong_password"
        )
        say(realm_a, event, at=NOON + timedelta(seconds=20 * n), ip="203.0.113.9" if n % 3 else "198.51.100.2")
    outbox.drain()
    with realm_scope(realm_a):
        return Alert.objects.get()


def url(alert: Alert, act: str = "") -> str:
    return f"/console/security/{public_id('alert', alert.pk)}{act}"


def state(realm: Realm, alert: Alert) -> str:
    with realm_scope(realm):
        return Alert.objects.get(pk=alert.pk).status


def test_the_queue_opens_its_first_alert_with_evidence(analyst, alert: Alert):
    html = analyst.get("/console/security").content.decode()
    assert "1 alert needs a decision." in html
    assert "7 sign-ins as Dana Okafor failed between 12:00 and 12:02, from 2 addresses. Nobody got in." in html
    for text in ("203.0.113.9", "198.51.100.2", "Linux", "Password guessing on"):
        assert text in html
    assert "data-chart-plot" in html
    assert re.search(r"<title>\s*Security", html)


def test_an_alert_comes_alone_to_htmx(analyst, alert: Alert):
    part = analyst.get(url(alert), headers=HTMX).content.decode()
    assert "<!doctype" not in part.lower()
    assert "Password guessing" in part
    assert "ALR-1" in analyst.get(url(alert)).content.decode()


def test_an_empty_queue_says_what_would_be_there(analyst):
    html = analyst.get("/console/security").content.decode()
    assert "No open alerts" in html
    assert "Nothing needs a decision." in html


def test_the_row_offers_what_can_be_done_right_there(analyst, alert: Alert, realm_a: Realm):
    html = analyst.get("/console/security").content.decode()
    for act in ("/contain?only=sessions", "/contain", "/dismiss"):
        assert f'hx-get="/realms/a{url(alert, act)}"' in html


def test_containing_asks_with_exact_counts_and_does_what_it_said(analyst, alert: Alert, realm_a: Realm, user_a: User):
    session_of(user_a, realm_a)
    session_of(user_a, realm_a)
    dialog = analyst.get(url(alert, "/contain"), headers=HTMX).content.decode()
    assert '<input type="hidden" name="seen_sessions" value="2">' in dialog
    answer = analyst.post(url(alert, "/contain"), {"seen_sessions": "2"})
    assert answer.status_code == 302
    assert state(realm_a, alert) == AlertStatus.CONTAINED
    with realm_scope(realm_a):
        assert User.objects.get(pk=user_a.pk).status == "locked"
        assert not Session.objects.filter(user=user_a, status="active").exists()
    page = analyst.get(url(alert)).content.decode()
    assert "2 sessions ended." in page
    assert "Dana Okafor is locked" in page


def test_more_than_was_shown_brings_the_dialog_back_and_changes_nothing(
    analyst, alert: Alert, realm_a: Realm, user_a: User
):
    session_of(user_a, realm_a)
    answer = analyst.post(url(alert, "/contain"), {"seen_sessions": "0"}, headers=HTMX)
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "Meanwhile there is 1 session." in html
    assert 'name="seen_sessions" value="1"' in html
    assert state(realm_a, alert) == AlertStatus.OPEN


def test_only_the_sessions_can_be_ended(analyst, alert: Alert, realm_a: Realm, user_a: User):
    session_of(user_a, realm_a)
    analyst.post(url(alert, "/contain") + "?only=sessions", {"seen_sessions": "1"})
    with realm_scope(realm_a):
        assert User.objects.get(pk=user_a.pk).status == "active"
        assert not Session.objects.filter(user=user_a, status="active").exists()


def test_dismissing_keeps_the_note_beside_the_alert(analyst, alert: Alert, realm_a: Realm):
    assert analyst.post(url(alert, "/dismiss"), {"note": "a <drill>"}).status_code == 302
    assert state(realm_a, alert) == AlertStatus.DISMISSED
    page = analyst.get(url(alert)).content.decode()
    assert "Ravi dismissed it as expected" in page
    assert "a &lt;drill&gt;" in page


def test_taking_tells_the_others_who_is_on_it(analyst, alert: Alert):
    assert analyst.post(url(alert, "/take")).status_code == 302
    assert "Ravi is on it" in analyst.get(url(alert)).content.decode()


def test_a_closed_alert_is_not_acted_on_again(analyst, alert: Alert, realm_a: Realm):
    analyst.post(url(alert, "/dismiss"), {})
    for act in ("/contain", "/dismiss", "/take"):
        assert analyst.post(url(alert, act), {}).status_code == 409
    assert "Somebody has closed this alert already" in analyst.get(url(alert, "/contain")).content.decode()


def test_an_alert_about_an_address_ends_the_sessions_from_there(analyst, realm_a: Realm, user_a: User):
    alert = raised(realm_a, None, address="203.0.113.9")
    assert "Nobody is signed in from this address." in analyst.get(url(alert)).content.decode()
    session_of(user_a, realm_a)
    assert "End 1 session" in analyst.get(url(alert)).content.decode()
    assert analyst.post(url(alert, "/contain"), {"seen_sessions": "1"}).status_code == 302
    with realm_scope(realm_a):
        assert not Session.objects.filter(user=user_a, status="active").exists()


ACTS = ("", "/contain", "/dismiss")


@pytest.mark.parametrize("act", ACTS)
def test_ti_02_another_realms_alert_is_not_found(client_for, realm_b: Realm, owner_b: User, alert: Alert, act: str):
    client = client_for(realm_b).sign_in(owner_b)
    assert client.get(url(alert, act)).status_code == 404
    if act:
        assert client.post(url(alert, act), {}).status_code == 404


@pytest.mark.parametrize("act", ["/contain", "/dismiss", "/take"])
def test_an_auditor_reads_and_does_not_act(client_for, realm_a: Realm, alert: Alert, act: str):
    auditor = client_for(realm_a).sign_in(make_user(realm_a, "ana@example.com", role="Auditor"))
    page = auditor.get(url(alert)).content.decode()
    assert "Acting on it needs another role." in page
    assert 'hx-get="/realms/a' + url(alert, "/contain") not in page
    refused = auditor.post(url(alert, act), {})
    assert refused.status_code == 403
    assert "alerts:act" in refused.content.decode()
    assert state(realm_a, alert) == AlertStatus.OPEN
    assert AuditEvent.objects.filter(realm_id=realm_a.pk, type="access.denied").count() == 1


def test_people_without_the_permission_see_nothing(client_for, realm_a: Realm, alert: Alert):
    manager = client_for(realm_a).sign_in(make_user(realm_a, "tom@example.com", role="Application manager"))
    for path in ("/console/security", url(alert)):
        assert manager.get(path).status_code == 403


def test_se_11_acting_needs_a_token(realm_a: Realm, owner_a: User, client_for, alert: Alert):
    client = client_for(realm_a, enforce_csrf_checks=True).sign_in(owner_a)
    assert client.post(url(alert, "/contain"), {}).status_code == 403
    assert state(realm_a, alert) == AlertStatus.OPEN


def test_closed_alerts_have_a_list_of_their_own(analyst, alert: Alert):
    analyst.post(url(alert, "/dismiss"), {})
    assert "Dismissed" in analyst.get("/console/security?status=closed").content.decode()
    assert analyst.get("/console/security?severity=nonsense").status_code == 200


def test_containing_from_a_row_stays_where_the_admin_is(analyst, alert: Alert, realm_a: Realm, user_a: User):
    session_of(user_a, realm_a)
    answer = analyst.post(url(alert, "/contain"), {"seen_sessions": "1"}, headers=HTMX)
    assert answer.status_code == 200
    assert not {"HX-Redirect", "HX-Location", "Location"} & set(answer.headers)
    happened = json.loads(answer.headers["HX-Trigger"])
    assert {"rk:close", "rk:alerts", "rk:toast"} <= happened.keys()
    told = happened["rk:toast"]
    assert told["text"] == "1 session ended. Dana Okafor is locked."
    assert (told["url"], told["label"]) == (f"/realms/a{url(alert)}", "See alert")
    row = answer.content.decode()
    public = public_id("alert", alert.pk)
    assert f"hx-swap-oob=\"outerHTML:[data-acts-on='{public}']\"" in row
    assert "Contained: 1 session ended. Dana Okafor is locked." in row
    assert state(realm_a, alert) == AlertStatus.CONTAINED
    assert AuditEvent.objects.filter(realm_id=realm_a.pk, type="alert.contained").count() == 1


def test_dismissing_from_a_row_stays_where_the_admin_is(analyst, alert: Alert, realm_a: Realm):
    answer = analyst.post(url(alert, "/dismiss"), {}, headers=HTMX)
    assert answer.status_code == 200
    assert not {"HX-Redirect", "HX-Location"} & set(answer.headers)
    assert "Dismissed" in answer.content.decode()
    assert state(realm_a, alert) == AlertStatus.DISMISSED


def test_the_feeds_row_has_what_became_of_the_alert_in_place_of_its_acts(analyst, alert: Alert):
    def row() -> str:
        html = analyst.get("/console/").content.decode().partition('id="feed"')[2]
        return next(li for li in html.split("<li ") if f"ALR-{alert.number}" in li or "Password guessing" in li)

    acts = f'data-acts-on="{public_id("alert", alert.pk)}"'
    assert acts in row()
    assert "/contain" in row()
    analyst.post(url(alert, "/contain"), {})
    feed = analyst.get("/console/").content.decode().partition('id="feed"')[2]
    assert acts in feed
    assert "See alert" in feed
    assert "/contain" not in feed.partition("</ol>")[0]
    assert f'data-closes="{public_id("alert", alert.pk)}"' in feed


def test_the_decisions_follow_without_leaving_the_alert_that_is_open(analyst, alert: Alert, realm_a: Realm):
    html = analyst.get("/console/security").content.decode()
    refresh = f"/realms/a{url(alert)}?live=1"
    assert f'hx-get="{refresh}"' in html
    analyst.post(url(alert, "/contain"), {}, headers=HTMX)
    board = analyst.get(url(alert) + "?live=1", headers=HTMX).content.decode()
    assert '<p class="num" id="lead" hx-swap-oob="true">Nothing needs a decision.</p>' in board
    assert "What was done" in board
    assert 'id="queue-title"' in board
    assert "<!doctype" not in board.lower()


def test_the_lock_can_be_undone_from_the_result(analyst, alert: Alert, realm_a: Realm, user_a: User, client_for):
    analyst.post(url(alert, "/contain"), {})
    undo = f"/console/users/{public_id('user', user_a.pk)}/unlock"
    assert f'action="/realms/a{undo}"' in analyst.get(url(alert)).content.decode()
    auditor = client_for(realm_a).sign_in(make_user(realm_a, "ana@example.com", role="Auditor"))
    assert undo not in auditor.get(url(alert)).content.decode()
    assert analyst.post(undo).status_code == 302
    with realm_scope(realm_a):
        assert User.objects.get(pk=user_a.pk).status == "active"
    assert undo not in analyst.get(url(alert)).content.decode()
