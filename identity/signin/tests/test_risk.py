"""Pure rules of risk, as tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from identity.kernel.agents import Agent
from identity.kernel.places import NOWHERE, Place
from identity.signin.risk import Coming, Reason, Seen, is_suspicious, is_told, judge

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIREFOX, CHROME = Agent("Firefox", "macOS"), Agent("Chrome", "Windows")
HOME = Seen(FIREFOX, "193.99.144.80", Place("DE"), NOW - timedelta(days=1))
HERE = Coming(FIREFOX, "193.99.144.80", Place("DE"), NOW, device=HOME)
D, C, T, X = Reason.NEW_DEVICE, Reason.NEW_COUNTRY, Reason.IMPOSSIBLE_TRAVEL, Reason.DENIED_DEVICE


def elsewhere(**changes):
    return replace(HERE, device=None, agent=CHROME, network="8.8.8.8", **changes)


CASES = {
    "the same device": (HERE, [HOME], ()),
    "the first device of all": (replace(HERE, device=None), [], ()),
    "another device at home": (replace(HERE, device=None, agent=CHROME), [HOME], (D,)),
    "a lost cookie, all else the same": (replace(HERE, device=None), [HOME], ()),
    "a lost cookie in another network": (replace(HERE, device=None, network="5.45.96.1"), [HOME], (D,)),
    "a lost cookie long after": (
        replace(HERE, device=None),
        [replace(HOME, at=NOW - timedelta(days=61))],
        (D,),
    ),
    "a cookie that was copied to another system": (replace(HERE, agent=CHROME), [HOME], (D,)),
    "the same device abroad, after a flight": (replace(HERE, network="8.8.8.8", place=Place("US")), [HOME], (C,)),
    "the same device abroad, after minutes": (
        replace(HERE, network="200.147.3.1", place=Place("BR")),
        [replace(HOME, at=NOW - timedelta(minutes=5))],
        (C, T),
    ),
    "another device abroad": (elsewhere(place=Place("US")), [HOME], (D, C)),
    "another device across the border, after minutes": (
        elsewhere(place=Place("FR")),
        [replace(HOME, at=NOW - timedelta(minutes=5))],
        (D, C),
    ),
    "nobody knows where": (replace(HERE, network="", place=NOWHERE), [HOME], ()),
    "nobody knew where": (
        replace(HERE, place=Place("US"), network="8.8.8.8"),
        [replace(HOME, place=NOWHERE, network="")],
        (),
    ),
    "a device that was denied": (
        replace(HERE, device=replace(HOME, is_known=False, is_denied=True)),
        [HOME],
        (X,),
    ),
    "a device that nobody has confirmed yet": (
        replace(HERE, agent=CHROME, device=replace(HOME, agent=CHROME, is_known=False)),
        [HOME, replace(HOME, agent=CHROME, is_known=False)],
        (D,),
    ),
    "what nobody confirmed is no country of the person": (
        elsewhere(place=Place("US")),
        [replace(HOME, agent=CHROME, place=Place("US"), is_known=False), HOME],
        (D, C),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_unlike_the_person(name):
    coming, before, expected = CASES[name]
    assert judge(coming, before) == expected


def test_a_country_where_he_was_before_is_not_new():
    coming = replace(HERE, network="8.8.8.8", place=Place("US"))
    assert judge(coming, [HOME], was_there=True) == ()


def test_points_decide_inside_one_country():
    berlin, munich = Place("DE", "Berlin", (52.5, 13.4)), Place("DE", "Munich", (48.1, 11.6))
    at = NOW - timedelta(minutes=10)
    assert judge(replace(HERE, network="5.45.96.1", place=munich), [replace(HOME, place=berlin, at=at)]) == (T,)
    later = replace(HOME, place=berlin, at=NOW - timedelta(hours=1))
    assert judge(replace(HERE, network="5.45.96.1", place=munich), [later]) == ()


@pytest.mark.parametrize(
    ("reasons", "suspicious"),
    [((), False), ((D,), False), ((C,), False), ((D, C), True), ((T,), True), ((X,), True), ((D, T), True)],
)
def test_what_is_suspicious(reasons, suspicious):
    assert is_suspicious(reasons) is suspicious


@pytest.mark.parametrize(
    ("reasons", "settings", "told"),
    [
        ((), (True, True, "hold"), False),
        ((D,), (True, False, "off"), True),
        ((D,), (False, True, "hold"), False),
        ((C,), (False, True, "off"), True),
        ((C,), (True, False, "hold"), False),
        ((D, C), (False, False, "off"), False),
        ((D, C), (False, False, "notify"), True),
        ((T,), (False, False, "hold"), True),
        ((X,), (False, False, "notify"), True),
    ],
)
def test_who_is_told(reasons, settings, told):
    new_device, places, suspicious = settings
    assert is_told(reasons, new_device=new_device, places=places, suspicious=suspicious) is told
