"""AU-11: secrets that went in at every door are nowhere in the trail, in the outbox, in metrics or in the log."""

import json
import logging

import pytest
from django.db import connection

from identity.accounts.commands import create_user, set_password
from identity.applications.commands import add_secret
from identity.audit import outbox
from identity.audit.models import AuditEvent
from identity.audit.reading import readable
from identity.courier.commands import queue_message
from identity.kernel.actor import Actor
from identity.kernel.context import realm_scope
from identity.realms.models import Realm

pytestmark = pytest.mark.django_db
CANARY = "canary-7f3a91c4e5"
TABLES = ("identity_auditevent", "identity_outbox", "identity_metricbucket", "identity_alert", "identity_ratecounter")


def everything_in(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        return "\n".join(
            " ".join(bytes(v).decode("latin1") if isinstance(v, (bytes, memoryview)) else str(v) for v in row)
            for row in cursor.fetchall()
        )


def test_au_11_secrets_are_in_no_event_and_no_log(realm_a: Realm, as_owner_a: Actor, app_a, client_for, caplog):
    caplog.set_level(logging.DEBUG)
    application, first_secret = app_a
    secrets = [CANARY, first_secret]
    with realm_scope(realm_a):
        user = create_user(as_owner_a, email="mia@example.com", password=f"{CANARY} one")
        set_password(as_owner_a, user_id=user.pk, password=f"{CANARY} two")
        secrets.append(add_secret(as_owner_a, application_id=application.pk)[1])
        queue_message(
            realm_a, to="mia@example.com", template="password_reset", context={"url": f"https://x.example/{CANARY}"}
        )
    client = client_for(realm_a)
    client.post("/signin", {"login": "mia@example.com", "password": f"{CANARY} wrong"})
    client.post(
        "/oauth/token",
        {"grant_type": "client_credentials", "client_id": "portal", "client_secret": f"{CANARY} wrong"},
    )
    outbox.drain()
    rows = AuditEvent.objects.filter(realm_id=realm_a.pk)
    assert {"user.created", "password.changed", "secret.added", "signin.failed"} <= set(
        rows.values_list("type", flat=True)
    )
    opened = json.dumps([[row.row.payload, row.personal] for row in readable(rows)])
    stored = "\n".join(everything_in(table) for table in TABLES)
    for secret in secrets:
        assert secret not in opened
        assert secret not in stored
        assert secret not in caplog.text


def test_au_11_addresses_and_names_stand_sealed_in_the_table(realm_a: Realm, as_owner_a: Actor):
    with realm_scope(realm_a):
        create_user(as_owner_a, email="very.personal@example.com", name="Very Personal")
    stored = "\n".join(everything_in(table) for table in TABLES)
    assert "very.personal@example.com" not in stored
    assert "Very Personal" not in stored
