"""Detectors: what failed sign-ins and reused tokens mean, looked at one event at a time."""

from contextlib import nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from identity.accounts.queries import user_by_id
from identity.audit.models import AuditEvent
from identity.audit.queries import count_failures
from identity.audit.reading import readable
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.events import Severity
from identity.security import rules
from identity.security.commands import Signal, raise_alert
from identity.security.models import Alert, AlertStatus
from identity.security.queries import TRIED
from identity.security.rules import Detector, Failures

FAILED = TRIED[Detector.PASSWORD_GUESSING]


def on_suspicious_event(event: AuditEvent) -> None:
    """One event that detectors look at. Idempotent: a repeat merges the same counts into the same alert."""
    # History that is written afterwards (the demo) raises its alerts in its own time.
    moment = clock.clock_at(event.occurred_at) if event.payload.get("backfilled") else nullcontext()
    with moment:
        if event.type == "refresh.reused":
            _token_came_twice(event, Detector.REFRESH_REUSE)
        elif event.type == "code.replayed":
            _token_came_twice(event, Detector.CODE_REPLAY)
        elif event.type == "signin.failed" or _is_watched(event):
            _judge_person(event)
            _judge_address(event)


def on_sms_limit_reached(event: AuditEvent) -> None:
    """A budget of short messages is used up: somebody may be making us pay for messages to numbers of his own (LG-13).

    One alert for each budget, range or address; a repeat on the next day merges into it while it is open.
    """
    scope = str(event.payload.get("scope", ""))
    severity = rules.BUDGETS.get(scope)
    if severity is None:
        return
    prefix = str(event.payload.get("prefix", ""))
    address = readable([event])[0].personal.get("address", "") if scope == "address" else ""
    evidence = {
        "tries": 1,
        "first_at": event.occurred_at.isoformat(),
        "last_id": str(event.pk),
        "scope": scope,
        "prefix": prefix,
        "limit": int(event.payload.get("limit") or 0),
    }
    _raise(
        event,
        Signal(
            detector=Detector.SMS_BUDGET,
            severity=severity,
            topic=f"{scope}\0{prefix if scope == 'prefix' else address}",
            at=event.occurred_at,
            evidence=evidence,
            about=prefix if scope == "prefix" else address,
            address=address,
        ),
    )


def _is_watched(event: AuditEvent) -> bool:
    """Whether a sign-in that succeeded is of a person or address with an open alert: the guess may be right."""
    involved = Q(user_id=event.target_id)
    if event.address_hash is not None:
        involved |= Q(address_hash=bytes(event.address_hash))
    return Alert.objects.filter(involved, status=AlertStatus.OPEN).exists()


def _raise(event: AuditEvent, signal: Signal) -> None:
    raise_alert(system_actor(event.realm_id, request_id=event.request_id), signal=signal)


def _since(event: AuditEvent, detector: Detector, **column: Any) -> datetime:
    """From when failures count: the window, or the whole situation while its alert is open, never what was closed."""
    start = event.occurred_at - rules.WINDOW
    last = Alert.objects.filter(detector=detector, **column).order_by("-id").first()
    if last is None:
        return start
    if last.status == AlertStatus.OPEN and last.last_signal_at >= start:
        return datetime.fromisoformat(last.evidence["first_at"])
    if last.closed_at is not None:
        return max(start, last.closed_at)
    return start


def _evidence(rows: list[AuditEvent], **more: Any) -> dict[str, Any]:
    """Counts and bounds; the events themselves are read again when somebody looks."""
    return {
        "tries": len(rows),
        "people": len({bytes(row.person_hash) for row in rows if row.person_hash}),
        "addresses": len({bytes(row.address_hash) for row in rows if row.address_hash}),
        "first_at": rows[-1].occurred_at.isoformat(),
        "last_id": str(rows[0].pk),
        **more,
    }


