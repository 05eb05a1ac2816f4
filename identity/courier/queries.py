"""Reads of messages: how many wait, and in development what was written instead of sent."""

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime

from django.conf import settings
from django.db.models import Q, QuerySet

from identity.courier.models import Message, MessageStatus
from identity.courier.providers import outbox_folder
from identity.courier.rules import MESSAGE_KEPT
from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.realms.models import Realm

_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One message that development wrote to a file; `links` are the addresses in it, to click."""

    id: str
    channel: str
    to: str
    subject: str
    text: str
    html: str
    sent_at: datetime
    links: tuple[str, ...]


def outbox_messages(actor: Actor, *, limit: int = 100) -> list[OutboxMessage]:
    """The realm's latest messages, newest first. Only in development: they hold the links that open accounts.

    So reading is not enough: an auditor, or a help desk, would choose somebody's password with the link in his reset
    mail. It is for those who run the realm and may send such links themselves.

    Raises NotFound elsewhere, PermissionDenied.
    """
    realm = Realm.objects.filter(pk=actor.realm_id).first()
    if not settings.REALMKEEP_DEVELOPMENT or realm is None:
        raise NotFound
    actor.require(Permission.SETTINGS_WRITE)
    actor.require(Permission.USERS_WRITE)
    files = sorted(outbox_folder(realm).glob("[!.]*"), reverse=True)[:limit]
    return [_read(file.stem, file.suffix, file.read_bytes()) for file in files]


def _read(name: str, suffix: str, raw: bytes) -> OutboxMessage:
    parsed = message_from_bytes(raw, policy=default)
    assert isinstance(parsed, EmailMessage)  # noqa: S101 - the policy says so; for the type checker
    plain, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    text = str(plain.get_content()) if plain is not None else ""
    return OutboxMessage(
        id=name,
        channel="sms" if suffix == ".sms" else "email",
        to=str(parsed["To"]),
        subject=str(parsed["Subject"] or ""),
        text=text,
        html=str(html.get_content()) if html is not None else "",
        sent_at=parsedate_to_datetime(str(parsed["Date"])),
        links=tuple(_LINK.findall(text)),
    )


def count_waiting(actor: Actor) -> int:
    """How many messages of the realm wait to be sent. Raises PermissionDenied."""
    actor.require(Permission.SETTINGS_READ)
    return Message.objects.filter(status=MessageStatus.QUEUED).count()


def messages_to_purge(now: datetime) -> QuerySet[Message]:
    """Messages that came to an end long ago, and those whose code or link ended before they could be sent."""
    before = now - MESSAGE_KEPT
    over = ~Q(status=MessageStatus.QUEUED) & Q(created_at__lte=before)
    return Message.objects.filter(over | Q(expires_at__lte=before))
