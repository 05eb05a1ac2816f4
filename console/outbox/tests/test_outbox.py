"""The development outbox: there in development, for those who may, with links to click."""

import pytest
from django.conf import settings

from conftest import make_user
from identity.accounts.commands import send_password_reset_link
from identity.courier.commands import deliver_due
from identity.kernel.context import realm_scope

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


def test_it_needs_a_permission_and_development(realm_a, owner_a, client_for, monkeypatch):
    desk = make_user(realm_a, "desk@example.com", role="Help desk")
    assert client_for(realm_a).sign_in(desk).get("/console/outbox").status_code == 403
    monkeypatch.setattr(settings, "REALMKEEP_DEVELOPMENT", False)
    assert client_for(realm_a).sign_in(owner_a).get("/console/outbox").status_code == 404