def _failures(evidence: dict[str, Any]) -> Failures:
    return Failures(tries=evidence["tries"], people=evidence["people"], addresses=evidence["addresses"])


def _judge_person(event: AuditEvent) -> None:
    """Failures for one person, by whichever name and from wherever.

    Names that nobody here has are left to the address's detector.
    """
    user = user_by_id(event.target_id) if event.target_id else None
    if user is None:
        return
    since = _since(event, Detector.PASSWORD_GUESSING, user_id=user.pk)
    rows = count_failures(
        event.realm_id, since=since, until=event.pk, types=FAILED, most=rules.MOST_COUNTED, target_id=user.pk
    )
    if len(rows) < rules.PERSON_TRIES:
        return
    evidence = _evidence(rows, got_in=_got_in(rows, event, target_id=user.pk))
    severity = rules.judge_person(_failures(evidence), got_in=bool(evidence["got_in"]))
    if severity is None:
        return
    _raise(
        event,
        Signal(
            detector=Detector.PASSWORD_GUESSING,
            severity=severity,
            topic=str(user.pk),
            at=event.occurred_at,
            evidence=evidence,
            about=user.display_name,
            user_id=user.pk,
            application_id=_application_of(rows),
        ),
    )


def _judge_address(event: AuditEvent) -> None:
    """Failures from one address, for whomever."""
    if event.address_hash is None:
        return
    address_hash = bytes(event.address_hash)
    since = _since(event, Detector.PASSWORD_SPRAYING, address_hash=address_hash)
    rows = count_failures(
        event.realm_id,
        since=since,
        until=event.pk,
        types=FAILED,
        most=rules.MOST_COUNTED,
        address_hash=address_hash,
    )
    if len(rows) < rules.ADDRESS_TRIES:
        return
    evidence = _evidence(rows, got_in=_got_in(rows, event, address_hash=address_hash))
    severity = rules.judge_address(_failures(evidence), got_in=bool(evidence["got_in"]))
    if severity is None:
        return
    address = readable([event])[0].ip
    _raise(
        event,
        Signal(
            detector=Detector.PASSWORD_SPRAYING,
            severity=severity,
            topic=address,
            at=event.occurred_at,
            evidence=evidence,
            about=address,
            application_id=_application_of(rows),
            address=address,
            address_hash=address_hash,
        ),
    )


def _token_came_twice(event: AuditEvent, detector: Detector) -> None:
    """A refresh token or code was used again: one of its two holders is not the application."""
    user = user_by_id(event.target_id) if event.target_id else None
    if user is None:
        return
    since = _since(event, detector, user_id=user.pk)
    rows = count_failures(
        event.realm_id, since=since, until=event.pk, types=TRIED[detector], most=rules.MOST_COUNTED, target_id=user.pk
    )
    application = event.payload.get("application_id")
    _raise(
        event,
        Signal(
            detector=detector,
            severity=Severity.HIGH,
            topic=f"{user.pk}\0{application}",
            at=event.occurred_at,
            evidence=_evidence(rows or [event]),
            about=user.display_name,
            user_id=user.pk,
            application_id=UUID(application) if application else None,
        ),
    )


def _application_of(rows: list[AuditEvent]) -> UUID | None:
    """The application that all tries were on the way to, if it is one."""
    found = {row.payload.get("application_id") for row in rows}
    only = found.pop() if len(found) == 1 else None
    return UUID(only) if only else None


def _got_in(rows: list[AuditEvent], event: AuditEvent, **column: Any) -> int:
    """How many sign-ins succeeded, between the first failure and `event`, from an address that failed."""
    addresses = {bytes(row.address_hash) for row in rows if row.address_hash}
    found = count_failures(
        rows[0].realm_id,
        since=rows[-1].occurred_at,
        until=event.pk,
        types=("signin.succeeded",),
        most=rules.MOST_COUNTED,
        **column,
    )
    return sum(1 for row in found if row.address_hash is not None and bytes(row.address_hash) in addresses)
