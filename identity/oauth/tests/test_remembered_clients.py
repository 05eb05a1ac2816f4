"""A client that is remembered between requests: proven fresh by the query that each request makes anyway.

On PostgreSQL alone: SQLite tells no versions of rows, so there every client is read anew.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import make_application
from identity.accounts.models import User
from identity.applications.commands import (
    add_secret,
    change_application,
    create_scope,
    delete_scope,
    disable_application,
    enable_application,
    revoke_secret,
)
from identity.applications.models import ClientSecret, ResourceServer, Scope
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.oauth.commands import choose_signing_algorithm, rotate_signing_key
from identity.oauth.queries import clients
from identity.oauth.tests.flows import Flow, said
from identity.realms.commands import change_realm_settings
from identity.realms.models import Realm

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("on_postgresql")]

HOT = ("identity_application", "identity_clientsecret", "identity_signingkey")


@pytest.fixture(autouse=True)
def _forgotten():
    clients._remembered.clear()
    yield
    clients._remembered.clear()


def grant(flow: Flow, **data: str):
    return flow.token(grant_type="client_credentials", **data)


def warm(flow: Flow) -> None:
    """The second request finds the client remembered; the first noted that it was used, which changed its rows."""
    for _ in range(3):
        assert grant(flow).status_code == 200
    assert clients._remembered


def statements(ask: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        ask()
    # Not the realm, which the middleware reads, nor the key that seals, which is remembered once it is committed.
    beside = ("FROM identity_realm r WHERE", "FROM identity_subjectkey")
    return [each["sql"] for each in captured.captured_queries if not any(text in each["sql"] for text in beside)]


def test_a_remembered_client_costs_no_query_of_its_own(service: Flow):
    warm(service)
    (only,) = statements(lambda: grant(service))
    assert "INSERT INTO identity_auditevent" in only
    assert all(table in only for table in HOT)


def test_refresh_and_introspection_ask_once_less(flow: Flow):
    tokens = flow.tokens()
    for _ in range(2):
        tokens = flow.refresh(tokens["refresh_token"]).json()
        assert flow.introspect(tokens["access_token"])["active"] is True
    assert len(statements(lambda: flow.introspect(tokens["access_token"]))) == 1
    assert len(statements(lambda: flow.introspect(tokens["refresh_token"]))) == 1
    assert len(statements(lambda: flow.refresh(tokens["refresh_token"]))) == 2


def test_oa_17_a_disabled_application_is_refused_at_once_and_let_in_again_at_once(service: Flow):
    warm(service)
    with realm_scope(service.realm):
        disable_application(system_actor(service.realm.pk), application_id=service.application.pk)
    issued = len(said(service.realm, "token.issued"))
    for ask in (grant, lambda flow: flow.post("/oauth/introspect", {"token": "x"}), lambda flow: flow.revoke("x")):
        assert ask(service).status_code == 401
    assert len(said(service.realm, "token.issued")) == issued
    with realm_scope(service.realm):
        enable_application(system_actor(service.realm.pk), application_id=service.application.pk)
    assert grant(service).status_code == 200


def test_a_withdrawn_secret_is_refused_at_once_while_the_other_one_works(service: Flow):
    warm(service)
    actor = system_actor(service.realm.pk)
    with realm_scope(service.realm):
        first = ClientSecret.objects.get(application=service.application)
        _, other = add_secret(actor, application_id=service.application.pk)
        revoke_secret(actor, application_id=service.application.pk, secret_id=first.pk)
    assert grant(service).status_code == 401
    assert grant(service, auth=(service.application.client_id, other)).status_code == 200
    assert grant(service).status_code == 401


def test_a_secret_that_has_run_out_is_refused_although_no_row_changed(service: Flow):
    ends = clock.now() + timedelta(minutes=5)
    with realm_scope(service.realm):
        ClientSecret.objects.filter(application=service.application).update(expires_at=ends)
    warm(service)
    with clock.clock_at(ends + timedelta(seconds=1)):
        assert grant(service).status_code == 401


def test_a_scope_that_was_taken_away_is_in_no_further_token_and_a_new_one_is_in_the_next(
    realm_a: Realm, service: Flow, make_api: Callable[[Realm, str, str], ResourceServer]
):
    warm(service)
    server = make_api(realm_a, "https://api.example", "orders.read")
    actor = system_actor(realm_a.pk)
    with realm_scope(realm_a):
        change_application(actor, application_id=service.application.pk, scopes=["profile", "orders.read"])
    granted = grant(service, scope="orders.read").json()
    assert service.decoded(granted["access_token"]).claims["aud"] == "https://api.example"
    with realm_scope(realm_a):
        create_scope(actor, name="orders.write", title="Write", resource_server_id=server.pk)
        assert grant(service, scope="orders.read").status_code == 200
        delete_scope(actor, scope_id=Scope.objects.get(name="orders.read").pk)
    assert grant(service, scope="orders.read").json()["error"] == "invalid_scope"


def test_the_next_token_is_signed_by_the_new_key(service: Flow):
    warm(service)
    before = service.decoded(grant(service).json()["access_token"]).header["kid"]
    with realm_scope(service.realm):
        rotate_signing_key(system_actor(service.realm.pk), withdraw_former=True)
    after = service.decoded(grant(service).json()["access_token"]).header["kid"]
    assert after != before


def test_oa_23_the_next_token_is_signed_by_the_algorithm_that_was_chosen(service: Flow):
    warm(service)
    with realm_scope(service.realm):
        choose_signing_algorithm(system_actor(service.realm.pk), alg="RS256")
    assert service.decoded(grant(service).json()["access_token"]).header["alg"] == "RS256"
    warm(service)
    with realm_scope(service.realm):
        choose_signing_algorithm(system_actor(service.realm.pk), alg="ES256")
    assert service.decoded(grant(service).json()["access_token"]).header["alg"] == "ES256"


def test_a_setting_of_the_realm_counts_at_the_next_request(service: Flow):
    warm(service)
    with realm_scope(service.realm):
        change_realm_settings(system_actor(service.realm.pk), changes={"access_token_lifetime": 300})
    assert grant(service).json()["expires_in"] == 300


def test_ti_19_what_one_realm_remembers_opens_nothing_in_another(service: Flow, realm_b: Realm):
    warm(service)
    twin, _ = make_application(realm_b, client_id="service", type="service", redirect_uris=[], scopes=["profile"])
    there = Flow(realm_b, twin, service.secret, scope="profile")
    assert grant(there).status_code == 401
    assert not AuditEvent.objects.filter(realm_id=realm_b.pk, type="token.issued").exists()


def test_a_code_and_a_refresh_token_of_a_client_that_lost_its_right_are_refused(flow: Flow, user_a: User):
    tokens = flow.tokens()
    tokens = flow.refresh(tokens["refresh_token"]).json()
    code = flow.code()
    with realm_scope(flow.realm):
        change_application(
            system_actor(flow.realm.pk), application_id=flow.application.pk, grant_types=["client_credentials"]
        )
    assert flow.redeem(code).json()["error"] == "unauthorized_client"
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "unauthorized_client"


def test_ds_08_the_memory_is_emptied_rather_than_grown(service: Flow, monkeypatch):
    monkeypatch.setattr(clients, "_MOST", 2)
    warm(service)
    (kept,) = clients._remembered.values()
    for number in range(5):
        clients.remember((service.realm.pk, True, f"c{number}", ()), kept)
    assert len(clients._remembered) <= 2


def test_a_refused_client_is_not_remembered(service: Flow):
    assert grant(service, auth=(service.application.client_id, "wrong")).status_code == 401
    assert not clients._remembered
