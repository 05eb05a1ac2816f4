"""Two full realms whose things are called the same, and differ only in a marker that pages would show."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.userkit import user_id_to_str
from allauth.socialaccount.models import SocialAccount
from django.db import models, transaction

from conftest import actor_of, make_application, make_realm, make_user
from e2e.isolation.sql_recorder import note_again
from identity.access.commands import add_member, create_organization, create_role, grant_object
from identity.accounts.commands import define_attribute, invite_user, save_view, set_attributes
from identity.accounts.models import User
from identity.applications.commands import create_resource_server, create_scope, let_act_for
from identity.applications.models import ClientSecret
from identity.audit.models import AuditEvent
from identity.audit.outbox import drain
from identity.consent.commands import grant_consent
from identity.courier.commands import create_sms_provider
from identity.courier.models import Message
from identity.gate.actors import Principal, console_principal
from identity.kernel import clock
from identity.kernel.actor import Actor, anonymous_actor, system_actor
from identity.kernel.checks import realm_owned_models
from identity.kernel.context import no_realm, realm_scope
from identity.kernel.errors import RealmkeepError
from identity.kernel.ids import public_id
from identity.kernel.origin import Origin
from identity.mfa.testing import SoftKey
from identity.mfa.tests.conftest import add_key
from identity.realms.commands import create_provider
from identity.realms.models import IdentityProvider, Realm
from identity.realms.queries import provider_key
from identity.security.commands import open_review
from identity.security.models import Alert
from identity.sessions.commands import note_device
from identity.sessions.models import DeviceStatus, Session
from identity.sessions.testing import RealmClient
from identity.signin.commands import check_sign_in


@pytest.fixture(autouse=True)
def _only_answers(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks afterwards what each of thousands of pages was made from, and no log keeps them all."""
    monkeypatch.setattr("django.test.client.store_rendered_templates", lambda *_, **__: None)
    caplog.set_level(logging.ERROR, logger="django.request")


