"""The realm of the moment. No model is imported here: settings-time code reads it before apps are loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol
from uuid import UUID


class RealmLike(Protocol):
    """What the kernel needs to know of a realm; `identity.realms.models.Realm` satisfies it."""

    pk: UUID
    slug: str
    host: str | None
    settings: dict[str, Any]

    def setting(self, name: str) -> Any:
        """The value of a setting in force."""


class NoRealm(RuntimeError):
    """A realm-owned table was asked while no realm was set: fail closed instead of answering for all realms."""


class WrongRealm(RuntimeError):
    """A row of one realm was about to be written while another realm was set."""


_realm: ContextVar[RealmLike | None] = ContextVar("realm", default=None)


def current_realm() -> RealmLike | None:
    """The realm that code runs in, or None outside any realm."""
    return _realm.get()


def current_realm_id() -> UUID | None:
    """Field default of each realm key. Returns None instead of raising, since forms and checks build empty rows."""
    realm = _realm.get()
    return None if realm is None else realm.pk


@contextmanager
def realm_scope(realm: RealmLike) -> Iterator[None]:
    """Run the block inside `realm`; the previous realm (or none) is back afterwards, also after an error."""
    token = _realm.set(realm)
    try:
        yield
    finally:
        _realm.reset(token)


@contextmanager
def no_realm() -> Iterator[None]:
    """Run the block outside any realm, so that a forgotten scope fails instead of answering for the last realm."""
    token = _realm.set(None)
    try:
        yield
    finally:
        _realm.reset(token)
