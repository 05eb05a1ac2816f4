"""The overview: each part for those who may see it, spans that can be chosen, empty and full."""

from datetime import timedelta

import pytest

from conftest import make_user
from identity.accounts.models import User, UserStatus
from identity.audit import outbox
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import anonymous_actor
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.kernel.events import Severity
from identity.security.tests.test_commands import raised
from identity.signin.events import SignInFailed, SignInSucceeded

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "figures"}


@pytest.fixture
def page(realm_a, owner_a, client_for):
    client = client_for(realm_a).sign_in(owner_a)
    return lambda path="/console/", **more: client.get(path, **more)


def happen(realm, *events, at=None):
    with realm_scope(realm), clock_at(at or clock.now()):
        for event in events:
            record(anonymous_actor(realm.pk), event)
    outbox.drain()


def test_an_empty_realm_says_so(page):
    html = page().content.decode()
    assert "Nothing needs a decision." in html
    assert "no sign-ins" in html
    assert "Nobody has signed in to an application yet." in html


def test_figures_are_of_this_realm_and_name_what_they_are_compared_with(page, realm_a, realm_b, app_a):
    application, _secret = app_a
    won = SignInSucceeded(application_id=application.pk)
    happen(realm_a, won, won, won, SignInFailed(reason="wrong_password"))
    happen(realm_a, won, at=clock.now() - timedelta(hours=30))
    happen(realm_b, *[won] * 7)
    html = page().content.decode()
    assert '<span class="v">3</span>' in html
    assert '<span class="v">75.0%</span>' in html
    assert "200.0%" in html
    assert "vs the day before" in html
    assert "Portal" in html


def test_another_span_comes_alone_to_htmx_and_as_a_page_without(page):
    whole = page("/console/?range=week").content.decode()
    part = page("/console/?range=week", headers=HTMX).content.decode()
    assert "<!doctype html>" in whole.lower()
    assert "<!doctype" not in part.lower()
    for html in (whole, part):
        assert "per 3 hours, last 7 days" in html
        assert "vs the week before" not in html or "%" in html
    assert 'id="charts" hx-swap-oob="true"' in part
    assert 'id="feed"' not in part, "the feed keeps its socket"
    assert "data-figure=" in part
    assert "<script" not in part, "htmx cuts scripts out of what it swaps in, a figure as well"


def test_alerts_come_first_the_gravest_on_top_and_one_button_stands_out(page, realm_a, user_a, owner_a):
    raised(realm_a, user_a, severity=Severity.MEDIUM)
    raised(realm_a, owner_a, severity=Severity.CRITICAL)
    html = page().content.decode()
    assert "2 alerts need a decision." in html
    assert html.index("Olivia Owner</a>") < html.index("Dana Okafor</a>")
    assert html.count('class="btn sm pri"') == 1


def test_the_feed_is_there_with_its_socket(page, realm_a):
    happen(realm_a, SignInFailed(reason="wrong_password", identifier="<b>x</b>"))
    html = page().content.decode()
    assert 'ws-connect="/realms/a/console/live"' in html
    assert "Wrong password: &lt;b&gt;x&lt;/b&gt;" in html


@pytest.mark.parametrize(
    ("role", "sees", "misses"),
    [
        ("Auditor", ["Needs a decision", "Sign-ins", "Top applications", "Live events"], []),
        ("Security analyst", ["Needs a decision", "Sign-ins", "Live events"], []),
        ("Application manager", ["Top applications"], ["Needs a decision", "Active sessions", "Live events"]),
        ("Help desk", ["Active sessions"], ["Needs a decision", "Top applications", "Live events"]),
    ],
)
def test_each_role_sees_its_parts(realm_a, client_for, role, sees, misses):
    user = make_user(realm_a, "someone@example.com", role=role)
    html = client_for(realm_a).sign_in(user).get("/console/").content.decode()
    for text in sees:
        assert text in html
    for text in misses:
        assert text not in html


def test_ti_01_people_without_a_role_and_of_other_realms_do_not_get_in(realm_a, user_a, owner_b, client_for):
    assert client_for(realm_a).sign_in(user_a).get("/console/").status_code == 403
    stranger = client_for(realm_a)
    assert stranger.get("/console/").status_code == 302


def test_a_forged_range_is_the_default(page):
    assert "per half hour, last 24 hours" in page("/console/?range=../../x").content.decode()


def test_a_new_realms_feed_opens_with_its_creation_alone(page):
    feed = page().content.decode().partition('id="feed"')[2].partition("</ol>")[0]
    assert "created this realm" in feed or "Realm A" in feed
    for word in ("Help desk", "offline_access", "signing key"):
        assert word not in feed


def test_accounts_that_wait_for_approval_are_a_decision(page, realm_a, user_a):
    User.all_realms.filter(pk=user_a.pk).update(status=UserStatus.PENDING)
    html = page().content.decode()
    assert "1 account waits for approval." in html
    assert "/console/users?status=pending" in html
    assert "Nothing needs a decision" not in html


def test_the_sentence_under_the_heading_follows_with_the_figures(page, realm_a, user_a):
    lead = '<p class="num" id="lead"{}>{}</p>'
    assert lead.format("", "Nothing needs a decision.") in page().content.decode()
    raised(realm_a, user_a)
    live = page("/console/?range=day&live=1", headers=HTMX).content.decode()
    assert lead.format(' hx-swap-oob="true"', "1 alert needs a decision.") in live
    assert "rk:alerts from:body" in live
