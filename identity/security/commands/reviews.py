"""The question "was this you?": asked once for each device, answered once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from identity.accounts.models import User
from identity.audit.record import record
from identity.kernel import clock, sql
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hash, new_secret
from identity.kernel.ids import uuid7
from identity.kernel.origin import Origin, network_of
from identity.kernel.transactions import for_write
from identity.security import events
from identity.security.models import HELD, ReviewStatus, SignInReview
from identity.security.queries import REVIEW_LABEL
from identity.sessions.models import Device

MOST_HELD = 3
"""How many held sign-ins one person is asked about at a time."""


@transaction.atomic(savepoint=False)
def open_review(
    actor: Actor,
    *,
    user: User,
    session_id: UUID,
    device: Device,
    reasons: Sequence[str],
    country: str,
    lifetime: timedelta,
    asked_before: bool = True,
) -> tuple[SignInReview, str] | None:
    """Ask a person about a sign-in: the row, and the secret of the link that answers it once.

    None while he is asked about this device already: a burst of mails is read by nobody. asked_before: whether that can
    be at all; of a device that has come into being with this sign-in nobody was asked. Says review.opened.
    """
    now = clock.now()
    if asked_before and _is_asked(device, now):
        return None
    return _asked(
        actor, user, reasons, country=country, lifetime=lifetime, now=now, session_id=session_id, device=device
    )


@transaction.atomic(savepoint=False)
def open_held_review(
    actor: Actor, *, user: User, reasons: Sequence[str], country: str, lifetime: timedelta
) -> tuple[SignInReview, str] | None:
    """Ask a person about a sign-in that is held: there is no session and no device yet.

    None while he is asked about one from there already, or about several from anywhere, so that guessing on sends no
    further mail. Says review.opened.
    """
    now = clock.now()
    # Of two at the same moment one asks.
    for_write(User.objects.filter(pk=user.pk)).first()
    held = list(_held(user, now))
    if len(held) >= MOST_HELD or any(_is_from(each, actor.origin) for each in held):
        return None
    came_from = {HELD: {"ip": actor.origin.ip, "user_agent": actor.origin.user_agent}}
    return _asked(actor, user, reasons, country=country, lifetime=lifetime, now=now, outcome=came_from)


def _is_asked(device: Device, now: datetime) -> bool:
    return SignInReview.objects.filter(device=device, status=ReviewStatus.OPEN, expires_at__gt=now).exists()


def _asked(
    actor: Actor,
    user: User,
    reasons: Sequence[str],
    *,
    country: str,
    lifetime: timedelta,
    now: datetime,
    device: Device | None = None,
    **about: Any,
) -> tuple[SignInReview, str]:
    """The question and the secret of its links."""
    secret = new_secret()
    values = {
        "id": uuid7(),
        "realm_id": actor.realm_id,
        "user_id": user.pk,
        "device_id": device.pk if device is not None else None,
        "reasons": list(reasons),
        "country": country,
        "token_hash": keyed_hash(REVIEW_LABEL, actor.realm_id, secret),
        "signed_in_at": now,
        "expires_at": now + lifetime,
        **about,
    }
    sql.take(sql.Step(rows=(sql.Insert(SignInReview, values),)))
    review = sql.stored(SignInReview, values)
    record(
        actor,
        events.ReviewOpened(
            target_id=user.pk,
            subject_id=user.pk,
            target_name=user.display_name,
            reasons=tuple(reasons),
            country=country,
            device=device.label if device is not None else "",
        ),
    )
    return review, secret


def take_up_held_review(  # house: HR03 signin.succeeded says it
    actor: Actor, *, user: User, session_id: UUID, device: Device
) -> bool:
    """The held sign-in was confirmed: what the person is asked already is about this session and device now.

    Only what he is asked about the same network and browser. Else whoever comes from elsewhere while an older question
    is open would be told of by nothing, and the person's yes to his own sign-in would be a yes to that one.
    """
    with transaction.atomic(savepoint=False):
        review = next((each for each in _held(user, clock.now()) if _is_from(each, actor.origin)), None)
        if review is None:
            return False
        review.session_id, review.device = session_id, device
        review.save(update_fields=["session", "device"])
        return True


def _is_from(review: SignInReview, origin: Origin) -> bool:
    held = review.outcome[HELD]
    return network_of(held["ip"]) == network_of(origin.ip) and held["user_agent"] == origin.user_agent


def _held(user: User, now: datetime) -> QuerySet[SignInReview]:
    return SignInReview.objects.filter(
        user=user, session=None, device=None, status=ReviewStatus.OPEN, expires_at__gt=now, outcome__has_key=HELD
    )


@transaction.atomic
def close_review(actor: Actor, *, review: SignInReview, user: User, status: str, outcome: dict[str, Any]) -> None:
    """Write down the answer on a locked review. Says review.confirmed or review.denied."""
    kept = {HELD: review.outcome[HELD]} if HELD in review.outcome else {}
    review.status, review.decided_at, review.outcome = status, clock.now(), {**kept, **outcome}
    review.save(update_fields=["status", "decided_at", "outcome"])
    about: dict[str, Any] = {"target_id": user.pk, "subject_id": user.pk, "target_name": user.display_name}
    if status == ReviewStatus.CONFIRMED:
        record(actor, events.ReviewConfirmed(**about, session_id=review.session_id))
        return
    record(
        actor,
        events.ReviewDenied(
            **about,
            session_id=review.session_id,
            sessions_ended=int(outcome.get("sessions_ended", 0)),
            factors_removed=tuple(outcome.get("factors", ())),
            identities_unlinked=tuple(outcome.get("identities", ())),
            consents_withdrawn=int(outcome.get("consents", 0)),
        ),
    )
