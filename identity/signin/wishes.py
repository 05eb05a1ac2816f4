"""What somebody wants an account with, carried by his own browser from page to page: sealed, and kept nowhere here.

Whoever never types the code leaves nothing behind, and no name is taken by somebody who proved nothing.
"""

import base64
import binascii
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID

from identity.accounts.commands.codes import LIFETIME
from identity.accounts.rules import Identifier
from identity.kernel import clock
from identity.kernel.crypto import SealBroken, seal, unseal
from identity.kernel.ids import uuid7
from identity.realms.models import Realm

MOST = 16_000
_TABLE = "sign_up"
_FIELD = "wish"


@dataclass(frozen=True, slots=True)
class SignUpWish:
    """The checked answers of the form. `encoded`: the password's hash, never the password."""

    email: str = ""
    phone: str = ""
    username: str = ""
    name: str = ""
    language: str = ""
    encoded: str = ""
    passkey: bool = False
    terms_version: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    next_url: str = ""
    proves: str = ""
    """Which of them is proven first (an Identifier); empty: none."""
    code_id: str = ""
    proven: bool = False
    ends: float = 0
    """When it is too late for what was proven, however often its page is asked for again."""
    provider: str = ""
    """The alias of the identity provider that the person came through; a wish of one way is none of another."""
    password_later: bool = False
    """Whether a password is chosen once the code has proven the number; until then `encoded` is empty."""
    user_id: str = ""
    """The id that the account will have: a passkey is bound to it before there is one."""

    @property
    def address(self) -> str:
        """Where the code goes."""
        return self.phone if self.proves == Identifier.PHONE else self.email

    @property
    def by_phone(self) -> bool:
        """Whether the code goes by text message."""
        return self.proves == Identifier.PHONE

    def waiting_for(self, code_id: UUID) -> "SignUpWish":
        """The same, while this code is on its way."""
        return replace(self, code_id=code_id.hex, proven=False, ends=0)

    def now_proven(self) -> "SignUpWish":
        """The same, after the code was typed."""
        return replace(self, proven=True, ends=_later())

    @property
    def lacks_password(self) -> bool:
        """Whether its password is still to be chosen."""
        return self.password_later and not self.encoded


def _later() -> float:
    return (clock.now() + LIFETIME).timestamp()


def write_wish(realm: Realm, wish: SignUpWish) -> str:
    """The wish as text that only this realm reads, and nobody changes."""
    pk = uuid7()
    said = json.dumps([wish.ends or _later(), asdict(wish)])
    box = seal(said.encode(), realm_id=realm.pk, table=_TABLE, pk=pk, field=_FIELD)
    return base64.urlsafe_b64encode(pk.bytes + box).decode()


def read_wish(realm: Realm, text: str) -> SignUpWish | None:
    """The wish, while its code could still work; None for one that is forged, old or another realm's."""
    if not text or len(text) > MOST:
        return None
    try:
        raw = base64.urlsafe_b64decode(text)
        said = unseal(raw[16:], realm_id=realm.pk, table=_TABLE, pk=UUID(bytes=raw[:16]), field=_FIELD)
        ends, values = json.loads(said)
        return SignUpWish(**values) if clock.now().timestamp() < ends else None
    except (SealBroken, binascii.Error, ValueError, TypeError):
        return None