@pytest.fixture
def known_browsers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is behind a browser's cookies is found out once for each realm: a crawl asks thousands of times, and its

    people hold the same to its end. TI-01 is about just that, and goes without.
    """
    found: dict[tuple[Any, ...], Principal] = {}

    def known(realm: Realm, cookies: Mapping[str, str], **kwargs: Any) -> Principal:
        key = (realm.pk, *sorted(cookies.items()))
        if key not in found:
            found[key] = console_principal(realm, cookies, **kwargs)
        principal = found[key]
        with realm_scope(realm):
            for row in (principal.user, principal.session):
                if row is not None:
                    note_again(row)
        return principal

    monkeypatch.setattr("identity.gate.middleware.console_principal", known)


@dataclass
class World:
    """One realm with one of everything. `ids` holds what routes name things by: kind → identifier in the address."""

    realm: Realm
    marker: str
    owner: User
    person: User
    secret: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    raw_ids: dict[str, str] = field(default_factory=dict)
    otp_device: str = ""

    @property
    def actor(self) -> Actor:
        """The owner's actor."""
        return actor_of(self.owner)

    def raw(self, kind: str) -> str:
        """The identifier as a bare UUID, as Django's admin spells it."""
        return self.raw_ids[kind]

    def client(self) -> RealmClient:
        """A browser in which the owner is signed in, and has just shown the second factor that he holds."""
        client = RealmClient(self.realm, raise_request_exception=False).sign_in(self.owner)
        store = client.session
        shown = {"method": "mfa", "type": "passkey", "id": self.otp_device, "at": clock.now().timestamp()}
        store[AUTHENTICATION_METHODS_SESSION_KEY] = [shown]
        store[f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"] = user_id_to_str(self.owner)
        store.save()
        return client


def build(slug: str, marker: str) -> World:
    """A realm with one of everything."""
    realm = make_realm(slug, f"Realm {marker}", sign_up_open=True)
    owner = make_user(realm, "owner@example.com", role="Owner", name=f"Olivia {marker}")
    person = make_user(realm, "dana@example.com", name=f"Dana {marker}")
    application, secret = make_application(realm, name=f"Portal {marker}", publisher=marker)
    world = World(realm, marker, owner, person, secret)
    with realm_scope(realm), transaction.atomic():
        system = system_actor(realm.pk)
        organization = create_organization(system, slug="org", name=f"Org {marker}")
        add_member(system, organization_id=organization.pk, user_id=person.pk)
        for kind, managed in (("organization", organization), ("application", application)):
            permission = "users:read" if kind == "organization" else "applications:read"
            grant_object(system, user_id=person.pk, permission=permission, kind=kind, object_id=managed.pk)
        role = create_role(system, kind="application", name="buyer", description=marker)
        server = create_resource_server(system, identifier="https://api.example", name=f"API {marker}")
        scope = create_scope(system, name="orders.read", title=f"Orders {marker}", resource_server_id=server.pk)
        let_act_for(system, application_id=application.pk, resource_server_id=server.pk)
        carrier = create_sms_provider(
            system,
            name=f"Carrier {marker}",
            kind="twilio",
            settings={"account_sid": "AC" + "0" * 32, "sender": "Acme"},
            secrets={"auth_token": f"token-{marker}"},
        )
        badge = define_attribute(system, name=f"badge_{slug}", label=f"Badge {marker}", at_sign_up=True)
        set_attributes(system, user_id=person.pk, values={badge.name: marker})
        invitation = invite_user(system, email="invited@example.com", name=f"Ines {marker}")
        consents = [
            grant_consent(actor_of(each), application_id=application.pk, scopes=["openid"]) for each in (person, owner)
        ]
    with realm_scope(realm), transaction.atomic():
        provider = linked_provider(world, marker)
    RealmClient(realm).sign_in(person)
    with realm_scope(realm):
        view = save_view(actor_of(owner), area="users", name=f"View {marker}", query="status=locked", shared=True)
        factor = add_key(realm, owner, SoftKey("http://testserver"), name=f"Key {marker}")
        alert = attack(realm, person)
        event = AuditEvent.objects.filter(realm_id=realm.pk, type="application.registered").get()
        session = Session.objects.get(user=person)
        kept_secret = ClientSecret.objects.get(application=application)
        message = Message.objects.earliest("id")
        device = note_device(
            anonymous_actor(realm.pk, origin=Origin("203.0.113.9", "Firefox")),
            user_id=person.pk,
            device_id=f"device-{marker}",
            former=None,
            status=DeviceStatus.KNOWN,
            label="Firefox",
            country="DE",
        )
        asked = open_review(
            anonymous_actor(realm.pk),
            user=owner,
            session_id=None,
            device=device,
            reasons=["new_device"],
            country="DE",
            lifetime=timedelta(days=7),
        )
    rows: dict[str, tuple[str, UUID]] = {
        "person": ("user", person.pk),
        "invited": ("user", invitation.user_id),
        "application": ("application", application.pk),
        "session": ("session", session.pk),
        "role": ("role", role.pk),
        "organization": ("organization", organization.pk),
        "consent": ("consent", consents[0].pk),
        "own consent": ("consent", consents[1].pk),
        "alert": ("alert", alert.pk),
        "invitation": ("invitation", invitation.pk),
        "event": ("event", event.pk),
        "secret": ("secret", kept_secret.pk),
        "message": ("message", message.pk),
        "view": ("view", view.pk),
        "text message provider": ("sms_provider", carrier.pk),
    }
    world.ids = {label: public_id(kind, pk) for label, (kind, pk) in rows.items()}
    world.raw_ids = {label: str(pk) for label, (_, pk) in rows.items()}
    for label, pk in (("scope", scope.pk), ("resource server", server.pk)):
        world.ids[label] = world.raw_ids[label] = str(pk)
    world.ids["device"] = world.raw_ids["device"] = str(device.pk)
    world.ids["review"] = world.raw_ids["review"] = str(asked[0].pk)
    # Passkeys have numbers, in one row for all realms.
    world.otp_device = factor.device
    world.ids["factor"], world.raw_ids["factor"] = factor.id, str(owner.pk)
    # Named by what they are called. The realms call theirs differently, or each would find its own; and without the
    # marker, which a page would show as part of the address that it was asked for.
    world.ids["attribute"], world.raw_ids["attribute"] = badge.name, str(badge.pk)
    world.ids["provider"], world.raw_ids["provider"] = provider.alias, str(provider.pk)
    return world


def linked_provider(world: World, marker: str) -> IdentityProvider:
    """An identity provider with a linked person. It lies where nobody is ever asked, so nothing waits for an answer."""
    provider = create_provider(
        system_actor(world.realm.pk),
        alias=f"corp-{world.realm.slug}",
        name=f"Corp {marker}",
        kind="oauth2",
        client_id=f"client-{marker}",
        secret="upstream",
        settings={
            "authorization_endpoint": "https://127.0.0.1/authorize",
            "token_endpoint": "https://127.0.0.1/token",
            "userinfo_endpoint": "https://127.0.0.1/me",
            "subject_claim": "id",
        },
    )
    for user in (world.person, world.owner):
        key = provider_key(provider)
        SocialAccount.objects.create(user=user, provider=key, uid=str(user.pk), extra_data={"label": f"at {marker}"})
    return provider


def attack(world_realm: Realm, person: User) -> Alert:
    """Somebody guesses at a person's password until the detector raises an alert."""
    door = anonymous_actor(world_realm.pk, origin=Origin("203.0.113.77", "guesser"))
    for _ in range(8):
        with suppress(RealmkeepError):
            check_sign_in(door, identifier=person.email or "", password="wrong guess")
    with no_realm():
        drain()
    return Alert.objects.latest("id")


@pytest.fixture
def world_a(db: None) -> World:
    """The realm that acts."""
    return build("a", "alphamark")


@pytest.fixture
def world_b(db: None) -> World:
    """The realm that must stay untouched and unseen."""
    return build("b", "betamark")


def snapshot(realm: Realm) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the realm owns, to compare before and after."""
    found = {}
    for model in realm_owned_models():
        names = [f.attname for f in model._meta.concrete_fields if f.attname != "last_seen_at"]
        rows: models.QuerySet[Any] = model.all_realms.filter(realm_id=realm.pk).order_by("pk")
        found[model._meta.label] = [tuple(map(repr, row)) for row in rows.values_list(*names)]
    return found
