"""Delivery: the worker sends what is due, outside any transaction, by the first way out that takes it."""

import json
import logging
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models, transaction

from identity.audit.record import record
from identity.courier import events
from identity.courier.commands.boxes import open_text
from identity.courier.late import answer_for
from identity.courier.models import Channel, Message, MessageStatus
from identity.courier.providers import CARRIERS, Account, NotTaken, Parcel, Undeliverable, provider_for
from identity.courier.queries import accounts_of
from identity.courier.rendering import render
from identity.courier.rules import CLAIM, MAX_ATTEMPTS, wait_before
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.realms.models import Realm

logger = logging.getLogger(__name__)

REALM_SECONDS = 20.0
"""What one realm's providers may take of a run; the rest waits for the next one, and holds up no other realm."""


@dataclass(slots=True)
class _Round:
    """One realm in one run of the worker: its providers, those that are away, and the time they took."""

    realm: Realm
    accounts: list[Account] | None = None
    away: set[UUID] = field(default_factory=set)
    seconds: float = 0.0

    @property
    def is_over(self) -> bool:
        return self.seconds > REALM_SECONDS

    def providers(self) -> list[Account]:
        if self.accounts is None:
            self.accounts = accounts_of(self.realm)
        return self.accounts


@dataclass(slots=True)
class _Way:
    """What a message went through in one try: provider and outcome, and what the one that took it calls it."""

    tries: list[dict[str, str]] = field(default_factory=list)
    reference: str = ""


def _due(now: datetime) -> models.QuerySet[Message]:
    """What may be tried now, of all realms, oldest first. Read from the index `message_queued` alone."""
    waiting = Message.all_realms.filter(status=MessageStatus.QUEUED).order_by("id")
    return waiting.filter(models.Q(not_before=None) | models.Q(not_before__lte=now))


def deliver_due(limit: int = 100) -> int:  # house: HR03 message.failed is said for each that failed
    """Send what is due, oldest first, of all realms. Called by the worker. Returns how many left or were answered.

    At least once: a message is claimed, sent outside any transaction, then marked. A realm that is not active sends
    nothing.
    """
    now = clock.now()
    due = _due(now).values_list("pk", "realm_id")[:limit]
    rounds: dict[UUID, _Round | None] = {}
    sent = 0
    for pk, realm_id in list(due):
        if realm_id not in rounds:
            realm = Realm.objects.filter(pk=realm_id).first()
            rounds[realm_id] = _Round(realm) if realm is not None and realm.is_active else None
        this = rounds[realm_id]
        if this is not None and not this.is_over:
            began = time.monotonic()
            with realm_scope(this.realm):
                sent += _deliver(this, pk)
            this.seconds += time.monotonic() - began
    return sent


def _deliver(this: _Round, pk: UUID) -> bool:
    message = _claim(pk)
    if message is None:
        return False
    if message.expires_at is not None and message.expires_at <= clock.now():
        _expire(this.realm, message)
        return False
    way = _Way()
    try:
        context = json.loads(open_text(this.realm, message, "context", message.context_sealed))
        if message.channel == Channel.LATE:
            with transaction.atomic():
                answer_for(message.template)(this.realm, **context)
                _finish(message, MessageStatus.SENT, way)
            return True
        _send(this, message, context, way)
    except Undeliverable as error:
        _give_up(this.realm, message, str(error), way)
        return False
    except Exception as error:  # noqa: BLE001 - one that fails, for whatever reason, must not hold up the others
        reason = error.reason if isinstance(error, NotTaken) else type(error).__name__
        logger.warning("Message %s could not be sent: %s", message.pk, reason)
        if message.attempts >= MAX_ATTEMPTS:
            _give_up(this.realm, message, reason, way)
        else:
            _put_off(message, reason, way)
        return False
    with transaction.atomic():
        _finish(message, MessageStatus.SENT, way)
    return True


def _send(this: _Round, message: Message, context: dict[str, Any], way: _Way) -> None:
    """By the channel's way out. Raises Undeliverable, NotTaken, or what the way out raises."""
    rendered = render(this.realm, message.channel, message.template, context, message.language)
    to = open_text(this.realm, message, "to", message.to_sealed)
    code = str(context.get("code") or "")
    parcel = Parcel(this.realm, message.pk, to, rendered, code=code, language=message.language)
    if message.channel == Channel.SMS and this.providers():
        _send_by_providers(this, parcel, way)
    else:
        provider_for(message.channel)(parcel)


def _send_by_providers(this: _Round, parcel: Parcel, way: _Way) -> None:
    """By the first provider that takes it. One that could not be asked is left alone until the next run.

    Raises Undeliverable for a refusal for good (asking the next one would be paying to hear it again) and when none of
    them will ever take it, NotTaken when one of them may later.
    """
    later = ""
    reason = ""
    for account in this.providers():
        if account.id in this.away:
            later = later or "unreachable"
            way.tries.append({"provider": account.name, "outcome": "skipped"})
            continue
        try:
            way.reference = CARRIERS[account.kind](account, parcel)
        except NotTaken as error:
            way.tries.append({"provider": account.name, "outcome": error.reason})
            reason = error.reason
            if error.passing:
                later = error.reason
                this.away.add(account.id)
        except Undeliverable as error:
            way.tries.append({"provider": account.name, "outcome": str(error)})
            raise
        else:
            way.tries.append({"provider": account.name, "outcome": "sent"})
            return
    if later:
        raise NotTaken(later, passing=True)
    raise Undeliverable(reason)


def _claim(pk: UUID) -> Message | None:
    now = clock.now()
    free = models.Q(not_before=None) | models.Q(not_before__lte=now)
    with transaction.atomic():
        won = Message.objects.filter(free, pk=pk, status=MessageStatus.QUEUED).update(
            not_before=now + CLAIM, attempts=models.F("attempts") + 1
        )
        return Message.objects.filter(pk=pk).first() if won else None


def _put_off(message: Message, reason: str, way: _Way) -> None:
    with transaction.atomic():
        Message.objects.filter(pk=message.pk).update(
            not_before=clock.now() + wait_before(message.attempts), last_error=reason[:200], tries=way.tries
        )


def _finish(message: Message, status: MessageStatus, way: _Way, error: str = "") -> None:
    """The last state: what the message said, and to whom, is forgotten."""
    with transaction.atomic():
        Message.objects.filter(pk=message.pk).update(
            status=status,
            to_sealed=b"",
            context_sealed=b"",
            sent_at=clock.now() if status == MessageStatus.SENT else None,
            last_error=error[:200],
            tries=way.tries or message.tries,
            reference=way.reference,
        )


def _expire(realm: Realm, message: Message) -> None:
    """Too late. When it was tried before, that is a failure that somebody should hear of."""
    with transaction.atomic():
        _finish(message, MessageStatus.EXPIRED, _Way(), message.last_error)
        if message.last_error:
            _say_failed(realm, message, message.last_error)


def _give_up(realm: Realm, message: Message, reason: str, way: _Way) -> None:
    with transaction.atomic():
        _finish(message, MessageStatus.FAILED, way, reason)
        _say_failed(realm, message, reason)


def _say_failed(realm: Realm, message: Message, reason: str) -> None:
    record(
        system_actor(realm.pk),
        events.MessageFailed(
            target_id=message.pk,
            subject_id=message.user_id,
            template=message.template,
            channel=message.channel,
            reason=reason,
            attempts=message.attempts,
        ),
    )
