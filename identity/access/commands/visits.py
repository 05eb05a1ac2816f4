"""Writes of operator visits (DECISIONS 20). A visit and its events stand in the realm that is visited (AC-16)."""

from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from identity.access import events, rules
from identity.access.commands.people import locked_person
from identity.access.models import OperatorVisit
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor, ActorKind, system_actor
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, NotFound, PermissionDenied
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write
from identity.realms.models import Realm
from identity.realms.queries import platform_realm


def _as_visitor(actor: Actor, visit: OperatorVisit, realm: Realm) -> Actor:
    """The operator as the visited realm's trail shows him: its realm, his home `platform`, and the visit."""
    return Actor(
        kind=ActorKind.OPERATOR,
        realm_id=realm.pk,
        id=visit.operator_id,
        home_realm_id=actor.home_realm_id,
        session_id=visit.operator_session_id,
        visit_id=visit.pk,
        origin=actor.origin,
        request_id=actor.request_id,
        name=visit.operator_name,
        email=actor.email if actor.id == visit.operator_id else "",
    )


def _end(actor: Actor, visit: OperatorVisit, how: str) -> None:
    visit.ended_at = clock.now()
    visit.save(update_fields=["ended_at"])
    record(actor, events.VisitEnded(target_id=visit.realm_id, how=how))


@transaction.atomic
def open_visit(actor: Actor, *, realm_id: UUID, reason: str, minutes: int = rules.VISIT_MINUTES) -> OperatorVisit:
    """Enter another realm's console, for a reason and at most an hour. An operator's session is in one realm at a time:
    a visit that is still open, there or elsewhere, ends.

    Raises PermissionDenied (not an operator in `platform`), NotFound, Invalid (reason, minutes), Conflict (the platform
    itself). Says visit.opened and visit.ended, in the visited realms' own trails.
    """
    platform = platform_realm()
    # PLATFORM_ONLY permissions exist in no other realm; asking the realm too keeps a forged role harmless (AC-01).
    if platform is None or actor.realm_id != platform.pk or actor.id is None or actor.session_id is None:
        raise PermissionDenied(permission=Permission.REALMS_VISIT)
    actor.require(Permission.REALMS_VISIT)
    realm = Realm.objects.filter(pk=realm_id, purged_at=None).first()
    if realm is None:
        raise NotFound
    if realm.is_platform:
        raise Conflict(_("You are in the platform’s own realm already."), code="platform_realm")
    checked = rules.checked_reason(reason)
    length = rules.checked_visit_length(minutes)
    # Locks the operator: of two visits opened at once by one session, the second ends the first.
    operator = locked_person(actor.id)
    _end_open_visits(actor, actor.id, actor.session_id)
    now = clock.now()
    with realm_scope(realm):
        visit = OperatorVisit(
            operator_id=actor.id,
            operator_session_id=actor.session_id,
            operator_name=operator.display_name,
            reason=checked,
            opened_at=now,
            ends_at=now + length,
        )
        visit.save(force_insert=True)
        record(
            _as_visitor(actor, visit, realm),
            events.VisitOpened(
                target_id=realm.pk, target_name=realm.name, reason=checked, minutes=int(length.total_seconds() // 60)
            ),
        )
    return visit


def _end_open_visits(actor: Actor, operator_id: UUID, session_id: UUID) -> None:
    # A listed door: an operator's visits lie in the realms that he visits.
    open_ones = OperatorVisit.all_realms.filter(
        operator_id=operator_id, operator_session_id=session_id, ended_at=None
    ).select_related("realm")
    for visit in list(open_ones):
        how = "another_visit" if visit.ends_at > clock.now() else "timer"
        with realm_scope(visit.realm):
            _end(_as_visitor(actor, visit, visit.realm), visit, how)


@transaction.atomic
def end_visit(actor: Actor, *, realm_id: UUID, visit_id: UUID, how: str = "button") -> OperatorVisit:
    """Leave: the operator himself, from either console, or another operator who may suspend realms.

    Raises PermissionDenied, NotFound. Says visit.ended in the visited realm; nothing when it was over already.
    """
    realm = Realm.objects.filter(pk=realm_id).first()
    if realm is None:
        raise NotFound
    with realm_scope(realm):
        visit = for_write(OperatorVisit.objects.filter(pk=visit_id)).first()
        platform = platform_realm()
        if visit is None or platform is None or platform.pk != (actor.home_realm_id or actor.realm_id):
            raise NotFound
        if actor.id != visit.operator_id:
            actor.require(Permission.REALMS_WRITE)
        if visit.ended_at is not None:
            return visit
        own = actor.id == visit.operator_id
        _end(_as_visitor(actor, visit, realm) if own else _as_colleague(actor, realm), visit, how)
    return visit


def _as_colleague(actor: Actor, realm: Realm) -> Actor:
    """Another operator, as the visited realm's trail shows him."""
    return Actor(
        kind=ActorKind.OPERATOR,
        realm_id=realm.pk,
        id=actor.id,
        home_realm_id=actor.home_realm_id,
        session_id=actor.session_id,
        origin=actor.origin,
        request_id=actor.request_id,
        name=actor.name,
        email=actor.email,
    )


@transaction.atomic
def end_due_visits(actor: Actor) -> int:
    """Close the books on visits to the actor's realm that are over: by the hour, or with the operator's session.

    They opened nothing any more (`open_visit_of` reads the time, the gate asks the session); this tells the trail.
    Returns how many. Raises PermissionDenied. Says visit.ended.
    """
    if actor.kind is not ActorKind.SYSTEM:
        raise PermissionDenied(permission=Permission.REALMS_VISIT)
    now = clock.now()
    count = 0
    for visit in for_write(OperatorVisit.objects.filter(ended_at=None)):
        if visit.ends_at <= now:
            how = "timer"
        elif not _session_is_active(visit):
            how = "sign_out"
        else:
            continue
        _end(system_actor(actor.realm_id, request_id=actor.request_id), visit, how)
        count += 1
    return count


def _session_is_active(visit: OperatorVisit) -> bool:
    platform = platform_realm()
    if platform is None:
        return False
    with realm_scope(platform):
        sessions = apps.get_model("identity", "Session").objects
        return bool(
            sessions.filter(
                pk=visit.operator_session_id,
                user_id=visit.operator_id,
                status="active",
                expires_at__gt=clock.now(),
            ).exists()
        )
