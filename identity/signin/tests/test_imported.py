"""People of other products come in with the passwords that they had; a hostile hash stalls nobody."""

import base64
import hashlib
import threading
from collections.abc import Callable

import bcrypt
import pytest
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    BCryptSHA256PasswordHasher,
    PBKDF2PasswordHasher,
    PBKDF2SHA1PasswordHasher,
    ScryptPasswordHasher,
    check_password,
)

from identity.accounts.commands import create_user
from identity.accounts.models import User
from identity.accounts.password_hashes import is_bearable, storable_hash
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Invalid, Unavailable
from identity.realmfiles.commands import apply_realm_file
from identity.realmfiles.errors import RealmFileInvalid
from identity.realmfiles.schema import RealmFile
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin import hashing
from identity.signin.hashing import verify_password
from identity.signin.tests.conftest import sign_in

pytestmark = pytest.mark.usefixtures("product_hashes")
WORD = "correct horse 🐴 battery"
SALT = b"sixteen bytes ok"


def b64(raw: bytes, *, padded: bool = True) -> str:
    text = base64.b64encode(raw).decode()
    return text if padded else text.rstrip("=")


def pbkdf2(digest: str, rounds: int = 1000, length: int | None = None) -> bytes:
    return hashlib.pbkdf2_hmac(digest, WORD.encode(), SALT, rounds, dklen=length)


def scrypt(n: int = 1024) -> bytes:
    return hashlib.scrypt(WORD.encode(), salt=SALT, n=n, r=8, p=1, dklen=32)


