"""Applications and ready-made flows for protocol tests."""

from collections.abc import Callable

import pytest

from conftest import make_application
from identity.accounts.models import User
from identity.applications.commands import create_resource_server, create_scope
from identity.applications.models import Application, ResourceServer
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.oauth.tests.flows import Flow
from identity.oauth.tests.wsgi import Wsgi
from identity.realms import freshness
from identity.realms.models import Realm


@pytest.fixture
def flow(realm_a: Realm, app_a: tuple[Application, str], user_a: User) -> Flow:
    """Dana is signed in to realm A and lets its application use what it asks."""
    return Flow(realm_a, *app_a).sign_in(user_a).consented(user_a)


@pytest.fixture
def flow_b(realm_b: Realm, app_b: tuple[Application, str], user_b: User) -> Flow:
    """The same in realm B: same client id, same e-mail."""
    return Flow(realm_b, *app_b).sign_in(user_b).consented(user_b)


@pytest.fixture
def public(realm_a: Realm, user_a: User) -> Flow:
    """A single-page application of realm A, which has no secret."""
    application, _ = make_application(realm_a, client_id="spa", type="spa", name="Board")
    return Flow(realm_a, application).sign_in(user_a).consented(user_a)


@pytest.fixture
def service(realm_a: Realm) -> Flow:
    """A service of realm A that acts for itself."""
    application, secret = make_application(
        realm_a, client_id="service", type="service", name="Nightly", redirect_uris=[], scopes=["profile"]
    )
    return Flow(realm_a, application, secret, scope="profile")


@pytest.fixture
def make_api() -> Callable[[Realm, str, str], ResourceServer]:
    """Makes an API with one scope."""

    def make(realm: Realm, identifier: str, scope: str) -> ResourceServer:
        with realm_scope(realm):
            actor = system_actor(realm.pk)
            server = create_resource_server(actor, identifier=identifier, name="API")
            create_scope(actor, name=scope, title=scope, resource_server_id=server.pk)
        return server

    return make


@pytest.fixture
def wsgi(monkeypatch: pytest.MonkeyPatch) -> Wsgi:
    """Asks the protocol's endpoints before Django; nothing is remembered from another test."""
    freshness._remembered.clear()
    # As Django's own test client does: the connection holds the test's transaction.
    monkeypatch.setattr("identity.kernel.sql.renew_connection", lambda: None)
    monkeypatch.setattr("identity.kernel.sql.release_connection", lambda: None)
    return Wsgi()
