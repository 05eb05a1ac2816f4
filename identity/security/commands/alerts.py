"""Writes of alerts: raised and merged by detectors, taken, contained or dismissed by people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from identity.accounts.commands import lock_user
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hash, keyed_hashes, seal
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.events import Severity
from identity.kernel.ids import uuid7
from identity.kernel.permissions import Permission
from identity.kernel.tenancy import realm_id_of
from identity.kernel.transactions import for_write
from identity.realms.models import Realm
from identity.security import events, queries
from identity.security.models import Alert, AlertStatus
from identity.security.rules import Detector, graver
from identity.sessions.commands import contain_sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What a detector found. `topic` tells one situation from the next; `about` is what people call it."""

    detector: Detector
    severity: Severity
    topic: str
    at: datetime
    evidence: dict[str, Any]
    about: str = ""
    user_id: UUID | None = None
    application_id: UUID | None = None
    address: str = ""
    address_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Containment:
    """What containing an alert has really done."""

    alert: Alert
    locked: bool
    sessions_ended: int


def _topic_hashes(realm_id: UUID, signal: Signal) -> list[bytes]:
    return keyed_hashes("alert-topic", realm_id, f"{signal.detector}\0{signal.topic}")


def _open_alert_on(realm_id: UUID, signal: Signal) -> Alert | None:
    return for_write(
        Alert.objects.filter(topic_hash__in=_topic_hashes(realm_id, signal), status=AlertStatus.OPEN)
    ).first()


@transaction.atomic
def raise_alert(actor: Actor, *, signal: Signal) -> Alert:
    """Raise an alert, or merge into the open one of the same situation. Called by detectors with the system's actor.

    Says alert.raised, or alert.escalated when a merge makes it graver; a merge that does not says nothing.
    """
    actor.require(Permission.ALERTS_ACT)
    # One counter for each realm, so detectors take turns: the number must have no twin.
    for_write(Realm.objects.filter(pk=actor.realm_id)).first()
    alert = _open_alert_on(actor.realm_id, signal)
    if alert is None:
        alert = _new_alert(actor.realm_id, signal)
        record(actor, _told(events.AlertRaised, alert, signal))
        return alert
    graver_now = graver(alert.severity, signal.severity)
    escalated = graver_now != alert.severity
    alert.severity = graver_now
    alert.evidence = signal.evidence
    alert.last_signal_at = max(alert.last_signal_at, signal.at)
    alert.save(update_fields=["severity", "evidence", "last_signal_at"])
    if escalated:
        record(actor, _told(events.AlertEscalated, alert, signal))
    return alert


def _new_alert(realm_id: UUID, signal: Signal) -> Alert:
    newest = Alert.objects.aggregate(newest=Max("number"))["newest"] or 0
    alert = Alert(
        id=uuid7(),
        number=newest + 1,
        detector=signal.detector,
        severity=signal.severity,
        topic_hash=keyed_hash("alert-topic", realm_id, f"{signal.detector}\0{signal.topic}"),
        user_id=signal.user_id,
        application_id=signal.application_id,
        address_hash=signal.address_hash,
        evidence=signal.evidence,
        raised_at=signal.at,
        last_signal_at=signal.at,
    )
    if signal.address:
        alert.address_sealed = seal(
            signal.address.encode(), realm_id=realm_id, table="identity_alert", pk=alert.pk, field="address_sealed"
        )
    alert.save(force_insert=True)
    return alert


def _told[E: (events.AlertRaised, events.AlertEscalated)](event: type[E], alert: Alert, signal: Signal) -> E:
    return event(
        target_id=alert.pk,
        subject_id=signal.user_id,
        number=alert.number,
        detector=str(signal.detector),
        level=str(alert.severity),
        tries=int(signal.evidence.get("tries", 0)),
        about=signal.about,
    )


def _locked_open(alert_id: UUID) -> Alert:
    alert = for_write(Alert.objects.filter(pk=alert_id)).first()
    if alert is None:
        raise NotFound
    if alert.status != AlertStatus.OPEN:
        raise Conflict(_("Somebody has closed this alert already."), code="alert_closed")
    return alert


