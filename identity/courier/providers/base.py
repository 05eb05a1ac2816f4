"""What every way out knows: the message on its way, and how a way out says no."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from uuid import UUID

from django.conf import settings

from identity.courier.rendering import Rendered
from identity.courier.rules import one_line
from identity.realms.models import Realm


class Undeliverable(Exception):
    """Refused for good: another try, and another provider, would get the same answer."""


class NotTaken(Exception):
    """This provider did not take it; another one may. `passing`: it may itself, later."""

    def __init__(self, reason: str, *, passing: bool) -> None:
        self.reason, self.passing = reason, passing
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message on its way: to whom, in which realm, and under which id (the same at every try).

    `code` is the one-time code in it, if there is one.
    """

    realm: Realm
    id: UUID
    to: str
    rendered: Rendered
    code: str = field(default="", repr=False)
    language: str = "en"

    @property
    def headers(self) -> dict[str, str]:
        """The id lets a receiver drop what a repeated try doubled; the other keeps absence notes from answering."""
        host = parseaddr(settings.REALMKEEP_MAIL_FROM)[1].rpartition("@")[2] or "localhost"
        return {"Message-ID": f"<{self.id}@{host}>", "Auto-Submitted": "auto-generated"}

    @property
    def sender(self) -> str:
        """The installation's address under the realm's name."""
        address = parseaddr(settings.REALMKEEP_MAIL_FROM)[1]
        return str(Address(one_line(self.realm.name), addr_spec=address))


@dataclass(frozen=True, slots=True)
class Account:
    """A provider's settings with its secrets opened: never kept longer than the one request needs them."""

    id: UUID
    name: str
    kind: str
    settings: Mapping[str, object] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def text(self, name: str) -> str:
        """A setting or secret as text; empty when there is none."""
        return str(self.settings.get(name) or self.secrets.get(name) or "")


Provider = Callable[[Parcel], None]
Carrier = Callable[[Account, Parcel], str]
"""Hands one short message to a provider and returns what that one calls it. Raises NotTaken, Undeliverable."""
