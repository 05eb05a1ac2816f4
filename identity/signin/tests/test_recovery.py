"""A forgotten password: the link, where it goes, what it opens."""

import re
from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from conftest import make_user
from identity.accounts.commands import create_user, disable_user, passwords, use_reset_link
from identity.accounts.links import reset_tokens
from identity.accounts.mails import mail_reset_link
from identity.accounts.models import User
from identity.audit.reading import ReadableEvent
from identity.courier.models import Message, MessageStatus
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.kernel.actor import anonymous_actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import PASSWORD, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

Events = Callable[[Realm, str], list[ReadableEvent]]
NEW = "another good phrase"


def ask(realm: Realm, email: str = "dana@example.com", **extra: object) -> object:
    return RealmClient(realm).post("/password/reset", {"email": email}, **extra)


def test_a_link_lets_the_person_choose_a_new_password(realm_a: Realm, user_a: User, events: Events) -> None:
    elsewhere = RealmClient(realm_a).sign_in(user_a)
    assert ask(realm_a)["Location"] == "/realms/a/password/reset/sent"
    (mail,) = mails(realm_a)
    assert (mail.to, mail.subject) == ("dana@example.com", "Choose a new password for Realm A")
    assert "Hello Dana Okafor," in mail.text
    (link,) = mail.links
    client = RealmClient(realm_a)
    page = client.get(path_of(link))
    assert page.status_code == 200
    assert b"password1" in page.content
    done = client.post(path_of(link), {"password1": NEW})
    assert done["Location"] == "/realms/a/password/reset/done"
    assert client.get(path_of(done["Location"]) if "://" in done["Location"] else done["Location"]).status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    assert sign_in(client).status_code == 200
    assert sign_in(client, password=NEW).status_code == 302
    assert events(realm_a, "password.reset_requested")[0].row.target_id == user_a.pk
    assert events(realm_a, "password.changed")[0].row.payload == {"how": "reset", "sessions_ended": 1}
    assert [mail.subject for mail in mails(realm_a)][1:] == ["Your Realm A password was changed"]


def test_a_link_works_once_and_for_an_hour(realm_a: Realm, user_a: User) -> None:
    ask(realm_a)
    (link,) = mails(realm_a)[0].links
    client = RealmClient(realm_a)
    client.post(path_of(link), {"password1": NEW})
    for response in (client.get(path_of(link)), client.post(path_of(link), {"password1": "yet another phrase"})):
        assert b"password1" not in response.content
    assert sign_in(client, password=NEW).status_code == 302
    ask(realm_a)
    link = mails(realm_a)[-1].links[0]
    with clock.clock_at(clock.now() + timedelta(minutes=61)):
        assert b"password1" not in RealmClient(realm_a).get(path_of(link)).content
    assert b"password1" in RealmClient(realm_a).get(path_of(link)).content


def test_two_uses_at_the_same_moment_are_one(realm_a: Realm, user_a: User) -> None:
    """Both have passed the first check; the second one to come finds the link used."""
    actor = anonymous_actor(realm_a.pk)
    with realm_scope(realm_a):
        token = reset_tokens.make_token(user_a)
        hash_it = passwords.checked_hash_of
        raced = []

        def overtaken(user: User, *, password: str) -> str:
            if not raced:
                raced.append(True)
                use_reset_link(actor, user_id=user_a.pk, token=token, password="the faster phrase")
            return hash_it(user, password=password)

        with patch.object(passwords, "checked_hash_of", overtaken), pytest.raises(Conflict):
            use_reset_link(actor, user_id=user_a.pk, token=token, password=NEW)
        assert User.objects.get(pk=user_a.pk).check_password("the faster phrase")


def test_ti_01_a_link_of_one_realm_opens_nothing_in_another(
    realm_a: Realm, user_a: User, realm_b: Realm, user_b: User
) -> None:
    ask(realm_a)
    path = path_of(mails(realm_a)[0].links[0])
    moved = path.replace("/realms/a/", "/realms/b/")
    for tried in (moved, moved.replace(user_a.pk.hex, user_b.pk.hex), path.replace(user_a.pk.hex, user_b.pk.hex)):
        client = RealmClient(realm_b)
        assert b"password1" not in client.get(tried).content
        client.post(tried, {"password1": NEW})
    with realm_scope(realm_b):
        assert User.objects.get(pk=user_b.pk).check_password(PASSWORD)
    assert mails(realm_b) == []


@pytest.mark.parametrize(
    "data",
    [
        {"email": ["dana@example.com", "eve@evil.example"]},
        {"email[]": ["dana@example.com", "eve@evil.example"]},
        {"email": "dana@example.com,eve@evil.example"},
        {"email": "dana@example.com\neve@evil.example"},
        {"email": "dana@example.com\r\nBcc: eve@evil.example"},
        {"email": "d\u0430na@example.com"},
        {"email": "DANA@EXAMPLE.COM"},
        {"email": "dana+eve@example.com"},
        {"email": '"dana@example.com" <eve@evil.example>'},
    ],
)
def test_lg_04_mail_goes_to_the_stored_address_or_nowhere(realm_a: Realm, user_a: User, data: dict) -> None:
    RealmClient(realm_a).post("/password/reset", data)
    assert {mail.to for mail in mails(realm_a)} <= {"dana@example.com"}


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_X_FORWARDED_HOST": "evil.example"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_FORWARDED": "host=evil.example;proto=https"},
        {"HTTP_X_FORWARDED_PREFIX": "/evil"},
        {"HTTP_X_SCRIPT_NAME": "/evil"},
        {"HTTP_HOST": "localhost"},
        {"HTTP_X_ORIGINAL_HOST": "evil.example"},
    ],
)
def test_lg_05_the_link_is_on_the_realms_own_origin(realm_a: Realm, user_a: User, headers: dict[str, str]) -> None:
    ask(realm_a, **headers)
    (mail,) = mails(realm_a)
    assert all(link.startswith("http://testserver/realms/a/password/reset/") for link in mail.links)
    assert "evil" not in mail.text + mail.html


