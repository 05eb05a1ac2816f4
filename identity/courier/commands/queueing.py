"""Queueing: a message joins its command's transaction; a short one is paid from the day's budgets first."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction

from identity.courier.commands.boxes import seal_text
from identity.courier.commands.spending import refused_by_budget
from identity.courier.models import Channel, Message, MessageStatus
from identity.courier.rendering import language_of
from identity.courier.rules import checked_address
from identity.courier.rules.numbers import hint_of, prefix_of
from identity.kernel import clock, sql
from identity.kernel.context import realm_scope
from identity.kernel.crypto import keyed_hash
from identity.kernel.ids import uuid7
from identity.realms.models import Realm

NUMBER_LABEL = "message-number"


def queue_message(  # house: HR03 the caller's command says what happened; what fails later says so
    realm: Realm,
    *,
    to: str,
    template: str,
    context: dict[str, Any],
    user_id: UUID | None = None,
    channel: str = Channel.EMAIL,
    language: str | None = None,
    expires_at: datetime | None = None,
    requested_from: str = "",
) -> Message:
    """Queue one message in the caller's transaction: it leaves if and only if that commits (DECISIONS 21).

    context: JSON values for the templates of `email/<template>/` (or `sms/<template>.txt`). expires_at: when the link
    or code in it ends; it is never sent after that. requested_from: the address of whoever asked for a short message.
    One that is over a budget is stored as refused and looks like any other to whoever asked (LG-13, LG-23). Raises
    Invalid (to), TransactionManagementError outside `atomic`. Says sms.limit_reached.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("A message is queued inside its command's transaction.")
    pk = uuid7()
    values: dict[str, Any] = {
        "id": pk,
        "realm_id": realm.pk,
        "channel": channel,
        "template": template,
        "language": language_of(realm, language),
        "user_id": user_id,
        "to_sealed": seal_text(realm.pk, pk, "to", to if channel == Channel.LATE else checked_address(to, channel)),
        "context_sealed": seal_text(realm.pk, pk, "context", orjson.dumps(context).decode()),
        "expires_at": expires_at,
        "created_at": clock.now(),
    }
    if channel == Channel.SMS:
        values |= {"hint": hint_of(to), "prefix": prefix_of(to), "to_hash": keyed_hash(NUMBER_LABEL, realm.pk, to)}
        with realm_scope(realm):
            reason = refused_by_budget(realm, number=to, requested_from=requested_from, subject_id=user_id)
        if reason:
            values |= {"status": MessageStatus.REFUSED, "last_error": reason, "to_sealed": b"", "context_sealed": b""}
    sql.take(sql.Step(rows=(sql.Insert(Message, values),)))
    return sql.stored(Message, values)
