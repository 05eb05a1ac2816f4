"""Telling Twilio Verify that a code of ours was typed in rightly, which it asks of whoever brings his own codes."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from identity.courier.commands.queueing import NUMBER_LABEL, queue_message
from identity.courier.models import Channel, Message, MessageStatus, SmsProvider, SmsProviderKind
from identity.courier.providers import Undeliverable
from identity.courier.providers.twilio import report_used
from identity.courier.queries import accounts_of
from identity.kernel import clock
from identity.kernel.crypto import keyed_hashes
from identity.realms.models import Realm

CODE_USED = "sms_code_used"
LATEST = timedelta(minutes=15)


@transaction.atomic
def note_code_used(realm: Realm, *, to: str) -> None:  # house: HR03 whoever took the code says what it was for
    """A code that was sent to this number was used. Nothing happens unless Twilio Verify had carried it."""
    if not SmsProvider.objects.filter(kind=SmsProviderKind.TWILIO_VERIFY, enabled=True).exists():
        return
    message = (
        Message.objects.filter(
            to_hash__in=keyed_hashes(NUMBER_LABEL, realm.pk, to),
            status=MessageStatus.SENT,
            sent_at__gte=clock.now() - LATEST,
        )
        .order_by("-id")
        .first()
    )
    if message is not None and message.reference.startswith("VE"):
        queue_message(
            realm,
            to=to,
            template=CODE_USED,
            context={"message_id": str(message.pk)},
            channel=Channel.LATE,
            expires_at=clock.now() + LATEST,
        )


def answer_code_used(realm: Realm, *, message_id: str) -> None:  # house: HR03 as above
    """In the worker: tell Verify. Raises NotTaken when it is away, so that it is told later."""
    message = Message.objects.filter(pk=UUID(message_id)).first()
    if message is None or not message.tries:
        return
    for account in accounts_of(realm):
        if account.kind == SmsProviderKind.TWILIO_VERIFY and account.name == message.tries[-1]["provider"]:
            try:
                report_used(account, message.reference)
            except Undeliverable:
                return
