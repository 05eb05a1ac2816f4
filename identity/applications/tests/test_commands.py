"""Writes of applications: state, event, refusal."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from conftest import make_application
from identity.applications import commands
from identity.applications.models import Application, ClientSecret, Scope
from identity.applications.queries import (
    audiences_of,
    find_applications,
    get_application,
    get_application_by_client_id,
    uris_of,
    verify_secret,
)
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.actor import Actor, ActorKind
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.permissions import Permission
from identity.realms.models import Realm

App = tuple[Application, str]


def events_of(realm: Realm) -> list[str]:
    return list(AuditEvent.objects.filter(realm_id=realm.pk).order_by("id").values_list("type", flat=True))


def test_registering_gives_a_secret_once_and_says_so(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        application, secret = commands.register_application(
            as_owner_a, name="Shop", type="web", redirect_uris=["https://shop.example/cb"]
        )
        assert secret is not None
        assert verify_secret(application, secret) is not None
        assert uris_of(application) == ["https://shop.example/cb"]
    row = AuditEvent.objects.filter(realm_id=realm_a.pk, type="application.registered").get()
    assert row.actor_id == as_owner_a.id
    assert row.payload["client_id"] == application.client_id
    assert events_of(realm_a)[-1] == "secret.added"


def test_au_11_a_secret_is_nowhere_in_the_database(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        application, secret = commands.register_application(
            as_owner_a, name="Shop", type="web", redirect_uris=["https://shop.example/cb"]
        )
        assert secret is not None
        stored = ClientSecret.objects.get(application=application)
        assert secret.encode() not in bytes(stored.digest)
        assert stored.hint == secret[-4:]
    for row in AuditEvent.objects.filter(realm_id=realm_a.pk):
        assert secret not in str(row.payload)


def test_a_public_application_has_no_secret_and_no_empty_one_verifies(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        application, secret = commands.register_application(
            as_owner_a, name="App", type="native", redirect_uris=["com.example.app:/cb"]
        )
        assert secret is None
        assert verify_secret(application, "") is None
        with pytest.raises(Conflict):
            commands.add_secret(as_owner_a, application_id=application.pk)


def test_two_secrets_overlap_while_one_is_replaced(realm_a: Realm, as_owner_a: Actor, app_a: App) -> None:
    application, old = app_a
    with realm_scope(realm_a):
        _, new = commands.add_secret(as_owner_a, application_id=application.pk)
        first = verify_secret(application, old)
        assert first is not None
        assert verify_secret(application, new) is not None
        with pytest.raises(Conflict) as refused:
            commands.add_secret(as_owner_a, application_id=application.pk)
        assert refused.value.reason == "too_many_secrets"
        commands.revoke_secret(as_owner_a, application_id=application.pk, secret_id=first.pk)
        assert verify_secret(application, old) is None
        assert verify_secret(application, new) is not None
    assert events_of(realm_a)[-1] == "secret.revoked"


def test_an_expired_secret_does_not_verify(realm_a: Realm, as_owner_a: Actor, app_a: App) -> None:
    application, _ = app_a
    with realm_scope(realm_a):
        _, new = commands.add_secret(
            as_owner_a, application_id=application.pk, expires_at=clock.now() + timedelta(days=1)
        )
        assert verify_secret(application, new) is not None
        with clock_at(clock.now() + timedelta(days=2)):
            assert verify_secret(application, new) is None


def test_ti_20_a_secret_of_one_realm_is_none_in_the_other(realm_b: Realm, app_a: App, app_b: App) -> None:
    with realm_scope(realm_b):
        assert verify_secret(app_b[0], app_a[1]) is None


def test_a_change_says_what_changed_and_nothing_when_nothing_did(realm_a: Realm, as_owner_a: Actor, app_a: App) -> None:
    application, _ = app_a
    with realm_scope(realm_a):
        before = len(events_of(realm_a))
        commands.change_application(
            as_owner_a,
            application_id=application.pk,
            name="Portal",
            redirect_uris=["https://app.example/cb"],
            scopes=application.scopes,
        )
        assert len(events_of(realm_a)) == before
        changed = commands.change_application(
            as_owner_a,
            application_id=application.pk,
            name="Gate",
            redirect_uris=["https://app.example/new"],
            scopes=["openid"],
        )
    assert changed.version == application.version + 1
    assert events_of(realm_a)[before:] == [
        "application.details_changed",
        "application.redirect_uris_changed",
        "application.grants_changed",
    ]
    row = AuditEvent.objects.get(realm_id=realm_a.pk, type="application.redirect_uris_changed")
    assert row.payload["changes"]["redirect_uris"] == [["https://app.example/cb"], ["https://app.example/new"]]


def test_saving_over_someone_elses_change_is_a_conflict(realm_a: Realm, as_owner_a: Actor, app_a: App) -> None:
    application, _ = app_a
    with realm_scope(realm_a):
        commands.change_application(as_owner_a, application_id=application.pk, expected_version=1, name="First")
        with pytest.raises(Conflict):
            commands.change_application(as_owner_a, application_id=application.pk, expected_version=1, name="Second")
        assert Application.objects.get(pk=application.pk).name == "First"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"redirect_uris": ["http://evil.example/cb"]}, "redirect_uris"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"scopes": ["nothing"]}, "scopes"),
        ({"skip_consent": True}, "skip_consent"),
        ({"is_superuser": True}, "is_superuser"),
        ({"realm_id": uuid4()}, "realm_id"),
        ({"homepage_uri": "javascript:alert(1)"}, "homepage_uri"),
    ],
)
def test_ac_01_bad_and_undeclared_fields_are_refused_by_name_and_nothing_is_lost(
    realm_a: Realm, as_owner_a: Actor, app_a: App, fields: dict[str, object], field: str
) -> None:
    application, _ = app_a
    with realm_scope(realm_a):
        before = len(events_of(realm_a))
        with pytest.raises(Invalid) as refused:
            commands.change_application(as_owner_a, application_id=application.pk, **{"description": "x", **fields})
        assert refused.value.field == field
        again = Application.objects.get(pk=application.pk)
        assert (again.description, again.name, uris_of(again)) == ("", "Portal", ["https://app.example/cb"])
        assert len(events_of(realm_a)) == before


def test_disabling_deleting_and_what_stays(realm_a: Realm, as_owner_a: Actor, app_a: App) -> None:
    application, secret = app_a
    with realm_scope(realm_a):
        assert not commands.disable_application(as_owner_a, application_id=application.pk).is_active
        with pytest.raises(Conflict):
            commands.disable_application(as_owner_a, application_id=application.pk)
        assert commands.enable_application(as_owner_a, application_id=application.pk).is_active
        with pytest.raises(Invalid) as refused:
            commands.delete_application(as_owner_a, application_id=application.pk, typed_name="portal")
        assert refused.value.field == "typed_name"
        commands.delete_application(as_owner_a, application_id=application.pk, typed_name="Portal")
        assert get_application_by_client_id("portal") is None
        assert verify_secret(application, secret) is None
        assert list(find_applications(as_owner_a)) == []
        with pytest.raises(NotFound):
            get_application(as_owner_a, application_id=application.pk)
        with pytest.raises(Invalid) as taken:
            make_application(realm_a)
        assert taken.value.reason == "client_id_taken"
    assert events_of(realm_a)[-3:] == ["application.disabled", "application.enabled", "application.deleted"]


def test_nothing_is_said_when_the_transaction_rolls_back(realm_a: Realm, as_owner_a: Actor, app_a: App) -> None:
    before = len(events_of(realm_a))
    with realm_scope(realm_a), pytest.raises(RuntimeError), transaction.atomic():
        commands.disable_application(as_owner_a, application_id=app_a[0].pk)
        raise RuntimeError
    with realm_scope(realm_a):
        assert Application.objects.get(pk=app_a[0].pk).is_active
    assert len(events_of(realm_a)) == before


@pytest.mark.parametrize(
    "act",
    [
        lambda actor, pk: commands.change_application(actor, application_id=pk, name="X"),
        lambda actor, pk: commands.add_secret(actor, application_id=pk),
        lambda actor, pk: commands.disable_application(actor, application_id=pk),
        lambda actor, pk: commands.delete_application(actor, application_id=pk),
        lambda actor, pk: get_application(actor, application_id=pk),
    ],
)
def test_ti_02_the_other_realms_owner_and_nobody_get_nowhere(
    realm_a: Realm, realm_b: Realm, as_owner_b: Actor, as_user_a: Actor, app_a: App, act: object
) -> None:
    with realm_scope(realm_b), pytest.raises(NotFound):
        act(as_owner_b, app_a[0].pk)  # type: ignore[operator]
    with realm_scope(realm_a), pytest.raises((NotFound, PermissionDenied)):
        act(as_user_a, app_a[0].pk)  # type: ignore[operator]
    with realm_scope(realm_a):
        assert Application.objects.get(pk=app_a[0].pk).name == "Portal"


def manager_of(application: Application) -> Actor:
    held = (Permission.APPLICATIONS_READ, Permission.APPLICATIONS_WRITE, Permission.APPLICATIONS_SECRETS)
    return Actor(
        kind=ActorKind.USER,
        realm_id=application.realm_id,
        id=uuid4(),
        object_permissions=frozenset((p, "application", application.pk) for p in held),
    )


def test_ac_02_a_manager_of_one_application_manages_it_alone(realm_a: Realm, app_a: App) -> None:
    other, _ = make_application(realm_a, client_id="other", name="Other")
    actor = manager_of(app_a[0])
    with realm_scope(realm_a):
        assert [a.pk for a in find_applications(actor)] == [app_a[0].pk]
        commands.change_application(actor, application_id=app_a[0].pk, description="mine")
        with pytest.raises(NotFound):
            commands.change_application(actor, application_id=other.pk, description="not mine")
        with pytest.raises(PermissionDenied):
            commands.delete_application(actor, application_id=app_a[0].pk)
        with pytest.raises(PermissionDenied):
            commands.change_application(actor, application_id=app_a[0].pk, first_party=True)
        with pytest.raises(PermissionDenied):
            commands.register_application(actor, name="New", type="service")


def test_scopes_of_an_api_decide_the_audience(realm_a: Realm, as_owner_a: Actor) -> None:
    with realm_scope(realm_a):
        server = commands.create_resource_server(as_owner_a, identifier="https://api.example", name="API")
        scope = commands.create_scope(as_owner_a, name="orders.read", title="Orders", resource_server_id=server.pk)
        assert audiences_of(["openid", "orders.read"]) == ["https://api.example"]
        assert audiences_of(["openid"]) == []
        with pytest.raises(Invalid) as taken:
            commands.create_scope(as_owner_a, name="orders.read", title="Orders")
        assert taken.value.reason == "scope_taken"
        commands.change_scope(as_owner_a, scope_id=scope.pk, title="Your orders")
        commands.delete_resource_server(as_owner_a, resource_server_id=server.pk)
        assert not Scope.objects.filter(name="orders.read").exists()
        with pytest.raises(Conflict):
            commands.delete_scope(as_owner_a, scope_id=Scope.objects.get(name="openid").pk)
    assert events_of(realm_a)[-4:] == [
        "resource_server.created",
        "scope.created",
        "scope.changed",
        "resource_server.deleted",
    ]


def test_an_application_acts_for_an_api_until_told_otherwise(realm_a: Realm, as_owner_a: Actor, app_a: App) -> None:
    with realm_scope(realm_a):
        server = commands.create_resource_server(as_owner_a, identifier="https://api.example", name="API")
        bind = {"application_id": app_a[0].pk, "resource_server_id": server.pk}
        assert commands.let_act_for(as_owner_a, **bind).acts_for_id == server.pk
        version = Application.objects.get(pk=app_a[0].pk).version
        assert commands.let_act_for(as_owner_a, **bind).version == version
        said = AuditEvent.objects.filter(realm_id=realm_a.pk, type="application.acts_for_changed")
        assert [row.payload["changes"] for row in said] == [{"acts_for": [None, "https://api.example"]}]
        commands.let_act_for(as_owner_a, application_id=app_a[0].pk, resource_server_id=None)
        assert Application.objects.get(pk=app_a[0].pk).acts_for_id is None
        commands.let_act_for(as_owner_a, **bind)
        commands.delete_resource_server(as_owner_a, resource_server_id=server.pk)
        assert Application.objects.get(pk=app_a[0].pk).acts_for_id is None
        assert said.all().count() == 3


def test_only_a_confidential_application_of_this_realm_acts_for_an_api_of_this_realm(
    realm_a: Realm, realm_b: Realm, as_owner_a: Actor, as_owner_b: Actor, app_a: App, app_b: App
) -> None:
    spa, _ = make_application(realm_a, client_id="spa", type="spa")
    with realm_scope(realm_b):
        theirs = commands.create_resource_server(as_owner_b, identifier="https://api.example", name="API")
    with realm_scope(realm_a):
        server = commands.create_resource_server(as_owner_a, identifier="https://api.example", name="API")
        with pytest.raises(Invalid) as public:
            commands.let_act_for(as_owner_a, application_id=spa.pk, resource_server_id=server.pk)
        assert public.value.reason == "not_confidential"
        for application_id, server_id in ((app_b[0].pk, server.pk), (app_a[0].pk, theirs.pk), (app_a[0].pk, uuid4())):
            with pytest.raises(NotFound):
                commands.let_act_for(as_owner_a, application_id=application_id, resource_server_id=server_id)
    assert "application.acts_for_changed" not in events_of(realm_a)


def test_oa_20_one_who_may_change_a_single_application_does_not_open_tokens_of_others_to_it(
    realm_a: Realm, as_owner_a: Actor, app_a: App
) -> None:
    of_one = frozenset(
        (permission, "application", app_a[0].pk)
        for permission in (Permission.APPLICATIONS_READ, Permission.APPLICATIONS_WRITE)
    )
    actor = Actor(kind=ActorKind.USER, realm_id=realm_a.pk, id=uuid4(), object_permissions=of_one)
    with realm_scope(realm_a):
        server = commands.create_resource_server(as_owner_a, identifier="https://api.example", name="API")
        with pytest.raises(PermissionDenied):
            commands.let_act_for(actor, application_id=app_a[0].pk, resource_server_id=server.pk)
        assert Application.objects.get(pk=app_a[0].pk).acts_for_id is None
