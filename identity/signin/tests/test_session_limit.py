"""SE-10: one person is never signed in in more places than the realm allows, whoever signs in at the same moment."""

import re
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.db import connection

from conftest import make_realm, make_user
from identity.accounts.models import User
from identity.courier.testing import mails
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict
from identity.realms.commands import change_realm_settings
from identity.sessions.commands import make_room
from identity.sessions.models import Session, SessionStatus
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import sign_in


def limited(realm, actor, most, action="end_oldest"):
    with realm_scope(realm):
        change_realm_settings(actor, changes={"session_limit": most, "session_limit_action": action})
    realm.refresh_from_db()


def signed_in(client):
    """Asks the server, not the browser's memory."""
    return client.get("/account/").status_code == 200


def active(realm, user):
    with realm_scope(realm):
        return Session.objects.filter(user=user, status=SessionStatus.ACTIVE).count()


def come(realm, number):
    clients = [RealmClient(realm, REMOTE_ADDR=f"192.0.2.{n + 1}") for n in range(number)]
    for client in clients:
        sign_in(client)
    return clients


@pytest.mark.django_db
def test_se_10_without_a_limit_people_sign_in_where_they_like(realm_a, user_a, django_assert_num_queries):
    assert all(signed_in(client) for client in come(realm_a, 4))
    # And nothing is asked for it.
    with realm_scope(realm_a), django_assert_num_queries(0):
        assert make_room(None, realm=realm_a, user_id=user_a.pk) == 0


@pytest.mark.django_db
@pytest.mark.databases
def test_se_10_the_oldest_session_ends_and_is_told_of(realm_a, realm_b, user_a, user_b, as_owner_a, events):
    limited(realm_a, as_owner_a, 2)
    elsewhere = RealmClient(realm_b)
    sign_in(elsewhere)
    clients = come(realm_a, 3)
    assert [signed_in(client) for client in clients] == [False, True, True]
    (ended,) = events(realm_a, "session.ended")
    assert (ended.row.payload["reason"], ended.row.actor_id) == ("session_limit", user_a.pk)
    # The namesake in the other realm is somebody else.
    assert signed_in(elsewhere)
    # Signing in again where one is signed in already takes no place.
    sign_in(clients[1])
    assert [signed_in(client) for client in clients] == [False, True, True]


@pytest.mark.django_db
def test_se_10_a_lower_limit_is_kept_at_the_next_sign_in(realm_a, user_a, as_owner_a):
    clients = come(realm_a, 4)
    limited(realm_a, as_owner_a, 2)
    assert all(signed_in(client) for client in clients)
    last = RealmClient(realm_a)
    sign_in(last)
    assert [signed_in(client) for client in [*clients, last]] == [False, False, False, True, True]


@pytest.mark.django_db
@pytest.mark.databases
def test_se_10_or_the_next_one_is_refused_after_everything_was_shown(realm_a, user_a, as_owner_a, events):
    limited(realm_a, as_owner_a, 1, "refuse")
    first, second = RealmClient(realm_a), RealmClient(realm_a)
    sign_in(first)
    wrong = sign_in(second, password="wrong password")
    assert "too many places" not in wrong.text
    refused = sign_in(second)
    assert refused.status_code == 409
    assert "You are signed in at too many places" in refused.text
    assert SESSION_KEY not in second.session
    assert "account_login" not in second.session
    assert signed_in(first)
    assert not signed_in(second)
    (said,) = [each for each in events(realm_a, "signin.failed") if each.row.payload["reason"] == "too_many_sessions"]
    assert said.row.target_id == user_a.pk
    assert len(events(realm_a, "signin.succeeded")) == 1
    first.post("/signout")
    sign_in(second)
    assert signed_in(second)


@pytest.mark.django_db
def test_se_10_sessions_that_have_run_out_take_no_place(realm_a, user_a, as_owner_a):
    limited(realm_a, as_owner_a, 1, "refuse")
    sign_in(RealmClient(realm_a))
    with realm_scope(realm_a):
        Session.objects.filter(user=user_a).update(expires_at=clock.now())
    second = RealmClient(realm_a)
    sign_in(second)
    assert signed_in(second)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("on_postgresql")
