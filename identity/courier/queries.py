"""Reads of messages: how many wait, the log, the day's budgets, providers; in development what was written to files."""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from identity.courier.models import Channel, Message, MessageStatus, SmsProvider
from identity.courier.providers import Account, outbox_folder
from identity.courier.rules import MESSAGE_KEPT
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import SealBroken, unseal
from identity.kernel.errors import NotFound
from identity.kernel.ids import uuid7_floor
from identity.kernel.permissions import Permission
from identity.kernel.tenancy import realm_id_of
from identity.realms.models import Realm

logger = logging.getLogger(__name__)

SECRETS_TABLE = "identity_smsprovider"
SECRETS_FIELD = "secrets"
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


# --- short messages -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TestResult:
    """How far a test message came: `sent`, or the word of the log for why not. Nothing of what the other side said."""

    __test__ = False

    result: str
    reference: str = ""
    over_budget: bool = False

    @property
    def was_sent(self) -> bool:
        """Whether the provider took it."""
        return self.result == "sent"


@dataclass(frozen=True, slots=True)
class Spend:
    """Short messages of today (UTC) that were sent or wait, and those that a budget refused."""

    sent: int
    refused: int
    failed: int
    prefixes: list[tuple[str, int, int]]
    """Range of numbers, how many, and how many refused; the most first."""


def find_sms_providers(actor: Actor) -> list[SmsProvider]:
    """All of the realm, in the order in which they are tried. Raises PermissionDenied."""
    actor.require(Permission.SETTINGS_READ)
    return list(SmsProvider.objects.order_by("position", "id"))


def get_sms_provider(actor: Actor, *, provider_id: UUID) -> SmsProvider:
    """One of them. Raises PermissionDenied, NotFound."""
    actor.require(Permission.SETTINGS_READ)
    provider = SmsProvider.objects.filter(pk=provider_id).first()
    if provider is None:
        raise NotFound
    return provider


def secrets_of(provider: SmsProvider) -> Mapping[str, str]:
    """A provider's secrets, opened. For sending and for replacing a part of them. Raises SealBroken."""
    if provider.secrets_sealed is None:
        return {}
    box = unseal(
        provider.secrets_sealed,
        realm_id=realm_id_of(provider),
        table=SECRETS_TABLE,
        pk=provider.pk,
        field=SECRETS_FIELD,
    )
    secrets: dict[str, str] = json.loads(box)
    return secrets


def account_of(provider: SmsProvider) -> Account:
    """What sending needs of a provider. Raises SealBroken."""
    return Account(provider.pk, provider.name, provider.kind, provider.settings, secrets_of(provider))


def accounts_of(realm: Realm) -> list[Account]:
    """The enabled providers of a realm in their order, ready to send. For the worker.

    One whose secrets don't open (a master key that is gone) is left out: the others go on.
    """
    found = []
    for row in SmsProvider.objects.filter(realm_id=realm.pk, enabled=True).order_by("position", "id"):
        try:
            found.append(account_of(row))
        except SealBroken:
            logger.error("The secrets of text message provider %s do not open.", row.pk)
    return found


def find_messages(actor: Actor, *, channel: str = Channel.SMS, status: str = "") -> QuerySet[Message]:
    """The log of messages, newest first: no number and no text, a hint and what came of it. Raises PermissionDenied."""
    actor.require(Permission.SETTINGS_READ)
    rows = Message.objects.filter(channel=channel).order_by("-id")
    return rows.filter(status=status) if status else rows


def spend_today(actor: Actor) -> Spend:
    """What went out today, by range of numbers. Raises PermissionDenied."""
    actor.require(Permission.SETTINGS_READ)
    rows = Message.objects.filter(channel=Channel.SMS, pk__gte=uuid7_floor(day_start()))
    by_prefix = (
        rows.order_by()
        .values_list("prefix")
        .annotate(
            taken=Count("pk", filter=~Q(status=MessageStatus.REFUSED)),
            refused=Count("pk", filter=Q(status=MessageStatus.REFUSED)),
        )
        .order_by("-taken", "-refused", "prefix")
    )
    prefixes = [(prefix, taken, refused) for prefix, taken, refused in by_prefix]
    return Spend(
        sent=sum(taken for _prefix, taken, _refused in prefixes),
        refused=sum(refused for _prefix, _taken, refused in prefixes),
        failed=rows.filter(status=MessageStatus.FAILED).count(),
        prefixes=prefixes,
    )


def day_start() -> datetime:
    """When the day of the budgets began."""
    return clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def day_end() -> datetime:
    """When the budgets begin anew."""
    return day_start() + timedelta(days=1)


def sms_methods_on(realm: Realm) -> list[str]:
    """The settings by which people of the realm need short messages."""
    out = [name for name in ("phone_sign_in", "sms_code_sign_in") if realm.setting(name)]
    if "phone" in realm.setting("sign_up_identifiers"):
        out.append("sign_up_identifiers")
    if realm.setting("second_factor") != "off" and "sms" in realm.setting("second_factor_methods"):
        out.append("second_factor_methods")
    return out


def messages_to_purge(now: datetime) -> QuerySet[Message]:
    """Messages of long ago, sent or not: what still waits then is no news. And those whose code or link ended."""
    before = now - MESSAGE_KEPT
    return Message.objects.filter(Q(created_at__lte=before) | Q(expires_at__lte=before))
