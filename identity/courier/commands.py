"""Queueing messages in the caller's transaction, and sending what is due from the worker."""

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from identity.courier import providers
from identity.courier.models import Channel, Message, MessageStatus
from identity.courier.rendering import render
from identity.courier.rules import checked_address, wait_after
from identity.kernel import clock
from identity.kernel.context import RealmLike, realm_scope
from identity.kernel.crypto import seal, unseal
from identity.kernel.ids import uuid7
from identity.realms.models import Realm

logger = logging.getLogger(__name__)

TABLE = Message._meta.db_table
MAX_ATTEMPTS = 10
LEASE = timedelta(minutes=2)


def queue_message(
    realm: RealmLike,
    *,
    to: str,
    template: str,
    context: Mapping[str, Any],
    user_id: UUID | None = None,
    channel: str = Channel.EMAIL,
    language: str | None = None,
    expires_at: datetime | None = None,
) -> Message:
    """Queue a message in the caller's transaction: it is sent if and only if that commits (DECISIONS 21).

    template: a folder of templates/email (or templates/sms). context: JSON values; codes and links in it are sealed.
    expires_at: when what stands in it ends, so that it is never sent after that. Raises Invalid (field to) for an
    address that could smuggle headers (IN-08), RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A message is queued inside the transaction of what it tells about.")
    pk = uuid7()
    to = checked_address(to, channel)
    message = Message(
        id=pk,
        channel=channel,
        template=template,
        language=language or str(realm.settings.get("language", "en")),
        user_id=user_id,
        to_sealed=seal(to.encode(), realm_id=realm.pk, table=TABLE, pk=pk, field="to"),
        context_sealed=seal(
            json.dumps(dict(context), default=str).encode(), realm_id=realm.pk, table=TABLE, pk=pk, field="context"
        ),
        created_at=clock.now(),
        expires_at=expires_at,
    )
    message.save(force_insert=True)
    return message


def open_message(message: Message) -> tuple[str, dict[str, Any]]:
    """Address and context of a message. Raises SealBroken."""
    place = {"realm_id": message.realm_id, "table": TABLE, "pk": message.pk}
    to = unseal(message.to_sealed, **place, field="to").decode()
    context: dict[str, Any] = json.loads(unseal(message.context_sealed, **place, field="context"))
    return to, context


def deliver_due(limit: int = 50) -> int:
    """Send up to `limit` due messages of all realms, oldest first. Returns how many went out. For the worker.

    A message is leased for two minutes before it is handed over, so that a second worker leaves it alone and one that
    a killed worker held is tried again. At least once: a mail may arrive twice after a crash, never be lost.
    """
    due = models.Q(not_before=None) | models.Q(not_before__lte=clock.now())
    found = list(
        Message.all_realms.filter(due, status=MessageStatus.QUEUED).order_by("id").values_list("pk", "realm_id")[:limit]
    )
    realms = Realm.objects.in_bulk({realm_id for _, realm_id in found})
    sent = 0
    for pk, realm_id in found:
        with realm_scope(realms[realm_id]):
            sent += _deliver(realms[realm_id], pk)
    return sent


def _leased(pk: UUID) -> Message | None:
    now = clock.now()
    with transaction.atomic():
        rows = Message.objects.filter(
            models.Q(not_before=None) | models.Q(not_before__lte=now), pk=pk, status=MessageStatus.QUEUED
        )
        if not rows.update(not_before=now + LEASE, attempts=models.F("attempts") + 1):
            return None
        message = Message.objects.get(pk=pk)
        if message.expires_at is not None and message.expires_at <= now:
            message.status = MessageStatus.EXPIRED
            message.save(update_fields=["status"])
            return None
        return message


def _deliver(realm: Realm, pk: UUID) -> bool:
    message = _leased(pk)
    if message is None:
        return False
    try:
        to, context = open_message(message)
        providers.send(realm, message, to, render(realm, message, context))
    except Exception as error:  # noqa: BLE001 - see below
        # Whatever a template, a provider or the network throws: the message stays, with the reason, for the next try.
        logger.warning("The message %s could not be sent: %s", message.pk, type(error).__name__)
        _postpone(message, error)
        return False
    with transaction.atomic():
        Message.objects.filter(pk=message.pk).update(
            status=MessageStatus.SENT, sent_at=clock.now(), not_before=None, last_error=""
        )
    return True


def _postpone(message: Message, error: Exception) -> None:
    values: dict[str, Any] = {"last_error": type(error).__name__}
    if message.attempts >= MAX_ATTEMPTS:
        values |= {"status": MessageStatus.FAILED, "not_before": None}
    else:
        values["not_before"] = clock.now() + wait_after(message.attempts)
    with transaction.atomic():
        Message.objects.filter(pk=message.pk).update(**values)
