"""Writes that wait for each other: one statement on PostgreSQL, and either all of them or none (DECISIONS 23)."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from identity.kernel import sql
from identity.kernel.context import realm_scope
from identity.realms.models import Realm
from identity.sessions.models import Session, SessionStatus

both = pytest.mark.databases


def row(slug: str, **values: object) -> sql.Step:
    given = {"id": uuid4(), "slug": slug, "name": slug.title(), "created_at": datetime.now(UTC), **values}
    return sql.Step(rows=(sql.Insert(Realm, given),))


def kept(*slugs: str) -> list[str]:
    return sorted(Realm.objects.filter(slug__in=slugs).values_list("slug", flat=True))


def session_of(realm: Realm) -> Session:
    now = datetime.now(UTC)
    session = Session(realm=realm, key_hash=uuid4().bytes, data={}, created_at=now, last_seen_at=now, expires_at=now)
    session.save(force_insert=True)
    return session


@both
@pytest.mark.django_db
def test_all_of_a_block_is_written(realm_a: Realm) -> None:
    with realm_scope(realm_a), transaction.atomic():
        session = session_of(realm_a)
        with sql.gathered():
            assert sql.take(row("one", settings={"language": "de"}), *row("two").rows)
            sql.change_soon(Session, session.pk, {"country": "DE", "data": {"x": [1, "ü"]}})
            assert sql.take(row("three"))
    assert kept("one", "two", "three") == ["one", "three", "two"]
    assert Realm.objects.get(slug="one").settings == {"language": "de"}
    with realm_scope(realm_a):
        session.refresh_from_db()
    assert (session.country, session.data, session.status) == ("DE", {"x": [1, "ü"]}, SessionStatus.ACTIVE)


@both
@pytest.mark.django_db
def test_ti_01_a_change_that_waits_is_bound_to_its_realm(realm_a: Realm, realm_b: Realm) -> None:
    with realm_scope(realm_b), transaction.atomic():
        session = session_of(realm_b)
    with realm_scope(realm_a), transaction.atomic(), sql.gathered():
        sql.change_soon(Session, session.pk, {"country": "DE"})
    with realm_scope(realm_b):
        session.refresh_from_db()
    assert session.country == ""


@both
@pytest.mark.django_db(transaction=True)
def test_an_exception_leaves_nothing_behind() -> None:
    with pytest.raises(KeyError), transaction.atomic(), sql.gathered():
        sql.take(row("undone"))
        raise KeyError
    with transaction.atomic():
        sql.take(row("after"))
    assert kept("undone", "after") == ["after"]


@both
@pytest.mark.django_db(transaction=True)
def test_what_a_savepoint_takes_back_was_never_gathered() -> None:
    with transaction.atomic(), sql.gathered():
        sql.take(row("outer"))
        with pytest.raises(KeyError), transaction.atomic():
            sql.take(row("inner"))
            raise KeyError
        with transaction.atomic(savepoint=False):
            sql.take(row("joined"))
    assert kept("outer", "inner", "joined") == ["joined", "outer"]


@both
@pytest.mark.django_db
def test_a_step_with_a_guard_answers_at_once(realm_a: Realm) -> None:
    with realm_scope(realm_a), transaction.atomic(), sql.gathered():
        assert not sql.take(sql.Step(only_if="%(n)s = 2", params={"n": 1}, rows=row("never").rows))
        assert sql.take(sql.Step(only_if="%(n)s = 1", params={"n": 1}, rows=row("now").rows))
        assert kept("now", "never") == ["now"]


def test_what_was_read_in_a_block_is_forgotten_with_it(db: None) -> None:
    sql.block_memory()["key"] = 1
    assert sql.block_memory() == {}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_block_is_one_statement_and_remembers_what_it_read() -> None:
    with transaction.atomic(), CaptureQueriesContext(connection) as seen:
        with sql.gathered():
            sql.take(row("one"))
            with sql.gathered():
                sql.take(row("two"))
                sql.block_memory()["key"] = 1
            assert (kept("one", "two"), sql.block_memory()) == ([], {"key": 1})
        assert sql.block_memory() == {}
    assert [each["sql"][:6] for each in seen.captured_queries] == ["SELECT", "WITH r"]
    assert kept("one", "two") == ["one", "two"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_a_savepoint_may_take_back_is_not_remembered() -> None:
    with transaction.atomic(), sql.gathered():
        sql.block_memory()["outer"] = 1
        with transaction.atomic():
            sql.block_memory()["inner"] = 1
            assert sql.block_memory() == {}
        assert sql.block_memory() == {"outer": 1}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_change_alone_is_a_statement_as_well(realm_a: Realm) -> None:
    with realm_scope(realm_a), transaction.atomic():
        session = session_of(realm_a)
        with sql.gathered():
            sql.change_soon(Session, session.pk, {"country": "FR"})
    with realm_scope(realm_a):
        session.refresh_from_db()
    assert session.country == "FR"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_nothing_waits_outside_a_transaction_and_failures_are_the_blocks() -> None:
    with pytest.raises(transaction.TransactionManagementError), sql.gathered():
        pass
    same = UUID(int=5)
    with pytest.raises(IntegrityError), transaction.atomic(), sql.gathered():
        sql.take(row("a1", id=same))
        sql.take(row("a2", id=same))
    assert kept("a1", "a2") == []


@both
@pytest.mark.django_db
def test_two_changes_of_one_row_are_both_written(realm_a: Realm) -> None:
    with realm_scope(realm_a), transaction.atomic():
        session = session_of(realm_a)
        with sql.gathered():
            sql.change_soon(Session, session.pk, {"country": "FR", "ip": "192.0.2.1"})
            sql.change_soon(Session, session.pk, {"country": "DE", "acr": "x"})
    with realm_scope(realm_a):
        session.refresh_from_db()
    assert (session.country, session.ip, session.acr) == ("DE", "192.0.2.1", "x")


@both
@pytest.mark.django_db
def test_ti_01_changes_in_two_realms_are_each_written_in_their_own(realm_a: Realm, realm_b: Realm) -> None:
    with realm_scope(realm_a), transaction.atomic():
        here = session_of(realm_a)
    with realm_scope(realm_b), transaction.atomic():
        there = session_of(realm_b)
    with realm_scope(realm_a), transaction.atomic(), sql.gathered():
        sql.change_soon(Session, here.pk, {"country": "FR"})
        with realm_scope(realm_b):
            sql.change_soon(Session, there.pk, {"country": "DE"})
    with realm_scope(realm_a):
        here.refresh_from_db()
    with realm_scope(realm_b):
        there.refresh_from_db()
    assert (here.country, there.country) == ("FR", "DE")
