"""Background work passes the gate too: envelope, realm, actor, permission and objects are asked when it runs."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import transaction

from identity.accounts.models import User
from identity.audit.record import record
from identity.gate.actors import actor_for_user, operator_again
from identity.gate.events import JobFailed, JobRefused
from identity.gate.usable import is_usable
from identity.kernel.actor import Actor, ActorKind, system_actor
from identity.kernel.context import no_realm, realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.events import Severity
from identity.kernel.idempotency import once
from identity.kernel.jobs import BadEnvelope, Envelope, Run, Task, opened, tasks
from identity.realms.models import Realm
from identity.realms.queries import platform_realm
from identity.sessions.models import Session

logger = logging.getLogger("realmkeep.jobs")


class Refused(Exception):
    """The job must not run, now or later."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_keep: ContextVar[Callable[[], None]] = ContextVar("keep_job", default=lambda: None)


@contextmanager
def kept_by(keep: Callable[[], None]) -> Iterator[None]:
    """Around a run: what proves, inside each of its transactions, that the job is still this worker's."""
    token = _keep.set(keep)
    try:
        yield
    finally:
        _keep.reset(token)


def run(job_id: UUID, data: Any) -> None:
    """Judge an envelope and run it. Raises Refused, after the refusal was recorded; whatever else the work raises."""
    try:
        envelope = opened(job_id, data)
    except BadEnvelope:
        _tell_forged(job_id, data)
        raise Refused("forged")
    try:
        _admitted(envelope)
    except Refused as refusal:
        _tell_refused(envelope, refusal.reason)
        raise


def _admitted(envelope: Envelope) -> None:
    task, realm = tasks.get(envelope.task), _realm_of(envelope)
    if task is None:
        raise Refused("unknown_task")
    if realm is None or realm.status not in task.realm_states:
        raise Refused("realm")
    with realm_scope(realm):
        actor = _actor_of(realm, envelope)
        if not actor.can(envelope.permission, *envelope.scopes):
            raise Refused("permission")
        _require_objects(task, envelope)
        run = Run(job_id=envelope.job_id, actor=actor, objects=dict(envelope.objects), keep=_keep.get())
        try:
            _work(task, run, envelope)
        except PermissionDenied:
            raise Refused("permission")
        except NotFound:
            raise Refused("object_gone")
        except (Conflict, Invalid):
            # A rule said no; it will say so again. (Busy or unavailable is another matter: that is tried again.)
            raise Refused("refused")


def _work(task: Task, run: Run, envelope: Envelope) -> None:
    if task.in_steps:
        task.work(run)
        return

    def act() -> dict[str, Any]:
        run.keep()
        task.work(run)
        return {}

    # Its key is written in the work's own transaction: a second run, after a worker died at the worst moment or at the
    # same time as the first, finds it and does nothing.
    once(f"job:{run.job_id}", envelope.message(), act)


def _realm_of(envelope: Envelope) -> Realm | None:
    return Realm.objects.filter(pk=envelope.realm_id, purged_at=None).first()


def _actor_of(realm: Realm, envelope: Envelope) -> Actor:
    """The actor with what he holds now, not what he held when he asked (AC-07)."""
    if envelope.actor_kind is ActorKind.SYSTEM:
        return system_actor(realm.pk, request_id=envelope.request_id)
    actor = (
        operator_again(
            realm,
            operator_id=envelope.actor_id,
            session_id=envelope.session_id,
            visit_id=envelope.visit_id,
            request_id=envelope.request_id,
        )
        if envelope.actor_kind is ActorKind.OPERATOR
        else _person_again(realm, envelope)
    )
    if actor is None:
        raise Refused("actor")
    return actor


def _person_again(realm: Realm, envelope: Envelope) -> Actor | None:
    user = User.objects.filter(pk=envelope.actor_id).first()
    session = Session.objects.filter(pk=envelope.session_id).first() if envelope.session_id else None
    if user is None or (envelope.session_id and session is None):
        return None
    if not is_usable(realm, user=user, session=session):
        return None
    return actor_for_user(user, session=session, request_id=envelope.request_id)


def _require_objects(task: Task, envelope: Envelope) -> None:
    """Each object through its scoped manager: one of another realm is not there."""
    if envelope.objects.keys() != task.objects.keys():
        raise Refused("unknown_task")
    for name, label in task.objects.items():
        if not apps.get_model(label)._default_manager.filter(pk=envelope.objects[name]).exists():
            raise Refused("object_gone")


# --- what is told ----------------------------------------------------------------------------------------------------


def _tell_forged(job_id: UUID, data: Any) -> None:
    """In the platform's trail: to write into the realm that a forged row names would be an effect of it."""
    logger.critical("Job %s is not what was put into the queue; it was not run.", job_id)
    platform = platform_realm()
    if platform is None:
        return
    claimed = data if isinstance(data, dict) else {}
    name = claimed.get("task")
    with no_realm(), realm_scope(platform), transaction.atomic():
        record(
            system_actor(platform.pk),
            JobRefused(
                target_id=job_id,
                task=name if isinstance(name, str) and name in tasks else "",
                reason="forged",
                level=str(Severity.CRITICAL),
                claimed_realm=_readable_id(claimed.get("realm")),
            ),
        )


def _readable_id(value: Any) -> UUID | None:
    try:
        return UUID(value)
    except (TypeError, ValueError, AttributeError):
        return None


def _tell_refused(envelope: Envelope, reason: str) -> None:
    logger.warning("Job %s (%s) was refused: %s", envelope.job_id, envelope.task, reason)
    realm = _realm_of(envelope)
    if realm is None:
        return
    with realm_scope(realm), transaction.atomic():
        _keep.get()()
        record(
            system_actor(realm.pk, request_id=envelope.request_id),
            JobRefused(target_id=envelope.job_id, task=envelope.task, reason=reason),
            on_behalf_of=envelope.actor_id,
        )
        _give_up(envelope, realm)


def tell_failed(job_id: UUID, data: Any, *, attempts: int, error: str) -> None:
    """Record that a job was given up, inside the caller's transaction. Of a forged one nothing is told here."""
    logger.error("Job %s was given up after %s tries: %s", job_id, attempts, error)
    try:
        envelope = opened(job_id, data)
    except BadEnvelope:
        return
    realm = _realm_of(envelope)
    if realm is None:
        return
    with realm_scope(realm):
        record(
            system_actor(realm.pk, request_id=envelope.request_id),
            JobFailed(target_id=job_id, task=envelope.task, attempts=attempts, error=error),
            on_behalf_of=envelope.actor_id,
        )
        _give_up(envelope, realm)


def _give_up(envelope: Envelope, realm: Realm) -> None:
    task = tasks.get(envelope.task)
    if task is not None and task.given_up is not None:
        actor = system_actor(realm.pk, request_id=envelope.request_id)
        run = Run(job_id=envelope.job_id, actor=actor, objects=dict(envelope.objects), keep=_keep.get())
        with suppress(NotFound):  # what it was about may be what is gone
            task.given_up(run)
