"""Large exports: prepared in the background, offered to one person in one session, for fifteen minutes (TI-10)."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from django_tasks_db.models import DBTaskResult

from conftest import make_user
from identity.access.models import RoleAssignment
from identity.audit import commands
from identity.audit.exporting import filter_of, sealed_filter
from identity.audit.files import COLUMNS
from identity.audit.models import AuditEvent, AuditExport, AuditExportChunk
from identity.audit.queries import EventFilter
from identity.audit.record import record
from identity.audit.rules import MOST_AT_ONCE, OFFERED_FOR, export_state
from identity.gate import queue
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.kernel.crypto import SealBroken
from identity.kernel.errors import Conflict, NotFound
from identity.kernel.events import Outcome, Severity
from identity.kernel.ids import public_id, uuid7
from identity.realms.models import Realm
from identity.security.events import AlertDismissed

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/console/audit/exports"


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch):
    monkeypatch.setattr("console.audit.views.MOST_AT_ONCE", 2)


@pytest.fixture
def owner(realm_a, owner_a, client_for):
    with transaction.atomic():
        for number in range(5):
            record(system_actor(realm_a.pk), AlertDismissed(number=40 + number, note="=cmd|' /C calc'!A0"))
    return client_for(realm_a).sign_in(owner_a)


def order(client, file_format: str = "csv"):
    response = client.post("/console/audit/export?type=alert.dismissed", {"format": file_format})
    assert response.status_code == 302, response.content[:400]
    assert response["Location"].endswith(PAGE)


def work() -> None:
    while queue.work_next("w1"):
        pass


def page(client) -> str:
    response = client.get(PAGE)
    assert response.status_code == 200
    return response.content.decode()


def link(client) -> str:
    found = re.search(r'href="([^"]*/exports/exp_[^"]*)"', page(client))
    assert found is not None
    return found[1].replace("&amp;", "&")


def body(response) -> str:
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


def events(realm: Realm, kind: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=kind).order_by("id"))


def test_a_large_export_is_prepared_and_then_offered(owner, realm_a, owner_a):
    assert "Prepare file" in owner.get("/console/audit/export?type=alert.dismissed").content.decode()
    order(owner)
    assert "Being prepared" in page(owner)
    assert 'hx-trigger="load delay:2s"' in page(owner)
    work()
    shown = page(owner)
    assert "Ready" in shown
    assert "load delay:2s" not in shown
    response = owner.get(link(owner))
    assert "attachment" in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]
    text = body(response)
    assert int(response["Content-Length"]) == len(text.encode())
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 5
    (ordered,), (prepared,), (exported,) = (
        events(realm_a, kind) for kind in ("audit.export_ordered", "audit.export_prepared", "audit.exported")
    )
    assert [event.payload["count"] for event in (ordered, prepared, exported)] == [5, 5, 5]
    assert {event.actor_id for event in (ordered, prepared, exported)} == {owner_a.pk}


def test_ac_13_formulas_are_text_in_a_prepared_file_as_well(owner, realm_a):
    with transaction.atomic():
        actor = replace(system_actor(realm_a.pk), kind="user", id=uuid7(), name="=cmd|' /C calc'!A0")
        record(actor, AlertDismissed(number=99))
    order(owner)
    work()
    rows = list(csv.DictReader(io.StringIO(body(owner.get(link(owner))))))
    assert any(row["actor_name"].startswith("'=cmd") for row in rows)
    assert not any(value.startswith("=") for row in rows for value in row.values())


def test_json_of_several_chunks_is_whole(owner, monkeypatch):
    monkeypatch.setattr(commands, "CHUNK_BYTES", 1)
    monkeypatch.setattr("identity.audit.queries.in_chunks.__defaults__", (2,))
    order(owner, "json")
    work()
    with realm_scope(owner.realm):
        assert AuditExportChunk.objects.count() > 2
    assert len(json.loads(body(owner.get(link(owner))))) == 5


def test_small_exports_leave_at_once(owner, monkeypatch):
    monkeypatch.setattr("console.audit.views.MOST_AT_ONCE", MOST_AT_ONCE)
    response = owner.post("/console/audit/export?type=alert.dismissed", {"format": "csv"})
    assert response.status_code == 200
    assert not DBTaskResult.objects.exists()


def refused(client, url: str) -> None:
    response = client.get(url, absolute=True)
    assert response.status_code == 404
    assert not response.streaming


def test_ti_10_the_link_is_for_one_person_in_one_session(owner, realm_a, realm_b, owner_a, owner_b, user_a, client_for):
    order(owner)
    work()
    url = link(owner)
    # Another admin of the realm, an ordinary person, the same person elsewhere, nobody.
    other = make_user(realm_a, "other@example.com", role="Owner")
    for client in (
        client_for(realm_a).sign_in(other),
        client_for(realm_a).sign_in(user_a),
        client_for(realm_a).sign_in(owner_a),
        client_for(realm_a),
    ):
        refused(client, url)
    assert "No exports" in page(client_for(realm_a).sign_in(owner_a))
    # The admin of the other realm, in his own console and in this one.
    theirs = client_for(realm_b).sign_in(owner_b)
    refused(theirs, url)
    refused(theirs, url.replace("/realms/a/", "/realms/b/"))
    # A link that was altered or has no signature.
    refused(owner, url.partition("?")[0])
    refused(owner, url[:-3] + ("AAA" if not url.endswith("AAA") else "BBB"))
    refused(owner, url.replace("signature=", "signature=%00%F0"))
    assert not events(realm_a, "audit.exported")
    assert len(events(realm_a, "access.denied")) == 1
    assert not events(realm_b, "access.denied")
    assert body(owner.get(url, absolute=True))


def test_ti_10_after_logout_it_is_gone(owner, realm_a):
    order(owner)
    work()
    url = link(owner)
    owner.post("/signout")
    refused(owner, url)
    with realm_scope(realm_a):
        from identity.sessions.models import Session

        assert not Session.objects.filter(user__email="owner@example.com", status="active").exists()


def test_ti_10_after_demotion_it_is_gone(owner, realm_a, owner_a):
    order(owner)
    work()
    url = link(owner)
    with realm_scope(realm_a):
        RoleAssignment.objects.filter(user=owner_a).delete()
    refused(owner, url)
    (denied,) = events(realm_a, "access.denied")
    assert denied.actor_id == owner_a.pk


def test_ti_10_after_fifteen_minutes_it_has_expired(owner, realm_a):
    assert timedelta(minutes=15) >= OFFERED_FOR
    order(owner)
    work()
    url = link(owner)
    with clock_at(clock.now() + OFFERED_FOR + timedelta(seconds=1)):
        refused(owner, url)
        assert "Expired" in page(owner)
    with clock_at(clock.now() + timedelta(days=2)):
        # A session that lives on; the page tells of a day.
        with realm_scope(realm_a):
            from identity.sessions.models import Session

            Session.objects.update(last_seen_at=clock.now())
        assert "No exports" in page(owner)


def test_ac_07_who_is_demoted_meanwhile_gets_no_file(owner, realm_a, owner_a):
    order(owner)
    with realm_scope(realm_a):
        kept = list(RoleAssignment.objects.filter(user=owner_a))
        RoleAssignment.objects.filter(user=owner_a).delete()
    work()
    with realm_scope(realm_a):
        assert AuditExport.objects.get().status == "failed"
        assert not AuditExportChunk.objects.exists()
        RoleAssignment.objects.bulk_create(kept)
    assert "Failed" in page(owner)
    assert "Ask again" in page(owner)
    assert events(realm_a, "job.refused")
    assert events(realm_a, "audit.export_failed")


def test_a_file_lies_sealed_in_the_database(owner, realm_a):
    order(owner)
    work()
    with connection.cursor() as cursor:
        for table in ("identity_auditexport", "identity_auditexportchunk", DBTaskResult._meta.db_table):
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                text = b"".join(bytes(v) if isinstance(v, (bytes, memoryview)) else str(v).encode() for v in row)
                assert b"alert.dismissed" not in text
                assert b"cmd|" not in text


def test_dp_02_pieces_open_only_at_their_place(owner, realm_a, monkeypatch):
    monkeypatch.setattr(commands, "CHUNK_BYTES", 1)
    monkeypatch.setattr("identity.audit.queries.in_chunks.__defaults__", (2,))
    order(owner)
    work()
    url = link(owner)
    with realm_scope(realm_a):
        first, second = AuditExportChunk.objects.order_by("number")[:2]
        AuditExportChunk.objects.filter(pk=first.pk).update(number=99)
        AuditExportChunk.objects.filter(pk=second.pk).update(number=0)
    with pytest.raises(SealBroken):
        body(owner.get(url, absolute=True))


def test_what_is_recorded_after_the_order_is_not_in_the_file(owner, realm_a):
    order(owner)
    with transaction.atomic():
        record(system_actor(realm_a.pk), AlertDismissed(number=777))
    work()
    assert len(list(csv.DictReader(io.StringIO(body(owner.get(link(owner))))))) == 5


def test_a_fourth_export_has_to_wait(owner):
    for _ in range(3):
        order(owner)
    response = owner.post("/console/audit/export?type=alert.dismissed", {"format": "csv"})
    assert response.status_code == 422
    assert b"waiting already" in response.content
    assert DBTaskResult.objects.count() == 3


def test_a_second_run_leaves_one_file(owner, realm_a):
    order(owner)
    work()
    job = DBTaskResult.objects.get()
    DBTaskResult.objects.filter(pk=job.pk).update(status="READY")
    work()
    assert len(events(realm_a, "audit.export_prepared")) == 1
    assert body(owner.get(link(owner)))


def test_the_page_is_empty_at_first_and_asks_for_its_permission(owner, realm_a, client_for):
    assert "No exports" in page(owner)
    auditor = client_for(realm_a).sign_in(make_user(realm_a, "desk@example.com", role="Help desk"))
    assert auditor.get(PAGE).status_code == 403


def test_the_trail_links_to_exports_that_wait(owner):
    assert PAGE not in owner.get("/console/audit").content.decode()
    order(owner)
    assert PAGE in owner.get("/console/audit").content.decode()


def test_an_export_that_nobody_gave_up_is_told_as_failed_in_the_end(owner, realm_a):
    order(owner)
    DBTaskResult.objects.all().delete()
    with clock_at(clock.now() + timedelta(hours=3)):
        assert "Failed" in page(owner)


def test_commands_refuse_what_pages_would_not_ask(realm_a, as_owner_a):
    with realm_scope(realm_a), transaction.atomic():
        with pytest.raises(NotFound):
            commands.order_export(system_actor(realm_a.pk), wanted=EventFilter(), file_format="csv", language="en")
        for _ in range(3):
            commands.order_export(as_owner_a, wanted=EventFilter(), file_format="csv", language="en")
        with pytest.raises(Conflict):
            commands.order_export(as_owner_a, wanted=EventFilter(), file_format="csv", language="en")


MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "wanted",
    [
        EventFilter(),
        EventFilter(quiet=False),
        EventFilter(
            types=("user.created", "key.rotated"),
            severity=Severity.HIGH,
            outcomes=(Outcome.DENIED, Outcome.FAILURE),
            actor_types=("user",),
            actor_id=UUID(int=1),
            target_id=UUID(int=2),
            about=(UUID(int=3), UUID(int=4)),
            person="dana@example.com",
            address="203.0.113.7",
            session_id=UUID(int=5),
            request_id="r",
            since=MOMENT,
            until=MOMENT + timedelta(days=1),
        ),
    ],
)
def test_a_filter_comes_back_as_it_was(realm_a, wanted):
    pk = uuid7()
    box = sealed_filter(wanted, realm_id=realm_a.pk, export_id=pk)
    assert b"dana" not in box
    assert filter_of(AuditExport(id=pk, realm_id=realm_a.pk, wanted_sealed=box)) == wanted
    with pytest.raises(SealBroken):
        filter_of(AuditExport(id=uuid7(), realm_id=realm_a.pk, wanted_sealed=box))


@pytest.mark.parametrize(
    ("status", "age", "left", "expected"),
    [
        ("preparing", 1, None, "preparing"),
        ("preparing", 121, None, "failed"),
        ("ready", 1, 1, "ready"),
        ("ready", 1, 0, "expired"),
        ("ready", 1, None, "expired"),
        ("failed", 1, None, "failed"),
    ],
)
def test_the_state_is_told_by_the_time(status, age, left, expected):
    expires = None if left is None else MOMENT + timedelta(minutes=left)
    created = MOMENT - timedelta(minutes=age)
    assert export_state(status=status, created_at=created, expires_at=expires, now=MOMENT) == expected


def test_public_ids_of_exports_have_their_own_prefix():
    assert public_id("export", UUID(int=1)).startswith("exp_")
