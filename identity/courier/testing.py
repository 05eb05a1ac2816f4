"""What tests ask of the outbox: deliver, then read what a person would have got."""

from identity.courier.commands import deliver_due
from identity.courier.queries import OutboxMessage, outbox_messages
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.realms.models import Realm


def mails(realm: Realm) -> list[OutboxMessage]:
    """Everything that is due is delivered; the realm's mails, oldest first."""
    while deliver_due():
        pass
    with realm_scope(realm):
        return outbox_messages(system_actor(realm.pk))[::-1]


def path_of(link: str) -> str:
    """The path of a link in a mail, as the test client wants it."""
    return "/" + link.split("/", 3)[3]
