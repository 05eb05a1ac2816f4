"""Signing out, and what an ended session still opens: nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from identity.accounts.models import User
from identity.applications.models import Application
from identity.audit.reading import ReadableEvent
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.naming import cookie_name
from identity.oauth.models import RefreshFamily
from identity.realms.models import Realm
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient
from identity.signin.tests.conftest import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.databases]


def test_signing_out_asks_first_then_ends_the_session(
    realm_a: Realm, user_a: User, events: Callable[[Realm, str], list[ReadableEvent]]
) -> None:
    client = RealmClient(realm_a)
    sign_in(client)
    old = client.cookies[cookie_name("s", realm_a)].value
    assert client.get("/signout").status_code == 200
    assert client.get("/account/").status_code == 200
    assert client.post("/signout")["Location"] == "/realms/a/signin"
    with realm_scope(realm_a):
        session = Session.objects.get(user=user_a)
    assert (session.status, session.end_reason, session.status_by) == ("ended", "signed_out", user_a.pk)
    (said,) = events(realm_a, "session.ended")
    assert (said.row.actor_id, said.row.target_id) == (user_a.pk, session.pk)
    assert said.row.payload == {"user_id": str(user_a.pk), "reason": "signed_out"}

    replayed = RealmClient(realm_a)
    replayed.cookies[cookie_name("s", realm_a)] = old
    for extra in ({}, {"HTTP_HX_REQUEST": "true"}, {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}):
        assert replayed.get("/account/", **extra).status_code in (302, 200)
        assert b"Dana" not in replayed.get("/account/", **extra).content
    assert client.post("/signout").status_code == 302
    assert client.get("/signout")["Location"] == "/realms/a/signin"


def test_se_04_pages_are_never_stored(realm_a: Realm, user_a: User) -> None:
    client = RealmClient(realm_a)
    assert "no-store" in client.get("/signin")["Cache-Control"]
    sign_in(client)
    for path in ("/account/", "/account/devices", "/account/password", "/account/email", "/signout", "/signin/again"):
        response = client.get(path)
        assert "no-store" in response["Cache-Control"], path
        assert "Cookie" in response["Vary"], path


def test_offline_access_outlives_signing_out_and_nothing_else_does(
    realm_a: Realm, user_a: User, app_a: tuple[Application, str]
) -> None:
    client = RealmClient(realm_a)
    sign_in(client)
    with realm_scope(realm_a):
        session = Session.objects.get(user=user_a)
        families = [
            RefreshFamily(
                user=user_a, application=app_a[0], session=session, offline=offline,
                created_at=clock.now(), expires_at=clock.now() + timedelta(days=1),
            )
            for offline in (True, False)
        ]  # fmt: skip
        for family in families:
            family.save()
    client.post("/signout")
    with realm_scope(realm_a):
        for family in families:
            family.refresh_from_db()
    assert [family.status for family in families] == ["active", "revoked"]
