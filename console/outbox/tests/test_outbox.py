"""The development outbox: there in development, for those who may, with links to click."""

import pytest
from django.conf import settings

from conftest import make_user
from identity.access.commands import create_role
from identity.access.models import RoleKind
from identity.accounts.commands import send_password_reset_link
from identity.courier.commands import deliver_due
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.permissions import Permission

pytestmark = pytest.mark.django_db


def test_messages_are_shown_with_their_links_and_only_in_their_realm(
    realm_a, realm_b, owner_a, owner_b, user_a, as_owner_a, client_for
):
    with realm_scope(realm_a):
        send_password_reset_link(as_owner_a, user_id=user_a.pk)
    page = client_for(realm_a).sign_in(owner_a)
    assert "1 message waits for the worker." in page.get("/console/outbox").content.decode()
    deliver_due()
    html = page.get("/console/outbox").content.decode()
    assert "dana@example.com" in html
    assert "/realms/a/" in html
    assert "dana@example.com" not in client_for(realm_b).sign_in(owner_b).get("/console/outbox").content.decode()


@pytest.mark.parametrize(
    ("role", "status"), [("Auditor", 403), ("Help desk", 403), ("Security analyst", 403), ("Admin", 200)]
)
def test_ac_02_who_reads_but_could_not_send_the_links_does_not_get_them(realm_a, client_for, role, status):
    page = client_for(realm_a).sign_in(make_user(realm_a, "somebody@example.com", role=role))
    assert page.get("/console/outbox").status_code == status
    assert ("/console/outbox" in page.get("/console/").content.decode()) is (status == 200)


@pytest.mark.parametrize("permission", [Permission.SETTINGS_WRITE, Permission.USERS_WRITE])
def test_ac_02_neither_permission_alone_opens_it(realm_a, client_for, permission):
    held = [Permission.CONSOLE_OPEN, Permission.SETTINGS_READ, Permission.USERS_READ, permission]
    with realm_scope(realm_a):
        create_role(
            system_actor(realm_a.pk), kind=RoleKind.CONSOLE, name="Half", permissions=[str(each) for each in held]
        )
    half = make_user(realm_a, "half@example.com", role="Half")
    assert client_for(realm_a).sign_in(half).get("/console/outbox").status_code == 403


def test_it_is_there_only_in_development(realm_a, owner_a, client_for, monkeypatch):
    monkeypatch.setattr(settings, "REALMKEEP_DEVELOPMENT", False)
    assert client_for(realm_a).sign_in(owner_a).get("/console/outbox").status_code == 404
