"""Where an address is, roughly: the country by data that comes along, or more by a database that the setting names.

A guess from the network: good enough to notice what is unlike a person, never to prove where somebody is. Nothing
leaves the server for it.
"""

import ipaddress
import json
import math
import struct
import sys
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.translation import get_language

Point = tuple[float, float]
"""Latitude and longitude in degrees."""

EARTH_RADIUS = 6371.0
COUNTRY_SLACK = 800.0
"""Kilometers by which a country's nearest point may be off: its places are a few cities, not its borders."""
CITY_SLACK = 200.0
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Place:
    """A rough guess. Everything is empty where nothing is known; `point` only where the database says one."""

    country: str = ""
    city: str = ""
    point: Point | None = None


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class _Networks:
    """Sorted beginnings of ranges, and for each the number of its country."""

    names: tuple[str, ...]
    v4: "array[int]"
    v4_countries: bytes
    v6: "array[int]"
    v6_countries: bytes


@lru_cache(maxsize=1)
def _networks() -> _Networks:
    """The data that comes along (bin/countries.py), read once in a process."""
    data = (_HERE / "countries.bin").read_bytes()
    _mark, names, v4, v6 = struct.unpack_from(">4sHII", data)
    at = struct.calcsize(">4sHII")
    words = tuple(data[at + 2 * i : at + 2 * i + 2].decode().strip() for i in range(names))
    at += 2 * names
    four = array("I", data[at : at + 4 * v4])
    if sys.byteorder == "little":
        four.byteswap()
    at += 4 * v4
    four_countries = data[at : at + v4]
    at += v4
    six = array("Q", (int.from_bytes(data[i : i + 6], "big") for i in range(at, at + 6 * v6, 6)))
    return _Networks(words, four, four_countries, six, data[at + 6 * v6 : at + 7 * v6])


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((_HERE / "countries.json").read_text(encoding="utf-8"))
    return data


@lru_cache(maxsize=4)
def _database(path: str) -> maxminddb.Reader:
    return maxminddb.open_database(path)


@lru_cache(maxsize=4096)
def _place(text: str, database: str) -> Place:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return NOWHERE
    if not address.is_global:
        return NOWHERE
    if database:
        return _place_of_record(_database(database).get(address))
    data = _networks()
    number = int(address)
    if address.version == 4:
        return Place(data.names[data.v4_countries[bisect_right(data.v4, number) - 1]])
    return Place(data.names[data.v6_countries[bisect_right(data.v6, number >> 80) - 1]])


def _place_of_record(record: Any) -> Place:
    """GeoLite2, GeoIP2 and DB-IP nest `country.iso_code`; others of the format have `country` or `country_code`."""
    if not isinstance(record, dict):
        return NOWHERE
    named = record.get("country")
    code = named.get("iso_code") if isinstance(named, dict) else named or record.get("country_code")
    city = record.get("city")
    city = (city.get("names") or {}).get("en", "") if isinstance(city, dict) else city
    where = record.get("location") or {}
    latitude, longitude = where.get("latitude"), where.get("longitude")
    point = None
    if isinstance(latitude, float | int) and isinstance(longitude, float | int):
        point = (float(latitude), float(longitude))
    return Place(
        country=code.upper() if isinstance(code, str) and len(code) == 2 else "",
        city="".join(char for char in city if char.isprintable())[:80] if isinstance(city, str) else "",
        point=point,
    )


def place_of(ip: str) -> Place:
    """Where an address is; NOWHERE for private, reserved and unknown ones, and for what is no address."""
    return _place(ip, settings.REALMKEEP_GEO_DATABASE) if ip else NOWHERE


def country_name(code: str) -> str:
    """What a country is called in the language of the moment, else in English; empty for one that nobody knows."""
    names = _words()["names"]
    spoken = (get_language() or "en").replace("-", "_")
    for language in (spoken, spoken.partition("_")[0], "en"):
        if name := names.get(language, {}).get(code):
            return str(name)
    return ""


def kilometers(one: Point, other: Point) -> float:
    """The shortest way over the globe."""
    lat1, lon1, lat2, lon2 = (math.radians(each) for each in (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(half)))


def least_distance(one: Place, other: Place) -> float:
    """Kilometers that lie between two places at least: a lower bound, 0 where nothing is known.

    Between points less the error of a city; else between the countries' nearest known points, less that of a country.
    """
    if one.point is not None and other.point is not None:
        return max(0.0, kilometers(one.point, other.point) - CITY_SLACK)
    if not one.country or not other.country or one.country == other.country:
        return 0.0
    points = _words()["points"]
    ways = [kilometers(tuple(a), tuple(b)) for a in points.get(one.country, ()) for b in points.get(other.country, ())]
    return max(0.0, min(ways, default=0.0) - COUNTRY_SLACK)


@register("realmkeep")
def check_database(**_: Any) -> list[CheckMessage]:
    """Fails the start when the database that the setting names can't be read: sign-ins would fail one by one."""
    path = settings.REALMKEEP_GEO_DATABASE
    if not path:
        return []
    try:
        _database(path)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        return [Error(f"REALMKEEP_GEO_DATABASE can't be read: {error}.", id="realmkeep.E010")]
    return []