@pytest.mark.parametrize("action", ["end_oldest", "refuse"])
def test_se_10_of_eight_sign_ins_at_once_never_more_than_two_stay(action):
    realm = make_realm("race", "Race", session_limit=2, session_limit_action=action)
    user = make_user(realm, "dana@example.com")
    clients = [RealmClient(realm, REMOTE_ADDR=f"192.0.2.{n + 1}") for n in range(8)]
    barrier, answers = Barrier(len(clients)), []

    def run(client):
        try:
            barrier.wait(timeout=20)
            answers.append(sign_in(client).status_code)
        except Exception as error:  # noqa: BLE001 - a deadlock must show in the assertion
            answers.append(repr(error))
        finally:
            connection.close()

    threads = [Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert active(realm, user) == 2
    assert sum(signed_in(client) for client in clients) == 2
    assert sorted(answers) == ([302] * 8 if action == "end_oldest" else [302] * 2 + [409] * 6)


@pytest.mark.django_db
def test_se_10_the_refusal_is_a_conflict_that_ends_nothing(realm_a, user_a, as_owner_a, as_user_a):
    limited(realm_a, as_owner_a, 1, "refuse")
    sign_in(RealmClient(realm_a))
    with realm_scope(realm_a), pytest.raises(Conflict) as refused:
        make_room(as_user_a, realm=realm_a, user_id=user_a.pk)
    assert refused.value.reason == "too_many_sessions"
    assert active(realm_a, user_a) == 1


def come_by_code(client, realm):
    """The page after the code was right."""
    note = client.post("/signin/code", {"login": "dana@example.com"}).context["note"]
    return client.post("/signin/code", {"note": note, "code": re.findall(r"\b\d{6}\b", mails(realm)[-1].text)[0]})


@pytest.fixture
def full(realm_a, user_a, as_owner_a):
    """Dana has no password, and is signed in where she can't get at; the browser was refused just now."""
    limited(realm_a, as_owner_a, 1, "refuse")
    with realm_scope(realm_a):
        change_realm_settings(as_owner_a, changes={"email_code_sign_in": True})
        User.objects.filter(pk=user_a.pk).update(password=make_password(None))
    first, second = RealmClient(realm_a), RealmClient(realm_a)
    assert come_by_code(first, realm_a).status_code == 302
    refused = come_by_code(second, realm_a)
    assert refused.status_code == 409
    assert "/signin/room" in refused.text
    assert "/password/reset" not in refused.text
    return first, second


@pytest.mark.django_db
@pytest.mark.databases
def test_se_10_who_has_no_password_and_showed_all_else_signs_out_everywhere(realm_a, user_a, full, events):
    first, second = full
    # From another browser nothing is shown, so nothing ends; nor by looking.
    RealmClient(realm_a).post("/signin/room")
    assert second.get("/signin/room").status_code == 405
    assert signed_in(first)
    assert second.post("/signin/room")["Location"] == "/realms/a/signin"
    assert not signed_in(first)
    (ended,) = events(realm_a, "session.ended")
    assert (ended.row.payload["reason"], ended.row.actor_id) == ("ended_by_person", user_a.pk)
    assert not signed_in(second), "it lets nobody in"
    assert come_by_code(second, realm_a).status_code == 302
    assert signed_in(second)
    # Once.
    RealmClient(realm_a).post("/signin/room")
    second.post("/signin/room")
    assert signed_in(second)


@pytest.mark.django_db
@pytest.mark.parametrize("since", ["late", "shut out", "disabled"])
def test_se_05_who_was_refused_makes_room_neither_late_nor_shut_out(realm_a, user_a, full, since):
    _first, second = full
    fields = {"shut out": {"password": make_password(None)}, "disabled": {"status": "disabled"}}.get(since, {})
    User.all_realms.filter(pk=user_a.pk).update(**(fields or {"name": "Dana"}))
    with clock.clock_at(clock.now() + timedelta(minutes=6 if since == "late" else 0)):
        second.post("/signin/room")
    assert active(realm_a, user_a) == 1


@pytest.mark.django_db
def test_se_10_who_has_a_password_chooses_a_new_one_instead(realm_a, user_a, as_owner_a):
    limited(realm_a, as_owner_a, 1, "refuse")
    first, second = RealmClient(realm_a), RealmClient(realm_a)
    sign_in(first)
    refused = sign_in(second)
    assert "/password/reset" in refused.text
    assert "/signin/room" not in refused.text
    second.post("/signin/room")
    assert signed_in(first)
