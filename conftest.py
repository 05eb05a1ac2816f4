"""Fixtures for every test: two realms with the same names, e-mails and client ids, and the people in them."""

import base64
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from playwright.sync_api import expect

from identity.access.commands import assign_role
from identity.access.models import Role, RoleKind
from identity.accounts.commands import create_user
from identity.accounts.models import User
from identity.applications.commands import register_application
from identity.applications.models import Application
from identity.gate.actors import actor_for_user
from identity.kernel import clock, ratelimit
from identity.kernel.actor import Actor, system_actor
from identity.kernel.context import realm_scope
from identity.oauth.commands.founding import found_realm
from identity.realms.models import PLATFORM_SLUG, Realm
from identity.sessions.testing import RealmClient
from identity.signin.hashing import Argon2idHasher

PASSWORD = "correct horse battery"
PHASES = {"postgres", "databases", "redis", "browser"}
"""Markers by which bin/test chooses the files of a phase."""

COST = {"time_cost": Argon2idHasher.time_cost, "memory_cost": Argon2idHasher.memory_cost}
"""What a hash costs in the product."""


def pytest_configure(config: pytest.Config) -> None:
    """Playwright keeps an event loop in the main thread, which Django takes for async code."""
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    # On a machine that others use, too, a page may need longer than the five seconds that are the library's default.
    expect.set_options(timeout=15_000)
    # Every test has people with passwords, and few are about the hash: those take the fixture product_hashes.
    Argon2idHasher.time_cost, Argon2idHasher.memory_cost = 1, 8


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that processes end together; the rest stays in its random order.

    Raises UsageError where a test has a phase's marker from elsewhere: bin/test finds the files of a phase by its text.
    """
    texts: dict[Path, str] = {}
    for item in items:
        for name in PHASES & {marker.name for marker in item.iter_markers()}:
            if f"pytest.mark.{name}" not in texts.setdefault(item.path, item.path.read_text()):
                raise pytest.UsageError(f"{item.path}: write pytest.mark.{name} where its tests are.")
    long = ("e2e/isolation/", "e2e/journeys/", "e2e/language/", "e2e/protocol/", "console/live/")
    items.sort(key=lambda item: not item.nodeid.startswith(long))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays to the end: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


def copy_tables(database: Path) -> bool:
    """Puts the embedded database that bin/test has made there, empty but for its tables; False if it made none."""
    template = os.environ.get("TEST_TEMPLATE", "")
    if not template.endswith(".sqlite3"):
        return False
    database.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template, database)
    return True


@pytest.fixture(scope="session")
def django_db_keepdb(*, django_db_keepdb: bool, django_db_modify_db_settings: None) -> bool:
    """Whether there are tables already: on the embedded database, those of the file that bin/test names, copied.

    The other fixture comes first, since it gives each process a file of its own.
    """
    if connection.vendor != "sqlite":
        return django_db_keepdb
    return copy_tables(Path(connection.settings_dict["TEST"]["NAME"])) or django_db_keepdb


@pytest.fixture
def product_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as in the product."""
    for name, value in COST.items():
        monkeypatch.setattr(Argon2idHasher, name, value)


@pytest.fixture(autouse=True)
def _whole_windows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of rate limits begin with the test, not on the quarter of an hour: none ends in the middle of it."""
    if request.node.get_closest_marker("windows"):
        return
    began = int(clock.now().timestamp())

    def window_start(limit: ratelimit.Limit, moment: datetime) -> datetime:
        seconds = int(limit.window.total_seconds())
        offset = began % seconds
        return datetime.fromtimestamp((int(moment.timestamp()) - offset) // seconds * seconds + offset, UTC)

    monkeypatch.setattr(ratelimit, "_window_start", window_start)


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Rate limits of libraries live in the cache: no test inherits another's tries."""
    cache.clear()
    yield
    cache.clear()


def make_realm(slug: str, name: str, **settings: Any) -> Realm:
    """An active realm with built-in roles and scopes and a signing key."""
    return found_realm(system_actor(Realm().pk), slug=slug, name=name, settings=settings or None)