def test_lg_05_an_unknown_host_gets_no_page_and_sends_no_mail(realm_a: Realm, user_a: User) -> None:
    assert ask(realm_a, HTTP_HOST="evil.example").status_code == 404
    assert mails(realm_a) == []


def test_lg_08_asking_does_the_same_work_for_every_address(realm_a: Realm, user_a: User) -> None:
    with realm_scope(realm_a):
        create_user(system_actor(realm_a.pk), email="new@example.com")
    owner = make_user(realm_a, "owner@example.com", role="Owner")
    off = make_user(realm_a, "off@example.com")
    with realm_scope(realm_a):
        disable_user(system_actor(realm_a.pk), user_id=off.pk)
    assert owner
    seen = set()
    for email in ("dana@example.com", "nobody@example.com", "new@example.com", "owner@example.com", "off@example.com"):
        client = RealmClient(realm_a, REMOTE_ADDR="")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = client.post("/password/reset", {"email": email})
        # The first statement of a new connection is logged in another form.
        sent = [q["sql"].removeprefix("QUERY = '") for q in queries.captured_queries]
        statements = [re.split(r"\(| WHERE|SAVEPOINT", sql)[0][:50] for sql in sent]
        seen.add((response.status_code, response["Location"], len(response.content), tuple(statements)))
    assert len(seen) == 1
    assert sorted(mail.to for mail in mails(realm_a)) == ["dana@example.com", "new@example.com", "owner@example.com"]


def test_lg_11_an_unconfirmed_address_gets_the_link_to_confirm_and_no_other(realm_a: Realm) -> None:
    with realm_scope(realm_a):
        create_user(system_actor(realm_a.pk), email="new@example.com", password=PASSWORD)
    ask(realm_a, "new@example.com")
    (mail,) = mails(realm_a)
    assert "/email/confirm/" in mail.links[0]
    assert RealmClient(realm_a).post(path_of(mail.links[0]))["Location"] == "/realms/a/signin"
    ask(realm_a, "new@example.com")
    assert "/password/reset/" in mails(realm_a)[-1].links[0]


def test_asking_again_and_again_sends_a_few_mails(realm_a: Realm, user_a: User) -> None:
    for _ in range(6):
        assert ask(realm_a)["Location"] == "/realms/a/password/reset/sent"
    assert len(mails(realm_a)) == 3


def test_a_link_that_could_not_be_sent_in_time_is_never_sent(realm_a: Realm, user_a: User) -> None:
    with realm_scope(realm_a), transaction.atomic():
        mail_reset_link(realm_a, user_a)
    with clock.clock_at(clock.now() + timedelta(hours=2)):
        assert mails(realm_a) == []
    with realm_scope(realm_a):
        assert Message.objects.get().status == MessageStatus.EXPIRED


def test_a_weak_password_is_refused_and_the_link_stays_good(realm_a: Realm, user_a: User) -> None:
    ask(realm_a)
    path = path_of(mails(realm_a)[0].links[0])
    client = RealmClient(realm_a)
    for weak in ("short", "dana@example.com", "password1234", "x" * 257):
        response = client.post(path, {"password1": weak})
        assert response.context["form"].errors["password1"]
    assert client.post(path, {"password1": NEW}).status_code == 302


def test_a_disabled_persons_link_is_dead(realm_a: Realm, user_a: User) -> None:
    ask(realm_a)
    path = path_of(mails(realm_a)[0].links[0])
    with realm_scope(realm_a):
        disable_user(system_actor(realm_a.pk), user_id=user_a.pk)
    assert b"password1" not in RealmClient(realm_a).get(path).content
    RealmClient(realm_a).post(path, {"password1": NEW})
    with realm_scope(realm_a):
        assert User.objects.get(pk=user_a.pk).check_password(PASSWORD)


# --- the own password


def test_changing_the_own_password_asks_for_the_old_one(realm_a: Realm, user_a: User, events: Events) -> None:
    here, elsewhere = RealmClient(realm_a), RealmClient(realm_a)
    for client in (here, elsewhere):
        sign_in(client)
    wrong = here.post("/account/password", {"oldpassword": "wrong", "password1": NEW})
    assert wrong.context["form"].errors["oldpassword"]
    done = here.post("/account/password", {"oldpassword": PASSWORD, "password1": NEW})
    assert done["Location"] == "/realms/a/account/security"
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    assert events(realm_a, "password.changed")[0].row.payload == {"how": "changed", "sessions_ended": 1}
    assert sign_in(elsewhere, password=NEW).status_code == 302


def test_guessing_the_old_password_of_an_open_session_is_limited(realm_a: Realm, user_a: User) -> None:
    client = RealmClient(realm_a)
    sign_in(client)
    for _ in range(10):
        client.post("/account/password", {"oldpassword": "wrong", "password1": NEW})
    response = client.post("/account/password", {"oldpassword": PASSWORD, "password1": NEW})
    assert response.status_code == 200
    with realm_scope(realm_a):
        assert User.objects.get(pk=user_a.pk).check_password(PASSWORD)
        assert Session.objects.filter(user=user_a, status="active").exists()
