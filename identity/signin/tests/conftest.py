"""People at the door."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from identity.audit.models import AuditEvent
from identity.audit.reading import ReadableEvent, readable
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient
from identity.signin.tests.fake_provider import FakeProvider

PASSWORD = "correct horse battery"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
"""So that no hour ends in the middle of a test."""
SignIn = Callable[..., RealmClient]


@pytest.fixture
def events() -> Callable[[Realm, str], list[ReadableEvent]]:
    """The realm's events of one type, oldest first, opened."""

    def of(realm: Realm, type_: str) -> list[ReadableEvent]:
        return readable(AuditEvent.objects.filter(realm_id=realm.pk, type=type_).order_by("id"))

    return of


def sign_in(client: RealmClient, login: str = "dana@example.com", password: str = PASSWORD, **extra: object) -> object:
    """Posts the form."""
    return client.post("/signin", {"login": login, "password": password}, **extra)


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeProvider]:
    """A provider on this machine, which may be asked."""
    settings.REALMKEEP_OUTBOUND_NETWORKS = ["127.0.0.0/8"]
    with FakeProvider() as provider:
        yield provider