def make_user(realm: Realm, email: str, *, role: str | None = None, name: str = "", **fields: Any) -> User:
    """A person with a verified address and the password PASSWORD; `role` is a console role's name."""
    with realm_scope(realm):
        actor = system_actor(realm.pk)
        user = create_user(actor, email=email, name=name, password=PASSWORD, email_verified=True, **fields)
        if role:
            held = Role.objects.get(kind=RoleKind.CONSOLE, name=role)
            assign_role(actor, user_id=user.pk, role_id=held.pk)
    return user


def actor_of(user: User) -> Actor:
    """The actor of a person with what he holds now."""
    realm = Realm.objects.get(pk=user.realm_id)
    with realm_scope(realm):
        return actor_for_user(User.objects.get(pk=user.pk))


@pytest.fixture
def platform(db: None) -> Realm:
    """The operators' realm."""
    return make_realm(PLATFORM_SLUG, "Platform")


@pytest.fixture
def realm_a(db: None) -> Realm:
    """The realm that tests act in."""
    return make_realm("a", "Realm A", sign_up_open=True)


@pytest.fixture
def realm_b(db: None) -> Realm:
    """The realm that must stay out of reach; everything in it is called the same."""
    return make_realm("b", "Realm B", sign_up_open=True)


@pytest.fixture
def owner_a(realm_a: Realm) -> User:
    """Owner of realm A."""
    return make_user(realm_a, "owner@example.com", role="Owner", name="Olivia Owner")


@pytest.fixture
def owner_b(realm_b: Realm) -> User:
    """Owner of realm B, with the same e-mail as A's."""
    return make_user(realm_b, "owner@example.com", role="Owner", name="Olivia Owner")


@pytest.fixture
def user_a(realm_a: Realm) -> User:
    """A person of realm A without any console role."""
    return make_user(realm_a, "dana@example.com", name="Dana Okafor")


@pytest.fixture
def user_b(realm_b: Realm) -> User:
    """A person of realm B with the same e-mail."""
    return make_user(realm_b, "dana@example.com", name="Dana Okafor")


@pytest.fixture
def operator(platform: Realm) -> User:
    """An owner of the platform realm: he may create and enter realms."""
    return make_user(platform, "operator@example.com", role="Owner", name="Otto Operator")


@pytest.fixture
def as_owner_a(owner_a: User) -> Actor:
    """The actor of A's owner."""
    return actor_of(owner_a)


@pytest.fixture
def as_owner_b(owner_b: User) -> Actor:
    """The actor of B's owner."""
    return actor_of(owner_b)


@pytest.fixture
def as_user_a(user_a: User) -> Actor:
    """The actor of a person who holds nothing."""
    return actor_of(user_a)


@pytest.fixture
def as_operator(operator: User) -> Actor:
    """The actor of an operator in `platform`."""
    return actor_of(operator)


@pytest.fixture
def client_for() -> Callable[[Realm], RealmClient]:
    """Makes clients of a realm."""
    return RealmClient


def make_application(realm: Realm, **fields: Any) -> tuple[Application, str]:
    """A web application `portal` with one redirect URI and its secret."""
    with realm_scope(realm):
        application, secret = register_application(
            system_actor(realm.pk),
            **{
                "name": "Portal",
                "type": "web",
                "client_id": "portal",
                "redirect_uris": ["https://app.example/cb"],
                "scopes": ["openid", "profile", "email", "offline_access"],
                **fields,
            },
        )
    return application, secret or ""


@pytest.fixture
def app_a(realm_a: Realm) -> tuple[Application, str]:
    """Realm A's application and its secret."""
    return make_application(realm_a)


@pytest.fixture
def app_b(realm_b: Realm) -> tuple[Application, str]:
    """Realm B's application with the same client id."""
    return make_application(realm_b)


@pytest.fixture
def on_postgresql(db: None) -> None:
    """Refuses to pretend: a test that needs PostgreSQL fails on another database instead of proving nothing."""
    assert connection.vendor == "postgresql"


def basic(client_id: str, secret: str) -> dict[str, str]:
    """HTTP Basic client authentication as test client headers (RFC 6749, 2.3.1)."""
    return {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}
