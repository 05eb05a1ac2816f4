"""Somebody who is known at home, and somebody abroad who has his password."""

from datetime import timedelta

from django.contrib.auth import SESSION_KEY

from identity.audit.models import AuditEvent
from identity.courier.testing import mails, path_of
from identity.kernel import clock
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import sign_in

FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:130.0) Gecko/20100101 Firefox/130.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/130.0.0.0 Safari/537.36"
BERLIN, PORTO, BRAZIL = "193.99.144.80", "194.65.1.1", "200.147.3.1"


def at_home(realm):
    return RealmClient(realm, REMOTE_ADDR=BERLIN, HTTP_USER_AGENT=FIREFOX)


def abroad(realm, ip=BRAZIL):
    return RealmClient(realm, REMOTE_ADDR=ip, HTTP_USER_AGENT=CHROME)


def signed_in_as(client):
    return client.session.get(SESSION_KEY)


def row(client):
    store = client.session
    store.get("x")
    return store.row


def known(realm, user=None, login="dana@example.com"):
    """The person is known at home, for a month."""
    client = at_home(realm)
    with clock.clock_at(clock.now() - timedelta(days=30)):
        sign_in(client, login)
        client.post("/signout")
    sign_in(client, login)
    assert signed_in_as(client)
    return client


def asked(realm):
    return [mail for mail in mails(realm) if mail.subject.startswith("New sign-in")]


def link_of(realm):
    return path_of(asked(realm)[-1].links[0])


def types(realm):
    return list(AuditEvent.objects.filter(realm_id=realm.pk).order_by("id").values_list("type", flat=True))
