"""Trips to an identity provider and back, as the tests of them make them."""

import re
from typing import Any

from allauth.socialaccount.models import SocialAccount

from identity.accounts.models import User
from identity.audit.models import AuditEvent
from identity.courier.testing import mails
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.realms.commands import create_provider
from identity.realms.models import IdentityProvider, Realm
from identity.realms.queries import provider_key
from identity.sessions.testing import RealmClient
from identity.signin.tests.fake_provider import FakeProvider

FINISH = "/realms/a/signin/provider/finish"


def add(actor: Actor, fake: FakeProvider, alias: str = "corp", **fields: Any) -> IdentityProvider:
    values: dict[str, Any] = {
        "name": "Corp ID",
        "kind": "oidc",
        "client_id": fake.client_id,
        "secret": fake.client_secret,
        "settings": {"issuer": fake.issuer, "trust_email": True},
        "sign_up": "create",
        **fields,
    }
    with realm_scope(Realm.objects.get(pk=actor.realm_id)):
        return create_provider(actor, alias=alias, **values)


def link(provider: IdentityProvider, user: User, uid: str = "u-1") -> SocialAccount:
    account: SocialAccount = SocialAccount.objects.create(
        user=user, provider=provider_key(provider), uid=uid, extra_data={"label": "old"}
    )
    return account


def begin(client: RealmClient, alias: str = "corp", **query: str) -> str:
    response = client.get(f"/signin/provider/{alias}", query)
    assert response.status_code == 302, response.content.decode()[:2000]
    return str(response.headers["Location"])


def come_back(client: RealmClient, url: str) -> Any:
    return client.get(url.removeprefix("http://testserver"))


def round_trip(client: RealmClient, fake: FakeProvider, alias: str = "corp", **query: str) -> Any:
    return come_back(client, fake.agree(begin(client, alias, **query)))


def is_in(client: RealmClient) -> bool:
    return bool(client.session.get("_auth_user_id"))


def events(realm: Realm, *types: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type__in=types).order_by("id"))


def plain(response: Any) -> str:
    """A page without what differs each time."""
    text = re.sub(r'name="(note|csrfmiddlewaretoken)" value="[^"]*"', "", response.content.decode())
    return re.sub(r"(dana|free)@example\.com", "…", re.sub(r'nonce="[^"]*"', "", text))


def note_of(page: Any) -> str:
    found = re.search(r'name="note" value="([^"]+)"', page.content.decode())
    assert found is not None
    return found[1]


def code_to(realm: Realm, to: str) -> str:
    texts = [mail.text for mail in mails(realm) if mail.to == to]
    found = re.search(r"\b\d{6}\b", texts[-1])
    assert found is not None
    return found[0]


def policy(realm: Realm, **settings: Any) -> None:
    Realm.objects.filter(pk=realm.pk).update(settings={**realm.settings, **settings})


def refused(response: Any, client: RealmClient, status: int) -> None:
    assert response.status_code == status, response.headers.get("Location")
    assert not is_in(client)