def _close(actor: Actor, alert: Alert, status: AlertStatus, note: str = "") -> None:
    alert.status, alert.closed_at, alert.closed_by, alert.close_note = status, clock.now(), actor.id, note
    alert.save(update_fields=["status", "closed_at", "closed_by", "close_note"])


@transaction.atomic
def take_alert(actor: Actor, *, alert_id: UUID) -> Alert:
    """Tell the others that the actor looks after it. Raises PermissionDenied, NotFound, Conflict. Says alert.taken."""
    actor.require(Permission.ALERTS_ACT)
    alert = _locked_open(alert_id)
    if alert.taken_by != actor.id:
        alert.taken_by = actor.id
        alert.save(update_fields=["taken_by"])
        record(actor, events.AlertTaken(target_id=alert.pk, number=alert.number))
    return alert


@transaction.atomic
def dismiss_alert(actor: Actor, *, alert_id: UUID, note: str = "") -> Alert:
    """Close it as expected. Raises PermissionDenied, NotFound, Conflict. Says alert.dismissed."""
    actor.require(Permission.ALERTS_ACT)
    alert = _locked_open(alert_id)
    _close(actor, alert, AlertStatus.DISMISSED, " ".join(note.split())[:300])
    record(actor, events.AlertDismissed(target_id=alert.pk, number=alert.number, note=alert.close_note))
    return alert


@transaction.atomic
def contain_person(
    actor: Actor, *, alert_id: UUID, lock: bool = True, expected_sessions: int | None = None
) -> Containment:
    """Lock the alert's person until somebody unlocks, and end what is signed in; or only the latter.

    expected_sessions: how many the actor was told that this ends; more of them by now raises Conflict, and nothing
    happens. Raises PermissionDenied (also what locking and ending sessions need), NotFound, Conflict, Invalid.
    Says alert.contained, besides what locking and ending say.
    """
    actor.require(Permission.ALERTS_ACT)
    actor.require(Permission.SESSIONS_END)
    alert = _locked_open(alert_id)
    user = alert.user
    if user is None:
        raise Invalid(_("This alert is about no single person."), code="no_person")
    count = queries.active_sessions(realm_id_of(alert), user_id=user.pk).count()
    _refuse_grown(count, expected_sessions)
    locked = lock and user.is_active
    if locked:
        # First, so that nobody signs in between the two.
        lock_user(actor, user_id=user.pk, reason=str(alert))
    contain_sessions(actor, user_id=user.pk)
    ended = count - queries.active_sessions(realm_id_of(alert), user_id=user.pk).count()
    return _contained(actor, alert, locked=locked, ended=ended, about=user.display_name, subject=user.pk)


@transaction.atomic
def contain_address(actor: Actor, *, alert_id: UUID, expected_sessions: int | None = None) -> Containment:
    """End every session that was started from the alert's address. Raises and says as `contain_person`."""
    actor.require(Permission.ALERTS_ACT)
    actor.require(Permission.SESSIONS_END)
    alert = _locked_open(alert_id)
    address = queries.address_of(alert)
    if not address:
        raise Invalid(_("This alert is about no single address."), code="no_address")
    rows = queries.active_sessions(realm_id_of(alert), ip=address)
    _refuse_grown(rows.count(), expected_sessions)
    ended = contain_sessions(actor, ip=address)
    return _contained(actor, alert, locked=False, ended=ended, about=address, subject=None)


def _refuse_grown(count: int, expected: int | None) -> None:
    if expected is not None and count > expected:
        raise Conflict(
            ngettext_lazy(
                "Meanwhile there is %(count)s session. Look again, then repeat.",
                "Meanwhile there are %(count)s sessions. Look again, then repeat.",
                count,
            )
            % {"count": count},
            code="more_than_shown",
            details={"sessions": count},
        )


def _contained(
    actor: Actor, alert: Alert, *, locked: bool, ended: int, about: str, subject: UUID | None
) -> Containment:
    alert.evidence = {**alert.evidence, "result": {"locked": locked, "sessions_ended": ended}}
    alert.save(update_fields=["evidence"])
    _close(actor, alert, AlertStatus.CONTAINED)
    record(
        actor,
        events.AlertContained(
            target_id=alert.pk,
            subject_id=subject,
            number=alert.number,
            locked=locked,
            sessions_ended=ended,
            about=about,
        ),
    )
    return Containment(alert, locked, ended)
