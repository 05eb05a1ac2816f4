"""Password hashing under load."""

import threading
import time

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.core.exceptions import ValidationError

from conftest import make_user
from identity.kernel.errors import Unavailable
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin import hashing
from identity.signin.hashing import MaximumLengthValidator, verify_password
from identity.signin.tests.conftest import sign_in


@pytest.fixture
def one_turn(monkeypatch: pytest.MonkeyPatch) -> threading.BoundedSemaphore:
    turns = threading.BoundedSemaphore(1)
    monkeypatch.setattr(hashing, "_turns", turns)
    monkeypatch.setattr(hashing, "LONGEST_WAIT", 0.05)
    return turns


@pytest.mark.usefixtures("product_hashes")
def test_the_parameters_are_owasps() -> None:
    assert make_password("x").startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_ds_01_no_more_hashes_at_once_than_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_turns", threading.BoundedSemaphore(2))
    monkeypatch.setattr(hashing, "LONGEST_WAIT", 30)
    running, most, lock = 0, 0, threading.Lock()

    def slow(self: object, password: str, encoded: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return False

    monkeypatch.setattr("django.contrib.auth.hashers.Argon2PasswordHasher.verify", slow)
    encoded = make_password("x")
    threads = [threading.Thread(target=hashing.Argon2idHasher().verify, args=("y", encoded)) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_ds_01_who_waits_too_long_is_told_that_the_server_is_busy(one_turn: threading.BoundedSemaphore) -> None:
    encoded = make_password("x")
    with one_turn, pytest.raises(Unavailable):
        verify_password(encoded, "x")
    assert verify_password(encoded, "x")


@pytest.mark.django_db
def test_ds_01_a_busy_server_answers_503_and_lets_nobody_in(
    realm_a: Realm, one_turn: threading.BoundedSemaphore
) -> None:
    make_user(realm_a, "dana@example.com")
    client = RealmClient(realm_a)
    with one_turn:
        response = sign_in(client)
        form = {"name": "K", "email": "k@example.com", "password1": "correct horse battery"}
        assert RealmClient(realm_a).post("/signup", form).status_code == 503
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert b"Busy right now" in response.content
    assert client.get("/account/").status_code == 302
    assert sign_in(client).status_code == 302


def test_a_turn_is_given_back_after_a_failure(
    one_turn: threading.BoundedSemaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> bool:
        raise RuntimeError("fault")

    encoded = make_password("x")
    with monkeypatch.context() as patched:
        patched.setattr("django.contrib.auth.hashers.Argon2PasswordHasher.verify", broken)
        with pytest.raises(RuntimeError):
            verify_password(encoded, "x")
    assert verify_password(encoded, "x")


# Named, since an unusable password is random: parallel runs must collect the same tests.
@pytest.mark.parametrize(
    "encoded",
    [None, "", make_password(None), "unknown$x"],
    ids=["none", "empty", "unusable", "unknown"],
)
def test_nothing_verifies_where_there_is_no_password(encoded: str | None) -> None:
    assert verify_password(encoded, "") is False
    assert verify_password(encoded, "x") is False


def test_an_imported_hash_is_handed_back_renewed() -> None:
    old = PBKDF2PasswordHasher().encode("correct horse", "saltsaltsalt", iterations=1000)
    renewed: list[str] = []
    assert verify_password(old, "wrong", on_old_hash=renewed.append) is False
    assert renewed == []
    assert verify_password(old, "correct horse", on_old_hash=renewed.append) is True
    assert renewed[0].startswith("argon2$")


def test_the_longest_password_has_256_characters() -> None:
    MaximumLengthValidator().validate("x" * 256)
    with pytest.raises(ValidationError):
        MaximumLengthValidator().validate("x" * 257)
