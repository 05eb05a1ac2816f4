"""People at the door."""

from collections.abc import Callable

import pytest

from identity.audit.models import AuditEvent
from identity.audit.reading import ReadableEvent, readable
from identity.realms.models import Realm
from identity.sessions.testing import RealmClient

PASSWORD = "correct horse battery"
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
