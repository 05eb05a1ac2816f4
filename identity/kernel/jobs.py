"""Background work as rooms declare and ask for it: a signed envelope in the one queue; `gate` decides whether it runs.

What stands in the queue's table is what somebody with a hand in the database can write. So a job carries who asked, in
which realm, with which permission and about which objects, under a MAC of a key that the database does not hold
(TI-11). It holds ids alone: whatever else the work needs is read when it runs, in the realm.
"""

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.tasks import TaskContext, TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from identity.kernel.actor import Actor, ActorKind, Scope
from identity.kernel.crypto import mac, mac_is_right
from identity.kernel.ids import uuid7
from identity.kernel.permissions import Permission

LABEL = "job"


class BadEnvelope(Exception):
    """It is not what was put into the queue: altered, copied to another row, or written by somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One admitted run: what a task hands to its command.

    keep: called inside each transaction of the work; raises when another worker has taken the job over, so that of two
    that run it only one writes.
    """

    job_id: UUID
    actor: Actor
    objects: Mapping[str, UUID]
    keep: Callable[[], None]


Work = Callable[[Run], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A kind of background work. See `background`."""

    name: str
    work: Work
    permission: Permission
    objects: Mapping[str, str] = field(default_factory=dict)
    realm_states: frozenset[str] = frozenset({"active"})
    in_steps: bool = False
    given_up: Work | None = None


tasks: dict[str, Task] = {}


def background(
    name: str,
    *,
    permission: Permission,
    objects: Mapping[str, str] | None = None,
    realm_states: tuple[str, ...] = ("active",),
    in_steps: bool = False,
    given_up: Work | None = None,
) -> Callable[[Work], Work]:
    """Declares a task in a room's tasks.py: `@background("audit.build_export", permission=…, objects={…})`.

    objects: name → model ("identity.AuditExport") of what it works on; each must still be there, in the realm.
    realm_states: the states of a realm in which it may run. in_steps: the command has transactions of its own and can
    be run again from any point; otherwise the whole run is one transaction that is done exactly once. given_up: called
    as the system, with the same objects, when it was refused or has failed for good.
    """

    def register(work: Work) -> Work:
        if name in tasks:
            raise ValueError(f"There is a task {name!r} already.")
        tasks[name] = Task(
            name=name,
            work=work,
            permission=permission,
            objects=dict(objects or {}),
            realm_states=frozenset(realm_states),
            in_steps=in_steps,
            given_up=given_up,
        )
        return work

    return register


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who asked for what, and with which right."""

    job_id: UUID
    task: str
    realm_id: UUID
    actor_kind: ActorKind
    actor_id: UUID | None
    session_id: UUID | None
    visit_id: UUID | None
    permission: Permission
    scopes: tuple[Scope, ...]
    objects: Mapping[str, UUID]
    request_id: str

    def values(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "job": str(self.job_id),
            "task": self.task,
            "realm": str(self.realm_id),
            "actor": {
                "kind": str(self.actor_kind),
                "id": _text(self.actor_id),
                "session": _text(self.session_id),
                "visit": _text(self.visit_id),
            },
            "permission": str(self.permission),
            "scopes": [[kind, str(pk)] for kind, pk in self.scopes],
            "objects": {name: str(pk) for name, pk in self.objects.items()},
            "request": self.request_id,
        }

    def message(self) -> bytes:
        """What the MAC is over: all of it, in one spelling."""
        return json.dumps(self.values(), sort_keys=True, separators=(",", ":")).encode()

    def sealed(self) -> dict[str, Any]:
        """What goes into the queue."""
        return {**self.values(), "mac": mac(LABEL, self.message()).hex()}


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _uuid(value: Any) -> UUID | None:
    return None if value is None else UUID(value)


def opened(job_id: UUID, data: Any) -> Envelope:
    """The envelope in the queue's row `job_id`. Raises BadEnvelope unless it is, to the letter, the one put there."""
    try:
        actor = data["actor"]
        envelope = Envelope(
            job_id=UUID(data["job"]),
            task=data["task"],
            realm_id=UUID(data["realm"]),
            actor_kind=ActorKind(actor["kind"]),
            actor_id=_uuid(actor["id"]),
            session_id=_uuid(actor["session"]),
            visit_id=_uuid(actor["visit"]),
            permission=Permission(data["permission"]),
            scopes=tuple((str(kind), UUID(pk)) for kind, pk in data["scopes"]),
            objects={str(name): UUID(pk) for name, pk in data["objects"].items()},
            request_id=data["request"],
        )
        tag = bytes.fromhex(data["mac"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadEnvelope from error
    # The spelling counts too: a value that reads the same but stands there differently was not written by us.
    if {**envelope.values(), "mac": data["mac"]} != data:
        raise BadEnvelope
    if envelope.job_id != job_id or not mac_is_right(LABEL, envelope.message(), tag):
        raise BadEnvelope
    return envelope


_next_id: ContextVar[UUID | None] = ContextVar("next_job_id", default=None)


def next_id() -> UUID:
    """The queue's id_function: the MAC is over the row's id, which must therefore be known before the row is there."""
    return _next_id.get() or uuid7()


def enqueue(
    actor: Actor, name: str, *, objects: Mapping[str, UUID] | None = None, scopes: tuple[Scope, ...] = ()
) -> UUID:
    """Ask for a task, in the caller's transaction: if that rolls back, nothing was asked. Returns the job's id.

    Who asks must hold the task's permission (on the realm, or on one of `scopes`) now, and again when it runs.
    Raises PermissionDenied; KeyError for a task that nobody declared; RuntimeError outside `atomic`.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{name} was asked for outside a transaction.")
    wanted = tasks[name]
    if actor.kind not in (ActorKind.USER, ActorKind.OPERATOR, ActorKind.SYSTEM):
        raise ValueError("Background work is asked for by a person or by the system.")
    actor.require(wanted.permission, *scopes)
    given = dict(objects or {})
    if given.keys() != wanted.objects.keys():
        raise ValueError(f"{name} needs the objects {sorted(wanted.objects)}.")
    envelope = Envelope(
        job_id=uuid7(),
        task=name,
        realm_id=actor.realm_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        session_id=actor.session_id,
        visit_id=actor.visit_id,
        permission=wanted.permission,
        scopes=scopes,
        objects=given,
        request_id=actor.request_id,
    )
    token = _next_id.set(envelope.job_id)
    try:
        run_job.enqueue(envelope=envelope.sealed())
    finally:
        _next_id.reset(token)
    return envelope.job_id


def is_waiting(name: str, realm_id: UUID) -> bool:
    """Whether such a job of this realm is in the queue or at work; saves asking twice, and no more than that."""
    return (
        DBTaskResult.objects.filter(status__in=(TaskResultStatus.READY, TaskResultStatus.RUNNING))
        .filter(args_kwargs__kwargs__envelope__task=name, args_kwargs__kwargs__envelope__realm=str(realm_id))
        .exists()
    )


Runner = Callable[[UUID, Any], None]
_runner: list[Runner] = []


def run_by(runner: Runner) -> None:
    """Called from config/wiring.py only: who judges and runs an envelope (`gate`, which stands above the rooms)."""
    _runner[:] = [runner]


@task(takes_context=True)
def run_job(context: TaskContext[Any, Any], envelope: Any) -> None:
    """Django's task; every job is this one, so that no row of the queue can name other code to run."""
    _runner[0](UUID(str(context.task_result.id)), envelope)
