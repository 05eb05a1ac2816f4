"""Public ids in addresses: `usr_…` to the UUID that queries take."""

from uuid import UUID

from identity.kernel.errors import NotFound
from identity.kernel.ids import parse_public_id


def id_from(kind: str, text: str) -> UUID:
    """The id that an address names. Raises NotFound: a malformed id and an unknown one look the same (TI-02)."""
    value = parse_public_id(kind, text)
    if value is None:
        raise NotFound
    return value


def ids_from(kind: str, texts: list[str]) -> list[UUID]:
    """The selection of a bulk action, each once, in order. Raises NotFound when one is malformed: all or nothing."""
    return list(dict.fromkeys(id_from(kind, text) for text in texts))
