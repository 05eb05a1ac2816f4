"""The sealed fields of a message."""

from uuid import UUID

from identity.courier.models import Message
from identity.kernel.crypto import seal, unseal
from identity.realms.models import Realm

TABLE = "identity_message"


def seal_text(realm_id: UUID, pk: UUID, field: str, text: str) -> bytes:  # house: HR03 writes nothing
    """A text as the box of one field."""
    return seal(text.encode(), realm_id=realm_id, table=TABLE, pk=pk, field=field)


def open_text(realm: Realm, message: Message, field: str, box: bytes | memoryview) -> str:  # house: HR03 reads
    """The text of a field. Raises SealBroken."""
    return unseal(bytes(box), realm_id=realm.pk, table=TABLE, pk=message.pk, field=field).decode()
