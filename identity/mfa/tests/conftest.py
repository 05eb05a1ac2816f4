"""People with factors, and the software authenticator that makes passkeys for tests."""

from datetime import timedelta

import pytest

from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.actor import Actor, ActorKind, system_actor
from identity.kernel.context import realm_scope
from identity.mfa import commands, passkeys, queries
from identity.mfa.testing import SoftKey, code_at
from identity.realms.commands import change_realm_settings
from identity.sessions.models import Device

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def himself(user) -> Actor:
    """The person in the middle of a sign-in: he holds nothing."""
    return Actor(kind=ActorKind.USER, realm_id=user.realm_id, id=user.pk, home_realm_id=user.realm_id, name=user.name)


@pytest.fixture
def key() -> SoftKey:
    return SoftKey("http://testserver")


def change(realm, **settings):
    with realm_scope(realm):
        changed = change_realm_settings(system_actor(realm.pk), changes=settings)
    realm.settings = changed.settings if changed is not None else {**realm.settings, **settings}
    return realm


def with_app(user, at=None):
    """Adds an app; its first code was of two minutes ago, so that those of now are free."""
    moment = at or clock.now() - timedelta(minutes=2)
    with clock.clock_at(moment):
        return commands.confirm_totp(himself(user), user_id=user.pk, secret=SECRET, code=code_at(SECRET, moment))


def add_key(realm, user, key, name="Laptop"):
    options, state = passkeys.creation_options(realm, user, [])
    return commands.add_passkey(himself(user), user_id=user.pk, state=state, credential=key.create(options), name=name)


def said(realm, type_):
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("id"))


def is_trusted(realm, user, device_id):
    """Whether the browser of this id stands for the person's second step."""
    hashes = queries.device_hashes(realm, device_id)
    return queries.stands_in(realm, Device.objects.filter(user_id=user.pk, key_hash__in=hashes).first())


def sent_code(monkeypatch):
    """Codes as they would arrive."""
    codes = []
    from identity.mfa.commands import messages

    monkeypatch.setattr(messages, "send_factor_code", lambda *a, **values: codes.append(values["code"]))
    return codes


def with_number(user, codes, to="+4915112345642", kind="sms"):
    device = commands.add_message_device(himself(user), user_id=user.pk, kind=kind, to=to)
    return commands.confirm_message_device(himself(user), user_id=user.pk, device_id=device.pk, code=codes[-1])


@pytest.fixture
def codes(monkeypatch):
    return sent_code(monkeypatch)
