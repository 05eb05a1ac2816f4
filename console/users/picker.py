"""Choosing a person in a dialog: a search of at most eight people that the actor may see."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _

from identity.accounts.models import User
from identity.accounts.queries import find_users
from identity.kernel.actor import Actor
from identity.kernel.ids import public_id

LIMIT = 8
TARGET = "matches"
"""The id of the region that the search swaps."""


@dataclass(frozen=True, slots=True)
class Match:
    """One person to choose; `taken` says why he can't be chosen."""

    user: User
    public_id: str
    meta: str
    taken: str = ""


def matches(actor: Actor, term: str, *, among: Callable[[list[UUID]], Collection[UUID]], taken: str) -> list[Match]:
    """People found under `term`, newest first without one. Those that `among` names are shown and can't be chosen."""
    return matches_of(list(find_users(actor, search=term[:200])[:LIMIT]), among=among, taken=taken)


def matches_of(found: list[User], *, among: Callable[[list[UUID]], Collection[UUID]], taken: str) -> list[Match]:
    """These people to choose from."""
    already = among([user.pk for user in found])
    return [
        Match(user, public_id("user", user.pk), meta_of(user), taken if user.pk in already else "") for user in found
    ]


def meta_of(user: User) -> str:
    """What tells apart two people of one name."""
    return user.email or user.username or user.phone or _("no identifier")


def asks_for_matches(request: HttpRequest) -> bool:
    """Whether htmx wants only the found people."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx) and htmx is not None and htmx.target == TARGET
