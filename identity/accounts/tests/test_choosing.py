"""Choosing a password under a realm's policy: history, stolen ones, and what is kept of it."""

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password

from conftest import PASSWORD, make_user
from identity.accounts import breaches
from identity.accounts.commands import new_password_hash, set_password
from identity.accounts.expired import former_passwords_to_purge
from identity.accounts.models import PasswordRecord, User
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import NoRealm, realm_scope
from identity.kernel.errors import Invalid
from identity.realms.commands import change_realm_settings
from identity.realms.models import Realm

pytestmark = [pytest.mark.django_db, pytest.mark.databases]

WORDS = [f"another good phrase {n}" for n in ("one", "two", "three", "four", "five")]


def with_settings(realm: Realm, **settings: Any) -> Realm:
    with realm_scope(realm):
        return change_realm_settings(system_actor(realm.pk), changes=settings)


def problems_of(refused: pytest.ExceptionInfo[Invalid]) -> object:
    assert refused.value.field == "password"
    return refused.value.details["problems"]


def test_outside_a_realm_nothing_is_chosen() -> None:
    with pytest.raises(NoRealm):
        new_password_hash(PASSWORD)


def test_each_realm_has_its_own_rules(realm_a: Realm, realm_b: Realm) -> None:
    strict = with_settings(realm_a, password_min_length=30, password_character_classes=3)
    with realm_scope(strict), pytest.raises(Invalid) as refused:
        new_password_hash(PASSWORD)
    assert problems_of(refused) == ["password_too_short", "password_too_plain"]
    with realm_scope(realm_b):
        assert check_password(PASSWORD, new_password_hash(PASSWORD))


def test_the_last_passwords_are_refused_and_no_more_are_kept(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    realm = with_settings(realm_a, password_history=3)
    with realm_scope(realm):
        for word in WORDS[:3]:
            set_password(as_owner_a, user_id=user_a.pk, password=word)
        assert PasswordRecord.objects.filter(user=user_a).count() == 2
        for word in WORDS[:3]:
            with pytest.raises(Invalid) as refused:
                set_password(as_owner_a, user_id=user_a.pk, password=word)
            assert problems_of(refused) == ["password_used_before"]
        set_password(as_owner_a, user_id=user_a.pk, password=PASSWORD)


def test_another_persons_former_password_is_nobodys_business(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    realm = with_settings(realm_a, password_history=5)
    kim = make_user(realm, "kim@example.com")
    with realm_scope(realm):
        set_password(as_owner_a, user_id=user_a.pk, password=WORDS[0])
        set_password(as_owner_a, user_id=kim.pk, password=WORDS[0])


def test_without_a_history_nothing_is_kept(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        set_password(as_owner_a, user_id=user_a.pk, password=WORDS[0])
        set_password(as_owner_a, user_id=user_a.pk, password=WORDS[0])
        assert not PasswordRecord.objects.exists()


def test_what_a_shorter_history_needs_no_more_is_purged(
    realm_a: Realm, user_a: User, realm_b: Realm, as_owner_a: Actor
) -> None:
    realm = with_settings(realm_a, password_history=4)
    with realm_scope(realm):
        for word in WORDS:
            set_password(as_owner_a, user_id=user_a.pk, password=word)
        assert PasswordRecord.objects.count() == 3
        assert not former_passwords_to_purge(clock.now()).exists()
    with realm_scope(with_settings(realm_a, password_history=2)):
        former_passwords_to_purge(clock.now()).delete()
        (left,) = PasswordRecord.objects.all()
        assert check_password(WORDS[3], left.encoded)
    with realm_scope(with_settings(realm_a, password_history=0)):
        assert former_passwords_to_purge(clock.now()).count() == 1


def test_who_has_to_change_it_can_not_keep_it(realm_a: Realm, user_a: User, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        User.objects.filter(pk=user_a.pk).update(password_change_required="admin")
        with pytest.raises(Invalid) as refused:
            set_password(as_owner_a, user_id=user_a.pk, password=PASSWORD)
        assert problems_of(refused) == ["password_used_before"]
        assert set_password(as_owner_a, user_id=user_a.pk, password=WORDS[0]).password_change_required == ""


# --- stolen ones


class Ranges(BaseHTTPRequestHandler):
    """A service that knows one stolen password, in its own words."""

    def do_GET(self) -> None:
        """Five digits in, suffixes out."""
        server: Any = self.server
        server.asked.append((self.path, self.headers.get("Add-Padding")))
        digest = hashlib.sha1(server.stolen.encode(), usedforsecurity=False).hexdigest().upper()
        padded = hashlib.sha1(server.invented.encode(), usedforsecurity=False).hexdigest().upper()
        lines = ["0018A45C4D1DEF81644B54AB7F969B88D65:10"]
        lines += [f"{each[5:]}:{n}" for each, n in ((digest, 37), (padded, 0)) if self.path == f"/range/{each[:5]}"]
        self.send_response(server.status)
        self.end_headers()
        self.wfile.write("\r\n".join(lines).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def service(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The service on this machine, spoken to by the real client."""
    monkeypatch.setattr(breaches, "_away_until", 0.0)
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Ranges)
    server.asked, server.status = [], 200
    server.stolen, server.invented = "a stolen phrase of mine", "a phrase of the padding"
    settings.REALMKEEP_OUTBOUND_NETWORKS = ["127.0.0.0/8"]
    settings.REALMKEEP_BREACH_URL = f"http://127.0.0.1:{server.server_port}"
    # How often it looks whether it shall stop: each test's end waits for that.
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_stolen_password_is_refused_and_the_service_learns_five_digits(realm_a: Realm, service: Any) -> None:
    with realm_scope(with_settings(realm_a, password_breach_check="online")):
        with pytest.raises(Invalid) as refused:
            new_password_hash(service.stolen)
        assert problems_of(refused) == ["password_breached"]
        assert check_password(PASSWORD, new_password_hash(PASSWORD))
        assert check_password(service.invented, new_password_hash(service.invented))
    assert [padding for _path, padding in service.asked] == ["true"] * 3
    assert all(len(path) == len("/range/") + 5 for path, _padding in service.asked)


@pytest.mark.parametrize("check", ["off", "bundled"])
def test_nobody_is_asked_where_the_realm_did_not_say_so(realm_a: Realm, service: Any, check: str) -> None:
    with realm_scope(with_settings(realm_a, password_breach_check=check)):
        new_password_hash(service.stolen)
    assert service.asked == []


def test_a_password_that_breaks_another_rule_is_not_asked_about(realm_a: Realm, service: Any) -> None:
    with realm_scope(with_settings(realm_a, password_breach_check="online")), pytest.raises(Invalid):
        new_password_hash("short")
    assert service.asked == []


def test_a_service_that_is_away_keeps_nobody_waiting_and_is_told_once(realm_a: Realm, service: Any) -> None:
    service.status = 503
    with realm_scope(with_settings(realm_a, password_breach_check="online")):
        for _ in range(3):
            new_password_hash(service.stolen)
        with pytest.raises(Invalid):
            new_password_hash("password1234")
    assert len(service.asked) == 1
    assert AuditEvent.objects.filter(realm_id=realm_a.pk, type="breach_check.unavailable").count() == 1


def test_a_service_that_never_answers_is_given_up(
    realm_a: Realm, service: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaches, "SECONDS", 0.05)
    settings.REALMKEEP_BREACH_URL = "http://127.0.0.1:1"
    with realm_scope(with_settings(realm_a, password_breach_check="online")):
        assert check_password(service.stolen, new_password_hash(service.stolen))
