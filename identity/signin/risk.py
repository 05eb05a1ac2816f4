"""Pure rules of risk: which sign-ins are unlike their person, and what is done about them.

Signals are coarse on purpose: what browser and system a device claims, and the country or point of its network. A
cookie that was copied to another system is not that device; one that was lost in the same browser, system and network
is no new device either.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from identity.kernel.agents import Agent
from identity.kernel.places import Place, least_distance

FASTEST = 1000.0
"""Kilometers an hour: nobody travels faster, from door to door."""
LOOKS_ALIKE = timedelta(days=60)
"""How long a device that has lost its cookie is still taken for itself, in the same network."""
REVIEW_LIFETIME = timedelta(days=7)
"""How long the question "was this you?" can be answered by its link."""


class Reason(StrEnum):
    """Why a sign-in is unlike its person. Values are stored and part of events: they never change."""

    NEW_DEVICE = "new_device"
    NEW_COUNTRY = "new_country"
    IMPOSSIBLE_TRAVEL = "impossible_travel"
    DENIED_DEVICE = "denied_device"


@dataclass(frozen=True, slots=True)
class Seen:
    """A device that the person signed in on before. `is_known`: nobody doubts it."""

    agent: Agent
    network: str
    place: Place
    at: datetime
    is_known: bool = True
    is_denied: bool = False


@dataclass(frozen=True, slots=True)
class Coming:
    """The sign-in that is looked at. `device`: the one that its cookie names; None without a cookie."""

    agent: Agent
    network: str
    place: Place
    at: datetime
    device: Seen | None = None


def is_same(device: Seen | None, coming: Coming) -> bool:
    """Whether a cookie is where it was given: in the same browser on the same system.

    Stops a copied cookie from making a stranger's computer a known device.
    """
    if device is None:
        return False
    return (device.agent.browser, device.agent.system) == (coming.agent.browser, coming.agent.system)


def _looks_alike(seen: Seen, coming: Coming) -> bool:
    return (
        seen.is_known
        and bool(coming.network)
        and seen.network == coming.network
        and is_same(seen, coming)
        and coming.at - seen.at < LOOKS_ALIKE
    )


def is_new_device(coming: Coming, before: Sequence[Seen]) -> bool:
    """Whether the person has never been seen on this device, or nobody has said yet that it is his."""
    if is_same(coming.device, coming) and coming.device is not None and coming.device.is_known:
        return False
    return not any(_looks_alike(seen, coming) for seen in before)


def judge(coming: Coming, before: Sequence[Seen], *, was_there: bool = False) -> tuple[Reason, ...]:
    """What is unlike the person; nothing for somebody's first device, since there is nothing to compare with.

    before: his devices, the last used first. was_there: he was signed in from this country before.
    """
    if coming.device is not None and coming.device.is_denied:
        return (Reason.DENIED_DEVICE,)
    known = [seen for seen in before if seen.is_known]
    if not known:
        return ()
    found = []
    if is_new_device(coming, before):
        found.append(Reason.NEW_DEVICE)
    if is_new_country(coming, known) and not was_there:
        found.append(Reason.NEW_COUNTRY)
    if is_impossible(known[0], coming):
        found.append(Reason.IMPOSSIBLE_TRAVEL)
    return tuple(found)


def is_new_country(coming: Coming, known: Sequence[Seen]) -> bool:
    """Whether none of the known devices was last in this country. Nothing new where nothing is known."""
    countries = {seen.place.country for seen in known} - {""}
    return bool(coming.place.country) and bool(countries) and coming.place.country not in countries


def is_impossible(last: Seen, coming: Coming) -> bool:
    """Whether nobody gets from the last known place to this one in the time between."""
    if last.network and last.network == coming.network:
        return False
    hours = max(0.0, (coming.at - last.at).total_seconds() / 3600)
    return least_distance(last.place, coming.place) > FASTEST * hours


def is_suspicious(reasons: Collection[str]) -> bool:
    """Whether this is more than a new computer or a journey: what a realm can have held until it is confirmed."""
    if Reason.DENIED_DEVICE in reasons or Reason.IMPOSSIBLE_TRAVEL in reasons:
        return True
    return Reason.NEW_DEVICE in reasons and Reason.NEW_COUNTRY in reasons


def is_told(reasons: Collection[str], *, new_device: bool, places: bool, suspicious: str) -> bool:
    """Whether the person is asked "was this you?", under the realm's settings of the same names."""
    if suspicious != "off" and is_suspicious(reasons):
        return True
    if new_device and Reason.NEW_DEVICE in reasons:
        return True
    return places and bool({Reason.NEW_COUNTRY, Reason.IMPOSSIBLE_TRAVEL} & set(reasons))
