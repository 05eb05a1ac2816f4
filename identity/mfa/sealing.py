"""Secrets of authenticator apps at rest, bound to realm and person: allauth's hooks with our AEAD."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from allauth.mfa.adapter import DefaultMFAAdapter

from identity.kernel.context import NoRealm, current_realm_id
from identity.kernel.crypto import SealBroken, seal, unseal

_TABLE = "mfa_authenticator"
_FIELD = "secret"
_person: ContextVar[UUID | None] = ContextVar("sealing_person", default=None)


@contextmanager
def sealing_for(user_id: UUID) -> Iterator[None]:
    """Whose secrets are sealed and opened in the block: allauth's hooks get the text alone."""
    token = _person.set(user_id)
    try:
        yield
    finally:
        _person.reset(token)


def seal_secret(text: str, *, user_id: UUID) -> str:
    """A secret as base64 text for a JSON column. Moved to another person or realm it doesn't open (DP-02)."""
    box = seal(text.encode(), realm_id=_realm_id(), table=_TABLE, pk=user_id, field=_FIELD)
    return base64.b64encode(box).decode()


def open_secret(text: str, *, user_id: UUID) -> str:
    """The secret. Raises SealBroken."""
    try:
        box = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise SealBroken from error
    return unseal(box, realm_id=_realm_id(), table=_TABLE, pk=user_id, field=_FIELD).decode()


def _realm_id() -> UUID:
    realm_id = current_realm_id()
    if realm_id is None:
        raise NoRealm("A factor's secret was asked without a realm.")
    return realm_id


class RealmMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth.mfa's hooks: secrets are sealed; mails are our commands'."""

    def encrypt(self, text: str) -> str:
        """Sealed for the person of `sealing_for`. Raises LookupError outside of it, so nothing is stored in clear."""
        return seal_secret(text, user_id=self._user_id())

    def decrypt(self, encrypted_text: str) -> str:
        """Raises SealBroken."""
        return open_secret(encrypted_text, user_id=self._user_id())

    @staticmethod
    def _user_id() -> UUID:
        user_id = _person.get()
        if user_id is None:
            raise LookupError("A factor's secret was used outside sealing_for().")
        return user_id

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Commands queue these notices themselves, whichever edge they are called from."""
