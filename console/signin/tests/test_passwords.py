"""The tab of passwords and limits: each card saves itself and says first how many people it hits."""

from datetime import timedelta

import pytest

from conftest import make_user
from identity.accounts.models import User
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}
URL = "/console/sign-in/passwords"
RULES = {"card": "rules", "password_min_length": "10", "password_character_classes": "0", "password_history": "0"}
DAY = 24 * 3600


@pytest.fixture
def owner(realm_a: Realm, owner_a: User) -> RealmClient:
    """A's owner in a browser."""
    return RealmClient(realm_a).sign_in(owner_a)


def stored(realm: Realm, name: str) -> object:
    return Realm.objects.get(pk=realm.pk).setting(name)


def test_the_page_shows_every_card_and_stands_among_the_tabs(owner: RealmClient) -> None:
    page = owner.get(URL)
    assert page.status_code == 200
    for card in ("rules", "breaches", "age", "lock-out"):
        assert f'id="section-{card}"' in page.text
    assert URL in owner.get("/console/sign-in").text


def test_stricter_rules_say_whom_they_meet_and_are_saved_when_seen(
    owner: RealmClient, realm_a: Realm, user_a: User, realm_b: Realm
) -> None:
    sent = {**RULES, "password_min_length": "14", "password_character_classes": "3", "password_history": "5"}
    asked = owner.post(URL, sent, **HTMX)
    assert asked.status_code == 422
    assert "2 people with a password meet this" in asked.text
    assert stored(realm_a, "password_min_length") == 10
    assert owner.post(URL, {**sent, "seen_hits": "at_next_password:2"}, **HTMX).status_code == 200
    assert [stored(realm_a, name) for name in list(sent)[1:]] == [14, 3, 5]
    assert stored(realm_b, "password_min_length") == 10
    assert owner.post(URL, RULES, **HTMX).status_code == 200


@pytest.mark.parametrize(("field", "value"), [("password_min_length", "7"), ("password_history", "25")])
def test_a_number_out_of_bounds_names_its_field(owner: RealmClient, realm_a: Realm, field: str, value: str) -> None:
    assert owner.post(URL, {**RULES, field: value}, **HTMX).status_code == 422
    assert Realm.objects.get(pk=realm_a.pk).version == realm_a.version


def test_an_age_says_how_many_have_to_choose_a_new_one(owner: RealmClient, realm_a: Realm, user_a: User) -> None:
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(password_changed_at=clock.now() - timedelta(days=91))
    sent = {"card": "age", "password_max_age": str(90 * DAY)}
    asked = owner.post(URL, sent, **HTMX)
    assert "1 person has to choose a new password at the next sign-in with it." in asked.text
    assert owner.post(URL, {**sent, "seen_hits": "must_change_password:1"}, **HTMX).status_code == 200
    assert stored(realm_a, "password_max_age") == 90 * DAY


def test_a_stricter_lock_out_says_who_would_have_been_paused(owner: RealmClient, realm_a: Realm, user_a: User) -> None:
    for _ in range(3):
        RealmClient(realm_a).post("/signin", {"login": user_a.email, "password": "wrong"})
    sent = {"card": "lock-out", "lockout_tries": "3", "lockout_pause_0": "30", "lockout_pause_1": "60"}
    asked = owner.post(URL, sent, **HTMX)
    assert "1 person was refused that often" in asked.text
    assert owner.post(URL, {**sent, "seen_hits": "paused_sooner:1"}, **HTMX).status_code == 200
    assert (stored(realm_a, "lockout_tries"), stored(realm_a, "lockout_pause")) == (3, 1800)


def test_the_check_of_stolen_ones_is_one_of_three(owner: RealmClient, realm_a: Realm) -> None:
    assert owner.post(URL, {"card": "breaches", "password_breach_check": "off"}, **HTMX).status_code == 200
    assert stored(realm_a, "password_breach_check") == "off"
    assert owner.post(URL, {"card": "breaches", "password_breach_check": "guess"}, **HTMX).status_code == 422


def test_who_may_only_read_changes_nothing_and_others_see_nothing(realm_a: Realm) -> None:
    auditor = RealmClient(realm_a).sign_in(make_user(realm_a, "auditor@example.com", role="Auditor"))
    assert "disabled" in auditor.get(URL).text
    assert auditor.post(URL, RULES).status_code == 403
    helper = RealmClient(realm_a).sign_in(make_user(realm_a, "help@example.com", role="Help desk"))
    assert helper.get(URL).status_code == 403


def test_se_10_a_limit_of_sessions_says_whom_it_hits(owner: RealmClient, realm_a: Realm, user_a: User) -> None:
    for _ in range(2):
        RealmClient(realm_a).sign_in(user_a)
    sent = {"card": "sessions", "session_limit": "1", "session_limit_action": "end_oldest"}
    asked = owner.post(URL, sent, **HTMX)
    assert "1 person is signed in in more places than that" in asked.text
    assert owner.post(URL, {**sent, "seen_hits": "loses_sessions:1"}, **HTMX).status_code == 200
    assert stored(realm_a, "session_limit") == 1
    # The owner is signed in once: that is as many as there may be.
    refusing = owner.post(URL, {**sent, "session_limit_action": "refuse"}, **HTMX)
    assert "2 people are signed in in as many places already" in refusing.text
    assert owner.post(URL, {**sent, "session_limit": "101"}, **HTMX).status_code == 422
    assert owner.post(URL, {**sent, "session_limit": "0"}, **HTMX).status_code == 200
