"""Statements that run by name on PostgreSQL give what Django's cursor gives, and fail as it does."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from identity.kernel import prepared, sql
from identity.kernel.context import realm_scope
from identity.realms.models import Realm

VALUES = (
    "SELECT CAST(%(id)s AS uuid), CAST(%(text)s AS varchar(40)), CAST(%(raw)s AS bytea), CAST(%(at)s AS timestamptz),"
    " CAST(%(count)s AS integer), CAST(%(yes)s AS boolean), CAST(%(none)s AS uuid),"
    " CAST(%(text)s AS varchar(40)) || '%%'"
)


class Color(StrEnum):
    """A text that is a choice."""

    RED = "red"


def values() -> dict[str, object]:
    return {
        "id": UUID(int=7),
        "text": "naïve 'quoted' \\ text",
        "raw": b"\x00\xff'",
        "at": datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC),
        "count": -3,
        "yes": True,
        "none": None,
    }


def test_places_are_numbered_in_order_and_percent_signs_are_single() -> None:
    text, order = prepared.numbered("SELECT %(b)s, %(a)s, %(b)s WHERE x LIKE '%%'")
    assert (text, order) == (b"SELECT $1, $2, $1 WHERE x LIKE '%'", ("b", "a"))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_values_come_back_as_through_a_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    run = prepared.run

    def watched(raw: Any, statement: str, params: Any) -> Any:
        ran.append(statement)
        return run(raw, statement, params)

    monkeypatch.setattr(prepared, "run", watched)
    given = values()
    by_name = sql.fetch_one(VALUES, given)
    assert ran == [VALUES]
    with CaptureQueriesContext(connection):
        by_cursor = sql.fetch_one(VALUES, given)
    assert ran == [VALUES]
    assert by_name == by_cursor
    assert list(by_name or ())[:7] == list(given.values())
    assert sql.fetch_one(VALUES, {**given, "text": Color.RED})[1] == "red"  # type: ignore[index]
    assert sql.fetch_all("SELECT 1 WHERE FALSE", {}) == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_errors_are_djangos_and_the_connection_goes_on() -> None:
    for _ in range(2):
        with pytest.raises(ProgrammingError):
            sql.fetch_one("SELECT nothing FROM nowhere WHERE x = %(x)s", {"x": 1})
    with pytest.raises(TypeError):
        sql.fetch_one("SELECT CAST(%(x)s AS text)", {"x": object()})
    row = sql.Insert(Realm, {"id": uuid4(), "slug": "once", "name": "Once", "created_at": datetime.now(UTC)})
    assert sql.take(sql.Step(rows=(row,)))
    with pytest.raises(IntegrityError):
        sql.take(sql.Step(rows=(row,)))
    assert Realm.objects.filter(slug="once").count() == 1
    assert connection.connection.info.transaction_status == 0


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_a_statement_is_a_part_of_it() -> None:
    def row(slug: str) -> sql.Step:
        values = {"id": uuid4(), "slug": slug, "name": slug, "created_at": datetime.now(UTC)}
        return sql.Step(rows=(sql.Insert(Realm, values),))

    def here() -> list[str]:
        return list(Realm.objects.order_by("slug").values_list("slug", flat=True))

    with pytest.raises(KeyError), transaction.atomic():
        # The first statement of the transaction, before Django has sent any of its own.
        assert sql.take(row("lost"))
        raise KeyError
    assert here() == []
    with transaction.atomic():
        assert sql.take(row("kept"))
        with pytest.raises(KeyError), transaction.atomic():
            sql.take(row("undone"))
            raise KeyError
    assert here() == ["kept"]
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            sql.take(row("kept"))
        with pytest.raises(InternalError):
            sql.fetch_one("SELECT 1", {})
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            sql.fetch_one("SELECT 1", {})
    assert (here(), connection.connection.info.transaction_status) == (["kept"], 0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_new_connection_prepares_anew() -> None:
    assert sql.fetch_one("SELECT CAST(%(x)s AS integer)", {"x": 1}) == (1,)
    connection.close()
    assert sql.fetch_one("SELECT CAST(%(x)s AS integer)", {"x": 2}) == (2,)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_pooler_that_cannot_keep_statements_gets_none(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REALMKEEP_PREPARED_STATEMENTS = False
    monkeypatch.setattr(prepared, "run", None)
    assert sql.fetch_one("SELECT CAST(%(x)s AS integer)", {"x": 1}) == (1,)


@pytest.mark.django_db
def test_an_insert_without_a_guard_always_happens(realm_a: Realm) -> None:
    row = sql.Insert(Realm, {"id": uuid4(), "slug": "plain", "name": "Plain", "created_at": datetime.now(UTC)})
    with realm_scope(realm_a):
        assert sql.take(sql.Step(rows=(row,)))
    assert Realm.objects.filter(slug="plain").count() == 1


@pytest.mark.django_db
def test_an_insert_happens_only_if_its_condition_holds(realm_a: Realm) -> None:
    row = sql.Insert(Realm, {"id": uuid4(), "slug": "plain", "name": "Plain", "created_at": datetime.now(UTC)})
    with realm_scope(realm_a):
        assert not sql.take(sql.Step(only_if="%(count)s = 2", params={"count": 1}, rows=(row,)))
        assert not Realm.objects.filter(slug="plain").exists()
        assert sql.take(sql.Step(only_if="%(count)s = 1", params={"count": 1}, rows=(row,)))
    assert Realm.objects.filter(slug="plain").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_au_01_only_a_statement_by_itself_may_reach_the_disk_late() -> None:
    asked = "SELECT current_setting('synchronous_commit'){}"
    with transaction.atomic():
        assert sql.relaxed() == ""
    assert sql.fetch_one(asked.format(f", {sql.relaxed()}"), {}) == ("on", "off")
    assert sql.fetch_one(asked.format(""), {}) == ("on",)
