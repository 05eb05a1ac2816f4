"""A signed note that goes along in a form between two steps of coming in: nothing is kept for who never comes back."""

from dataclasses import dataclass
from uuid import UUID

from django.core import signing

from identity.accounts.commands.codes import LIFETIME
from identity.realms.models import Realm

MOST = 2000


@dataclass(frozen=True, slots=True)
class Note:
    """Which name was typed, and which code was made for it."""

    login: str
    code_id: UUID


def _salt(realm: Realm) -> str:
    return f"identity.signin.note.{realm.pk}"


def write_note(realm: Realm, note: Note) -> str:
    """The note as text. Another realm can't read it as its own."""
    return signing.dumps([note.login, note.code_id.hex], salt=_salt(realm))


def read_note(realm: Realm, text: str) -> Note | None:
    """The note, while its code could still work; None for anything else."""
    if not text or len(text) > MOST:
        return None
    try:
        login, code_id = signing.loads(text, salt=_salt(realm), max_age=LIFETIME)
        return Note(str(login), UUID(code_id))
    except (signing.BadSignature, ValueError, TypeError):
        return None