FROM_ELSEWHERE: dict[str, Callable[[], str]] = {
    "django pbkdf2": lambda: PBKDF2PasswordHasher().encode(WORD, "salt", iterations=1000),
    "django pbkdf2 sha1": lambda: PBKDF2SHA1PasswordHasher().encode(WORD, "salt", iterations=1000),
    "django scrypt": lambda: ScryptPasswordHasher().encode(WORD, "salt", n=1024),
    "django bcrypt": lambda: BCryptSHA256PasswordHasher().encode(WORD, bcrypt.gensalt(4)),
    "django argon2": lambda: Argon2PasswordHasher().encode(WORD, "saltsaltsalt"),
    "bare argon2": lambda: Argon2PasswordHasher().encode(WORD, "saltsaltsalt").removeprefix("argon2"),
    "bare bcrypt": lambda: bcrypt.hashpw(WORD.encode(), bcrypt.gensalt(4)).decode(),
    "bcrypt of php": lambda: bcrypt.hashpw(WORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"),
    "keycloak sha256, 64 bytes": lambda: f"$pbkdf2-sha256$i=1000,l=64${b64(SALT)}${b64(pbkdf2('sha256', length=64))}",
    "keycloak sha512": lambda: f"$pbkdf2-sha512$i=1000${b64(SALT)}${b64(pbkdf2('sha512'))}",
    "auth0 sha1": lambda: f"$pbkdf2-sha1$i=1000,l=20${b64(SALT, padded=False)}${b64(pbkdf2('sha1'), padded=False)}",
    "passlib": lambda: (
        f"$pbkdf2-sha256$1000${b64(SALT, padded=False).replace('+', '.')}"
        f"${b64(pbkdf2('sha256'), padded=False).replace('+', '.')}"
    ),
    "auth0 scrypt": lambda: f"$scrypt$ln=10,r=8,p=1${b64(SALT, padded=False)}${b64(scrypt(), padded=False)}",
}


@pytest.mark.parametrize("name", FROM_ELSEWHERE)
def test_a_hash_of_another_product_verifies_and_is_handed_back_as_ours(name: str) -> None:
    stored = storable_hash(FROM_ELSEWHERE[name]())
    assert storable_hash(stored) == stored, "an export of it can be imported again"
    renewed: list[str] = []
    assert verify_password(stored, "wrong", on_old_hash=renewed.append) is False
    assert verify_password(stored, WORD, on_old_hash=renewed.append) is True
    assert renewed[-1].startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password(WORD, renewed[-1])


def test_lg_26_bcrypt_reads_72_bytes_as_it_did_where_it_came_from() -> None:
    long = "x" * 100
    stored = storable_hash(bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode())
    assert verify_password(stored, long)
    assert not verify_password(stored, "x" * 71)


UNKNOWN = [
    "", "plain text", "5f4dcc3b5aa765d61d8327deb882cf99", "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
    "{SSHA}abc", "$6$salt$hash", "$1$salt$hash", "$pbkdf2-md5$i=1000$c2FsdA$c2FsdA", "bcrypt$", "argon2$",
    "$2b$12$short", "$pbkdf2-sha256$i=1000$c2FsdA$c2hvcnQ", "phc$other$x", "!unusable", "x" * 600,
    f"$pbkdf2-sha256$i=1000,l=32${b64(SALT)}${b64(b'x' * 64)}",
]  # fmt: skip
COSTLY = [
    f"pbkdf2_sha256$99999999$salt${b64(SALT * 2)}",
    f"pbkdf2_sha256$0$salt${b64(SALT * 2)}",
    f"$pbkdf2-sha512$i=2500001${b64(SALT)}${b64(b'x' * 64)}",
    f"$pbkdf2-sha1$i=1000000${b64(SALT)}${b64(b'x' * 128)}",
    "$2b$14$" + "a" * 53,
    "bcrypt$$2b$31$" + "a" * 53,
    f"scrypt$1048576$salt$8$1${b64(b'x' * 64)}",
    f"scrypt$1000$salt$8$1${b64(b'x' * 64)}",
    f"$scrypt$ln=30,r=8,p=1${b64(SALT)}${b64(b'x' * 32)}",
    f"$scrypt$ln=99,r=8,p=1${b64(SALT)}${b64(b'x' * 32)}",
    f"argon2$argon2id$v=19$m=4194304,t=1,p=1${b64(SALT, padded=False)}${b64(SALT, padded=False)}",
    f"$argon2id$v=19$m=19456,t=9999,p=1${b64(SALT, padded=False)}${b64(SALT, padded=False)}",
    f"$argon2id$v=19$m=19456,t=2,p=200${b64(SALT, padded=False)}${b64(SALT, padded=False)}",
]


@pytest.mark.parametrize(
    ("encoded", "code"),
    [*((each, "hash_unknown") for each in UNKNOWN), *((each, "hash_too_costly") for each in COSTLY)],
)
def test_ds_01_what_can_not_be_verified_or_costs_too_much_is_refused_and_verifies_nothing(
    encoded: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        storable_hash(encoded)
    assert (refused.value.field, refused.value.reason) == ("password_hash", code)
    assert not is_bearable(encoded)
    assert verify_password(encoded, WORD) is False


def test_ds_01_hashes_of_others_wait_for_their_own_places(monkeypatch: pytest.MonkeyPatch) -> None:
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(hashing, "_foreign_turns", places)
    monkeypatch.setattr(hashing, "LONGEST_WAIT", 0.05)
    stored = storable_hash(FROM_ELSEWHERE["bare bcrypt"]())
    own = hashing.Argon2idHasher().encode(WORD, "saltsaltsalt")
    with places:
        with pytest.raises(Unavailable):
            verify_password(stored, WORD)
        assert verify_password(own, WORD)
    assert verify_password(stored, WORD)


@pytest.mark.django_db
@pytest.mark.parametrize("name", FROM_ELSEWHERE)
def test_somebody_who_was_imported_comes_in_and_has_our_hash_from_then_on(
    realm_a: Realm, as_owner_a: Actor, name: str
) -> None:
    with realm_scope(realm_a):
        kim = create_user(
            as_owner_a, email="kim@example.com", email_verified=True, password_hash=FROM_ELSEWHERE[name]()
        )
    client = RealmClient(realm_a)
    assert sign_in(client, "kim@example.com", "wrong").status_code == 200
    assert sign_in(client, "kim@example.com", WORD).status_code == 302
    assert client.get("/account/").status_code == 200
    with realm_scope(realm_a):
        assert User.objects.get(pk=kim.pk).password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.django_db
def test_a_realm_file_names_the_place_of_a_hash_that_it_can_not_take(realm_a: Realm) -> None:
    people = [
        {"email": "kim@example.com", "password_hash": FROM_ELSEWHERE["bare bcrypt"]()},
        {"email": "lee@example.com", "password_hash": "$1$salt$hash"},
    ]
    document = RealmFile.model_validate({"version": 1, "realm": {"slug": "a"}, "users": people})
    with pytest.raises(RealmFileInvalid) as refused:
        apply_realm_file(system_actor(realm_a.pk), document=document, environment={})
    assert "users[1].password_hash" in str(refused.value.problems)
    with realm_scope(realm_a):
        assert not User.objects.filter(email="kim@example.com").exists()
