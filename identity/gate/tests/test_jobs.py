"""Background work passes the gate: envelope, realm, actor, permission, objects; and what runs twice is done once."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from conftest import actor_of
from identity.access.commands import open_visit
from identity.access.models import RoleAssignment
from identity.audit.commands import order_export
from identity.audit.models import AuditEvent, AuditExport, AuditExportChunk, Lease
from identity.audit.queries import EventFilter
from identity.gate import jobs as gate_jobs
from identity.gate import queue
from identity.gate.actors import actor_for_user
from identity.gate.rules import MAX_ATTEMPTS, wait_before_retry
from identity.kernel import clock, jobs
from identity.kernel.actor import Actor, anonymous_actor, system_actor
from identity.kernel.clock import clock_at
from identity.kernel.context import realm_scope
from identity.kernel.errors import PermissionDenied, Unavailable
from identity.kernel.jobs import Run, background, enqueue
from identity.kernel.permissions import Permission
from identity.realms.commands import change_realm_settings, suspend_realm
from identity.realms.models import Realm
from identity.sessions.commands import end_session
from identity.sessions.models import Session
from identity.sessions.testing import RealmClient

pytestmark = pytest.mark.django_db(transaction=True)
PERSON = "dana@example.com"


@pytest.fixture
def ran(monkeypatch) -> list[Run]:
    """A task `test.close_sign_up`, which calls a command, and its runs."""
    monkeypatch.setattr(jobs, "tasks", dict(jobs.tasks))
    monkeypatch.setattr(gate_jobs, "tasks", jobs.tasks)
    runs: list[Run] = []

    @background("test.close_sign_up", permission=Permission.SETTINGS_WRITE)
    def close(run: Run) -> None:
        runs.append(run)
        change_realm_settings(run.actor, changes={"sign_up_open": False})

    return runs


def ask(actor: Actor, realm: Realm, name: str = "test.close_sign_up", **more) -> DBTaskResult:
    with realm_scope(realm), transaction.atomic():
        return DBTaskResult.objects.get(pk=enqueue(actor, name, **more))


def work(times: int = 1, worker: str = "w1") -> None:
    for _ in range(times):
        queue.work_next(worker)


def events(realm: Realm, kind: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(realm_id=realm.pk, type=kind).order_by("id"))


def is_open(realm: Realm) -> bool:
    return bool(Realm.objects.get(pk=realm.pk).setting("sign_up_open"))


def session_actor(realm: Realm, user) -> Actor:
    RealmClient(realm).sign_in(user)
    with realm_scope(realm):
        return actor_for_user(user, session=Session.objects.filter(user=user).latest("id"))


def test_a_job_does_what_its_actor_may_and_is_told_as_his(ran, realm_a, as_owner_a):
    row = ask(as_owner_a, realm_a)
    work()
    row.refresh_from_db()
    assert row.status == TaskResultStatus.SUCCESSFUL
    assert not is_open(realm_a)
    (event,) = events(realm_a, "realm.settings_changed")
    assert event.actor_id == as_owner_a.id
    assert not Lease.objects.filter(name=f"task:{row.pk}").exists()


def test_what_is_rolled_back_was_never_asked(ran, realm_a, as_owner_a):
    with pytest.raises(ZeroDivisionError), realm_scope(realm_a), transaction.atomic():
        enqueue(as_owner_a, "test.close_sign_up")
        1 / 0  # noqa: B018 - any fault will do
    assert not DBTaskResult.objects.exists()


def test_asking_needs_a_transaction_the_permission_and_somebody(ran, realm_a, as_owner_a, as_user_a):
    with realm_scope(realm_a):
        with pytest.raises(RuntimeError):
            enqueue(as_owner_a, "test.close_sign_up")
        with transaction.atomic():
            with pytest.raises(PermissionDenied):
                enqueue(as_user_a, "test.close_sign_up")
            with pytest.raises(ValueError, match="person"):
                enqueue(anonymous_actor(realm_a.pk), "test.close_sign_up")
            with pytest.raises(KeyError):
                enqueue(as_owner_a, "test.unheard_of")
            with pytest.raises(ValueError, match="objects"):
                enqueue(as_owner_a, "audit.build_export")
    assert not DBTaskResult.objects.exists()


def forge(row: DBTaskResult, **changes) -> None:
    envelope = {**row.args_kwargs["kwargs"]["envelope"], **changes}
    DBTaskResult.objects.filter(pk=row.pk).update(args_kwargs={"args": [], "kwargs": {"envelope": envelope}})


@pytest.mark.parametrize(
    "field", ["realm", "actor", "permission", "task", "objects", "scopes", "request", "job", "mac", "more"]
)
def test_ti_11_a_job_that_was_altered_in_the_queue_has_no_effect(
    ran, platform, realm_a, realm_b, as_owner_a, as_owner_b, field
):
    row = ask(as_owner_a, realm_a)
    other = {
        "realm": str(realm_b.pk),
        "actor": {"kind": "system", "id": None, "session": None, "visit": None},
        "permission": "console:open",
        "task": "realms.purge",
        "objects": {"export": str(realm_b.pk)},
        "scopes": [["application", str(realm_b.pk)]],
        "request": "forged",
        "job": str(realm_b.pk),
        "mac": "00" * 33,
        "more": 1,
    }[field]
    forge(row, **{field: other})
    before = {realm.pk: AuditEvent.objects.filter(realm_id=realm.pk).count() for realm in (realm_a, realm_b)}
    work()
    row.refresh_from_db()
    assert (row.status, row.traceback) == (TaskResultStatus.FAILED, "forged")
    assert not ran
    assert is_open(realm_a)
    assert is_open(realm_b)
    for realm in (realm_a, realm_b):
        assert AuditEvent.objects.filter(realm_id=realm.pk).count() == before[realm.pk]
    (told,) = events(platform, "job.refused")
    assert told.payload["reason"] == "forged"
    assert told.payload["level"] == "critical"
    assert told.outcome == "denied"


def test_ti_11_an_envelope_works_in_its_own_row_alone(ran, realm_a, as_owner_a):
    row = ask(as_owner_a, realm_a)
    copy = DBTaskResult.objects.get(pk=row.pk)
    copy.pk = realm_a.pk
    copy.save(force_insert=True)
    DBTaskResult.objects.filter(pk=row.pk).delete()
    work()
    assert DBTaskResult.objects.get().traceback == "forged"
    assert not ran


@pytest.mark.parametrize(
    "changes",
    [
        {"task_path": "os.getcwd"},
        {"task_path": "identity.gate.jobs.run"},
        {"args_kwargs": {"args": ["x"], "kwargs": {}}},
        {"args_kwargs": {"args": [], "kwargs": {"envelope": None}}},
        {"args_kwargs": "nonsense"},
    ],
)
def test_ti_11_a_row_that_names_other_code_or_is_nonsense_runs_nothing(ran, realm_a, as_owner_a, changes):
    row = ask(as_owner_a, realm_a)
    DBTaskResult.objects.filter(pk=row.pk).update(**changes)
    work()
    assert DBTaskResult.objects.get().traceback == "forged"
    assert not ran
    assert is_open(realm_a)


def test_ti_11_an_object_of_another_realm_is_not_there(realm_a, realm_b, owner_b, as_owner_a):
    actor_b = session_actor(realm_b, owner_b)
    with realm_scope(realm_b):
        theirs = order_export(actor_b, wanted=EventFilter(), file_format="csv", language="en")
    DBTaskResult.objects.all().delete()
    row = ask(as_owner_a, realm_a, "audit.build_export", objects={"export": theirs.pk})
    work()
    row.refresh_from_db()
    assert row.traceback == "object_gone"
    with realm_scope(realm_b):
        assert AuditExport.objects.get().status == "preparing"
        assert not AuditExportChunk.objects.exists()


def test_ac_07_who_lost_his_role_loses_the_power_of_what_he_asked_for(ran, realm_a, owner_a, as_owner_a):
    row = ask(as_owner_a, realm_a)
    with realm_scope(realm_a):
        RoleAssignment.objects.filter(user=owner_a).delete()
    work()
    row.refresh_from_db()
    assert row.traceback == "permission"
    assert is_open(realm_a)
    (told,) = events(realm_a, "job.refused")
    assert (told.payload["reason"], told.payload["level"]) == ("permission", "medium")
    assert told.on_behalf_of == as_owner_a.id


def test_ac_07_a_disabled_person_or_an_ended_session_ends_what_they_asked_for(ran, realm_a, owner_a):
    actor = session_actor(realm_a, owner_a)
    system = system_actor(realm_a.pk)
    row = ask(actor, realm_a)
    with realm_scope(realm_a):
        end_session(system, session_id=actor.session_id, reason="admin")
    work()
    row.refresh_from_db()
    assert row.traceback == "actor"
    row = ask(actor_of(owner_a), realm_a)
    with realm_scope(realm_a):
        Session.objects.all().delete()
        type(owner_a).objects.filter(pk=owner_a.pk).update(status="disabled")
    work()
    row.refresh_from_db()
    assert row.traceback == "actor"
    assert is_open(realm_a)
    assert not ran


def test_a_suspended_realm_runs_only_what_says_so(ran, realm_a, as_owner_a, as_operator):
    row = ask(as_owner_a, realm_a)
    with realm_scope(Realm.objects.get(pk=as_operator.realm_id)):
        suspend_realm(as_operator, realm_id=realm_a.pk)
    work()
    row.refresh_from_db()
    assert row.traceback == "realm"
    assert is_open(realm_a)


def test_ac_07_an_operators_job_lasts_as_long_as_his_visit(ran, platform, realm_a, operator):
    actor = session_actor(platform, operator)
    with realm_scope(platform):
        visit = open_visit(actor, realm_id=realm_a.pk, reason="a ticket of theirs")
    from identity.gate.actors import operator_again

    inside = operator_again(
        realm_a, operator_id=operator.pk, session_id=actor.session_id, visit_id=visit.pk, request_id="r"
    )
    assert inside is not None
    ask(inside, realm_a)
    work()
    assert not is_open(realm_a)
    row = ask(inside, realm_a)
    with realm_scope(realm_a):
        type(visit).objects.filter(pk=visit.pk).update(ended_at=clock.now())
    work()
    row.refresh_from_db()
    assert row.traceback == "actor"


def test_a_job_that_runs_twice_does_its_work_once(ran, realm_a, as_owner_a):
    row = ask(as_owner_a, realm_a)
    work()
    DBTaskResult.objects.filter(pk=row.pk).update(status=TaskResultStatus.READY)
    with realm_scope(realm_a):
        change_realm_settings(as_owner_a, changes={"sign_up_open": True})
    work(worker="w2")
    assert len(ran) == 1
    assert is_open(realm_a)
    assert DBTaskResult.objects.get().status == TaskResultStatus.SUCCESSFUL


@pytest.fixture
def poison(monkeypatch) -> list[str]:
    """A task that always fails, and when it was given up."""
    monkeypatch.setattr(jobs, "tasks", dict(jobs.tasks))
    monkeypatch.setattr(gate_jobs, "tasks", jobs.tasks)
    told: list[str] = []

    @background("test.poison", permission=Permission.SETTINGS_WRITE, given_up=lambda run: told.append(run.actor.kind))
    def fail(run: Run) -> None:
        change_realm_settings(run.actor, changes={"sign_up_open": False})
        raise Unavailable(f"{PERSON} is away")

    return told


def test_a_poison_job_is_tried_again_ever_later_and_ends_as_failed(poison, realm_a, as_owner_a, caplog):
    row = ask(as_owner_a, realm_a, "test.poison")
    now = clock.now()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        with clock_at(now):
            assert queue.work_next("w1")
            assert not queue.work_next("w1")
        row.refresh_from_db()
        assert len(row.worker_ids) == attempt
        now += wait_before_retry(attempt) + timedelta(milliseconds=1)
    assert row.status == TaskResultStatus.FAILED
    assert row.exception_class_path == "Unavailable"
    assert PERSON not in row.traceback + caplog.text
    assert is_open(realm_a)
    assert not events(realm_a, "realm.settings_changed")
    (told,) = events(realm_a, "job.failed")
    assert (told.payload["attempts"], told.payload["error"]) == (MAX_ATTEMPTS, "Unavailable")
    assert poison == ["system"]
    assert "given up" in caplog.text
    with clock_at(now + timedelta(days=1)):
        assert not queue.work_next("w1")


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 5), (2, 20), (3, 80), (4, 320), (5, 600), (99, 600)])
def test_the_pause_grows_up_to_ten_minutes(attempts, seconds):
    assert wait_before_retry(attempts) == timedelta(seconds=seconds)


def test_f_02_a_job_whose_worker_died_is_taken_back_and_done(ran, realm_a, as_owner_a):
    row = ask(as_owner_a, realm_a)
    dead = queue.claim("dead")
    assert dead is not None
    assert queue.recover() == 0
    with clock_at(clock.now() + queue.LEASE):
        assert queue.recover() == 1
        assert not queue.work_next("early")
    with clock_at(clock.now() + queue.LEASE + wait_before_retry(1)):
        assert queue.work_next("w2")
    row.refresh_from_db()
    assert row.status == TaskResultStatus.SUCCESSFUL
    assert row.worker_ids == ["dead", "w2"]
    assert not is_open(realm_a)


def test_f_02_a_job_that_kills_its_workers_is_given_up(ran, realm_a, as_owner_a):
    row = ask(as_owner_a, realm_a)
    now = clock.now()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        with clock_at(now):
            assert queue.claim(f"dead {attempt}")
        now += queue.LEASE
        with clock_at(now):
            assert queue.recover() == 1
        now += wait_before_retry(attempt)
    row.refresh_from_db()
    assert row.status == TaskResultStatus.FAILED
    assert events(realm_a, "job.failed")[0].payload["error"] == queue.WORKER_GONE


def test_f_03_a_worker_that_wakes_up_late_can_not_write(realm_a, as_owner_a, monkeypatch):
    """It was stopped in the middle of its work; meanwhile another one took the job over and did it."""
    monkeypatch.setattr(jobs, "tasks", dict(jobs.tasks))
    monkeypatch.setattr(gate_jobs, "tasks", jobs.tasks)
    late = []

    @background("test.slow", permission=Permission.SETTINGS_WRITE, in_steps=True)
    def slow(run: Run) -> None:
        if not late:
            late.append(run)
            with clock_at(clock.now() + queue.LEASE):
                assert queue.recover() == 1
            with clock_at(clock.now() + queue.LEASE + wait_before_retry(1)):
                assert queue.work_next("w2")
        with transaction.atomic():
            run.keep()
            change_realm_settings(run.actor, changes={"sign_up_open": not is_open(realm_a)})

    row = ask(as_owner_a, realm_a, "test.slow")
    assert queue.work_next("stopped")
    row.refresh_from_db()
    assert row.status == TaskResultStatus.SUCCESSFUL
    assert row.worker_ids == ["stopped", "w2"]
    assert len(events(realm_a, "realm.settings_changed")) == 1


def test_a_lease_is_renewed_while_the_work_goes_on(realm_a, as_owner_a, ran, monkeypatch):
    monkeypatch.setattr(queue, "BEAT_SECONDS", 0.01)
    ask(as_owner_a, realm_a)
    claimed = queue.claim("w1")
    assert claimed is not None
    Lease.objects.filter(pk=claimed.held.name).update(expires_at=clock.now())
    import time

    with queue._renewed(claimed.held):
        deadline = time.monotonic() + 10
        while Lease.objects.get(pk=claimed.held.name).expires_at < clock.now() + queue.LEASE / 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_the_queue_holds_ids_and_no_personal_data(realm_a, owner_a, ran):
    row = ask(session_actor(realm_a, owner_a), realm_a)
    text = json.dumps(row.args_kwargs)
    assert owner_a.email not in text
    assert owner_a.name not in text
