"""What every change of factors keeps true: the person's row, trusted browsers, sessions, the event, the mail."""

from typing import Any
from uuid import UUID

from django_otp import DEVICE_ID_SESSION_KEY

from identity.accounts.commands.fetching import locked_user, realm_of
from identity.accounts.models import User
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, NotFound
from identity.mfa import events, queries
from identity.mfa.mails import mail_factor_added, mail_factor_removed
from identity.mfa.rules import MAX_FACTORS, SECOND_FACTORS
from identity.sessions.models import Device, Session, SessionStatus
from identity.sessions.rules import ACR_ONE

FIRST_STEPS = ("pwd", "fed")


def own_user(actor: Actor, user_id: UUID) -> User:
    """The person himself, locked: nobody adds or uses another one's factor. Raises NotFound."""
    if not actor.is_person or actor.id != user_id or actor.home_realm_id != actor.realm_id:
        raise NotFound
    return locked_user(user_id)


def event_fields(user: User) -> dict[str, Any]:
    """Whom an event is about."""
    return {"target_id": user.pk, "subject_id": user.pk, "target_name": user.display_name}


def require_room(user: User) -> None:
    """Raises Conflict for somebody who collects factors: each is asked at sign-in."""
    if len(queries.factors_of(user.pk)) >= MAX_FACTORS:
        raise Conflict(code="too_many_factors")


def note_added(actor: Actor, user: User, *, kind: str, name: str = "") -> None:
    """A factor was stored on a locked person: keep `second_factor_since`, forget trust, tell. Says factor.added."""
    first = kind in SECOND_FACTORS and user.second_factor_since is None
    if first:
        user.second_factor_since, user.factor_grace_until = clock.now(), None
        user.save(update_fields=["second_factor_since", "factor_grace_until"])
    end_trust(actor, user, reason="factors_changed")
    mail_factor_added(realm_of(actor), user, kind, name)
    record(actor, events.FactorAdded(**event_fields(user), kind=kind, name=name, first=first))


def note_removed(actor: Actor, user: User, *, kind: str, device: str, name: str = "") -> None:
    """A factor was deleted of a locked person; what it had confirmed counts as one step at once (LG-20).

    Says factor.removed.
    """
    last = user.second_factor_since is not None and not queries.has_any_factor(user.pk)
    if last:
        user.second_factor_since = None
        user.save(update_fields=["second_factor_since"])
        for codes in queries.authenticator_devices(user.pk, "recovery_codes"):
            codes.authenticator.delete()
    lower_sessions(user, device=device)
    end_trust(actor, user, reason="factors_changed")
    mail_factor_removed(realm_of(actor), user, kind, name)
    record(actor, events.FactorRemoved(**event_fields(user), kind=kind, name=name, last=last))


def lower_sessions(user: User, *, device: str) -> None:
    """Sessions that this device had confirmed say one step from now on, and are asked again where two are needed."""
    for session in Session.objects.filter(user_id=user.pk, status=SessionStatus.ACTIVE):
        if session.data.get(DEVICE_ID_SESSION_KEY) == device:
            amr = [value for value in session.amr if value in FIRST_STEPS]
            Session.objects.filter(pk=session.pk).update(amr=amr, acr=ACR_ONE)


def end_trust(actor: Actor, user: User, *, reason: str, device_id: UUID | None = None) -> int:
    """No browser (or not this one) stands for the second step any more. Says device.untrusted if one did."""
    rows = Device.objects.filter(user_id=user.pk, trusted_until__gt=clock.now())
    if device_id is not None:
        rows = rows.filter(pk=device_id)
    ended: int = rows.update(trusted_until=None)
    if ended:
        record(actor, events.DeviceUntrusted(**event_fields(user), count=ended, reason=reason))
    return ended
