"""Reads of messages."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from identity.courier.providers import outbox_folder
from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.realms.models import Realm


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message as the development outbox shows it."""

    id: str
    channel: str
    template: str
    to: str
    subject: str
    text: str
    html: str
    sent_at: datetime


def outbox_messages(actor: Actor, *, limit: int = 100) -> list[SentMessage]:
    """The realm's latest messages, newest first. Only while developing: elsewhere NotFound, since links stand in them.

    Raises NotFound, PermissionDenied.
    """
    if not settings.REALMKEEP_DEVELOPMENT:
        raise NotFound
    actor.require(Permission.SETTINGS_READ)
    realm = Realm.objects.get(pk=actor.realm_id)
    files = sorted(outbox_folder(realm).glob("*.json"), reverse=True)[:limit]
    found = []
    for path in files:
        data = json.loads(path.read_text(encoding="utf-8"))
        found.append(SentMessage(**{**data, "sent_at": datetime.fromisoformat(data["sent_at"])}))
    return found
