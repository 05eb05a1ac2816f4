"""Writes of the message outbox: queued in the caller's transaction, delivered by the worker."""

import json
import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models, transaction

from identity.audit.record import record
from identity.courier import events
from identity.courier.late import answer_for
from identity.courier.models import Channel, Message, MessageStatus
from identity.courier.providers import Parcel, Undeliverable, provider_for
from identity.courier.rendering import language_of, render
from identity.courier.rules import MAX_ATTEMPTS, checked_address, wait_before
from identity.kernel import clock
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.crypto import seal, unseal
from identity.kernel.ids import uuid7
from identity.realms.models import Realm

logger = logging.getLogger(__name__)

TABLE = "identity_message"
CLAIM = timedelta(minutes=2)
"""How long a worker has for one try; after that another one takes the message, as when the first was killed."""


def queue_message(  # house: HR03 the caller's command says what happened; a failure to deliver is said below
    realm: Realm,
    *,
    to: str,
    template: str,
    context: dict[str, Any],
    user_id: UUID | None = None,
    channel: str = Channel.EMAIL,
    language: str | None = None,
    expires_at: datetime | None = None,
) -> Message:
    """Queue one message in the caller's transaction: it leaves if and only if that commits (DECISIONS 21).

    context: JSON values for the templates of `email/<template>/` (or `sms/<template>.txt`). expires_at: when the link
    or code in it ends; it is never sent after that. Raises Invalid (to), TransactionManagementError outside `atomic`.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("A message is queued inside its command's transaction.")
    pk = uuid7()
    message = Message(
        id=pk,
        realm_id=realm.pk,
        channel=channel,
        template=template,
        language=language_of(realm, language),
        user_id=user_id,
        to_sealed=_seal(realm.pk, pk, "to", to if channel == Channel.LATE else checked_address(to, channel)),
        context_sealed=_seal(realm.pk, pk, "context", json.dumps(context, ensure_ascii=False)),
        expires_at=expires_at,
        created_at=clock.now(),
    )
    message.save(force_insert=True)
    return message


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
    realms: dict[UUID, Realm | None] = {}
    sent = 0
    for pk, realm_id in list(due):
        if realm_id not in realms:
            realms[realm_id] = Realm.objects.filter(pk=realm_id).first()
        realm = realms[realm_id]
        if realm is not None and realm.is_active:
            with realm_scope(realm):
                sent += _deliver(realm, pk)
    return sent


def _deliver(realm: Realm, pk: UUID) -> bool:
    message = _claim(pk)
    if message is None:
        return False
    if message.expires_at is not None and message.expires_at <= clock.now():
        _finish(message, MessageStatus.EXPIRED)
        return False
    try:
        context = json.loads(_unseal(realm, message, "context", message.context_sealed))
        if message.channel == Channel.LATE:
            with transaction.atomic():
                answer_for(message.template)(realm, **context)
                _finish(message, MessageStatus.SENT)
            return True
        rendered = render(realm, message.channel, message.template, context, message.language)
        to = _unseal(realm, message, "to", message.to_sealed)
        provider_for(message.channel)(Parcel(realm, message.pk, to, rendered))
    except Undeliverable as error:
        _give_up(realm, message, str(error))
        return False
    except Exception as error:  # noqa: BLE001 - one that fails, for whatever reason, must not hold up the others
        logger.warning("Message %s could not be sent: %s", message.pk, type(error).__name__)
        if message.attempts >= MAX_ATTEMPTS:
            _give_up(realm, message, type(error).__name__)
        else:
            with transaction.atomic():
                Message.objects.filter(pk=message.pk).update(
                    not_before=clock.now() + wait_before(message.attempts), last_error=type(error).__name__
                )
        return False
    with transaction.atomic():
        _finish(message, MessageStatus.SENT)
    return True


def _claim(pk: UUID) -> Message | None:
    now = clock.now()
    free = models.Q(not_before=None) | models.Q(not_before__lte=now)
    with transaction.atomic():
        won = Message.objects.filter(free, pk=pk, status=MessageStatus.QUEUED).update(
            not_before=now + CLAIM, attempts=models.F("attempts") + 1
        )
        return Message.objects.filter(pk=pk).first() if won else None


def _finish(message: Message, status: MessageStatus, error: str = "") -> None:
    """The last state: what the message said, and to whom, is forgotten."""
    with transaction.atomic():
        Message.objects.filter(pk=message.pk).update(
            status=status,
            to_sealed=b"",
            context_sealed=b"",
            sent_at=clock.now() if status == MessageStatus.SENT else None,
            last_error=error[:200],
        )


def _give_up(realm: Realm, message: Message, reason: str) -> None:
    with transaction.atomic():
        _finish(message, MessageStatus.FAILED, reason)
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


def _seal(realm_id: UUID, pk: UUID, field: str, text: str) -> bytes:
    return seal(text.encode(), realm_id=realm_id, table=TABLE, pk=pk, field=field)


def _unseal(realm: Realm, message: Message, field: str, box: bytes | memoryview) -> str:
    return unseal(bytes(box), realm_id=realm.pk, table=TABLE, pk=message.pk, field=field).decode()
