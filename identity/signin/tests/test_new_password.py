"""A password that is too old, or that somebody voided: the sign-in is held until there is a new one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from conftest import PASSWORD, actor_of, make_user
from identity.accounts.commands import create_user, require_new_password, set_password
from identity.accounts.models import User
from identity.accounts.password_rules import ChangeReason
from identity.audit.reading import ReadableEvent
from identity.courier.testing import mails
from identity.kernel import clock
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, NotFound, PermissionDenied
from identity.mfa.testing import code_at
from identity.mfa.tests.conftest import with_app
from identity.realms.commands import change_realm_settings
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

Events = Callable[[Realm, str], list[ReadableEvent]]
NEW = "another good phrase"
HELD = "/realms/a/signin/password"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def with_settings(realm: Realm, **settings: Any) -> None:
    with realm_scope(realm):
        change_realm_settings(system_actor(realm.pk), changes=settings)


def changed(user: User, ago: timedelta | None) -> None:
    with realm_scope(Realm.objects.get(pk=user.realm_id)):
        User.objects.filter(pk=user.pk).update(password_changed_at=clock.now() - ago if ago is not None else None)


def is_in(client: RealmClient) -> bool:
    return client.get("/account/").status_code == 200


@pytest.fixture
def old(realm_a: Realm, user_a: User) -> User:
    """Dana, whose password is 40 days old where they last 30."""
    with_settings(realm_a, password_max_age=30 * 24 * 3600)
    changed(user_a, timedelta(days=40))
    return user_a


def test_a_password_that_is_too_old_holds_the_sign_in_until_there_is_a_new_one(
    realm_a: Realm, old: User, events: Events
) -> None:
    client = RealmClient(realm_a)
    assert sign_in(client)["Location"] == HELD
    assert not is_in(client)
    assert events(realm_a, "signin.succeeded") == []
    page = client.get("/signin/password")
    assert b"as long as passwords last here" in page.content
    refused = client.post("/signin/password", {"password1": PASSWORD})
    assert "You had this one before" in str(refused.context["form"].errors["password1"])
    assert client.post("/signin/password", {"password1": "short"}).context["form"].errors["password1"]
    assert not is_in(client)
    assert client.post("/signin/password", {"password1": NEW}).status_code == 302
    assert is_in(client)
    assert events(realm_a, "password.changed")[0].row.payload["how"] == "renewed"
    assert len(events(realm_a, "signin.succeeded")) == 1
    assert [mail.subject for mail in mails(realm_a)] == ["Your Realm A password was changed"]
    assert sign_in(RealmClient(realm_a)).status_code == 200
    assert sign_in(RealmClient(realm_a), password=NEW)["Location"] != HELD


@pytest.mark.parametrize(
    ("age", "ago", "held"),
    [
        (0, timedelta(days=4000), False),
        (30, timedelta(days=29), False),
        (30, timedelta(days=30), True),
        (30, None, True),
        (0, None, False),
    ],
)
def test_the_age_is_the_realms(realm_a: Realm, user_a: User, age: int, ago: timedelta | None, held: bool) -> None:
    with_settings(realm_a, password_max_age=age * 24 * 3600)
    changed(user_a, ago)
    assert (sign_in(RealmClient(realm_a))["Location"] == HELD) is held


def test_the_installations_default_holds_where_a_realm_says_nothing(
    realm_a: Realm, user_a: User, settings: Any
) -> None:
    settings.REALMKEEP_SETTING_DEFAULTS = {"password_max_age": 90 * 24 * 3600}
    changed(user_a, timedelta(days=91))
    assert sign_in(RealmClient(realm_a))["Location"] == HELD
    with_settings(realm_a, password_max_age=0)
    assert sign_in(RealmClient(realm_a))["Location"] != HELD


def test_what_is_not_typed_grows_old_in_peace(realm_a: Realm, old: User) -> None:
    with_settings(realm_a, email_code_sign_in=True)
    client = RealmClient(realm_a)
    note = client.post("/signin/code", {"login": old.email}).context["note"]
    code = mails(realm_a)[-1].text.split("\n\n")
    digits = next(part for part in " ".join(code).split() if part.isdigit() and len(part) == 6)
    assert client.post("/signin/code", {"note": note, "code": digits})["Location"] != HELD
    assert is_in(client)


def test_a_required_change_holds_every_way_in(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    with_settings(realm_a, email_code_sign_in=True)
    with realm_scope(realm_a):
        require_new_password(as_owner_a, user_id=user_a.pk)
    client = RealmClient(realm_a)
    note = client.post("/signin/code", {"login": user_a.email}).context["note"]
    digits = next(part for part in mails(realm_a)[-1].text.split() if part.isdigit() and len(part) == 6)
    assert client.post("/signin/code", {"note": note, "code": digits})["Location"] == HELD
    assert not is_in(client)
    assert b"ask for it" in client.get("/signin/password").content
    assert client.post("/signin/password", {"password1": NEW}).status_code == 302
    assert is_in(client)
    with realm_scope(realm_a):
        assert User.objects.get(pk=user_a.pk).password_change_required == ""


def test_lg_01_the_step_is_no_way_in_for_anybody_else(realm_a: Realm, old: User, user_b: User, realm_b: Realm) -> None:
    for client in (RealmClient(realm_a), RealmClient(realm_b)):
        assert client.get("/signin/password").status_code == 302
        assert client.post("/signin/password", {"password1": NEW}).status_code == 302
        assert not is_in(client)
    held = RealmClient(realm_a)
    sign_in(held)
    for path in ("/signin/confirm", "/signin/add", "/account/", "/account/password", "/oauth/authorize"):
        held.get(path)
        held.post(path, {"password1": NEW, "password": PASSWORD})
    assert not is_in(held)
    with realm_scope(realm_a):
        assert User.objects.get(pk=old.pk).check_password(PASSWORD)
        assert not Session.objects.filter(user=old).exists()


def test_lg_07_the_second_factor_comes_first_and_is_never_skipped(realm_a: Realm, old: User) -> None:
    with realm_scope(realm_a):
        with_app(old)
    client = RealmClient(realm_a)
    assert sign_in(client)["Location"] == "/realms/a/signin/confirm"
    assert client.get("/signin/password").status_code == 302
    client.post("/signin/password", {"password1": NEW})
    with realm_scope(realm_a):
        assert User.objects.get(pk=old.pk).check_password(PASSWORD)
    assert client.post("/signin/confirm", {"code": code_at(SECRET, clock.now())})["Location"] == HELD
    assert not is_in(client)
    assert client.post("/signin/password", {"password1": NEW}).status_code == 302
    assert is_in(client)


def test_lg_07_a_browser_that_stood_for_the_factor_does_so_no_longer(realm_a: Realm, user_a: User) -> None:
    with_settings(realm_a, trusted_device_lifetime=7 * 24 * 3600)
    with realm_scope(realm_a):
        with_app(user_a)
    client = RealmClient(realm_a)
    sign_in(client)
    client.post("/signin/confirm", {"code": code_at(SECRET, clock.now()), "trust": "yes"})
    assert is_in(client)
    client.post("/signout")
    with realm_scope(realm_a):
        require_new_password(system_actor(realm_a.pk), user_id=user_a.pk)
    assert sign_in(client)["Location"] == HELD
    assert client.post("/signin/password", {"password1": NEW})["Location"] == "/realms/a/signin/confirm"
    assert not is_in(client)
    with clock.clock_at(clock.now() + timedelta(seconds=90)):
        client.post("/signin/confirm", {"code": code_at(SECRET, clock.now())})
        assert is_in(client)


@pytest.mark.parametrize("at", ["the page", "the last door"])
def test_se_05_who_waits_for_the_second_step_begins_anew_when_the_password_changes(
    realm_a: Realm, user_a: User, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    if at == "the last door":
        monkeypatch.setattr("identity.signin.views.second.is_superseded", lambda *_: False)
    with realm_scope(realm_a):
        with_app(user_a)
    client = RealmClient(realm_a)
    assert sign_in(client)["Location"] == "/realms/a/signin/confirm"
    with realm_scope(realm_a):
        set_password(system_actor(realm_a.pk), user_id=user_a.pk, password=NEW)
    answer = client.post("/signin/confirm", {"code": code_at(SECRET, clock.now())})
    assert (answer.status_code, answer.get("Location")) == (
        (302, "/realms/a/signin") if at == "the page" else (400, None)
    )
    assert not is_in(client)


# --- the command


def test_requiring_it_is_said_and_can_end_what_is_open(
    realm_a: Realm, user_a: User, as_owner_a: Actor, events: Events
) -> None:
    open_one = RealmClient(realm_a)
    sign_in(open_one)
    with realm_scope(realm_a):
        require_new_password(as_owner_a, user_id=user_a.pk, reason="Seen on a note")
        assert User.objects.get(pk=user_a.pk).password_change_required == "admin"
    assert is_in(open_one)
    with realm_scope(realm_a):
        require_new_password(as_owner_a, user_id=user_a.pk, why=ChangeReason.CONTAINED, end_sessions=True)
    assert not is_in(open_one)
    first, second = events(realm_a, "password.change_required")
    assert (first.row.payload["why"], first.row.payload["sessions_ended"]) == ("admin", 0)
    assert (second.row.payload["why"], second.row.payload["sessions_ended"]) == ("contained", 1)
    assert first.personal["reason"] == "Seen on a note"
    assert "reason" not in first.row.payload


def test_it_needs_the_permission_the_rank_and_the_realm(
    realm_a: Realm, user_a: User, owner_a: User, as_user_a: Actor, realm_b: Realm, as_owner_b: Actor
) -> None:
    helper = make_user(realm_a, "help@example.com", role="Help desk")
    with realm_scope(realm_a):
        with pytest.raises(PermissionDenied):
            require_new_password(as_user_a, user_id=owner_a.pk)
        from_desk = actor_of(helper)
        with pytest.raises(PermissionDenied):
            require_new_password(from_desk, user_id=owner_a.pk)
    with realm_scope(realm_b), pytest.raises(NotFound):
        require_new_password(as_owner_b, user_id=user_a.pk)
    with realm_scope(realm_a):
        assert not User.objects.exclude(password_change_required="").exists()


def test_who_has_no_password_can_not_be_asked_for_a_new_one(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        kim = create_user(as_owner_a, email="kim@example.com")
        with pytest.raises(Conflict):
            require_new_password(as_owner_a, user_id=kim.pk)
