"""Writes of messages, their budgets and their providers."""

from identity.courier.commands.delivery import deliver_due
from identity.courier.commands.feedback import note_code_used
from identity.courier.commands.queueing import queue_message
from identity.courier.commands.sms_providers import (
    change_sms_provider,
    check_sms_provider,
    create_sms_provider,
    delete_sms_provider,
    reorder_sms_providers,
)

__all__ = [
    "change_sms_provider",
    "check_sms_provider",
    "create_sms_provider",
    "delete_sms_provider",
    "deliver_due",
    "note_code_used",
    "queue_message",
    "reorder_sms_providers",
]
