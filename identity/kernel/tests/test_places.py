"""Where addresses are: by the data that comes along, and by a database of the operator's."""

import struct

import pytest
from django.utils import translation

from identity.kernel import places
from identity.kernel.places import NOWHERE, Place, country_name, kilometers, least_distance, place_of

KNOWN = [("8.8.8.8", "US"), ("193.99.144.80", "DE"), ("2a02:2e0:3fe:1001::1", "DE"), ("200.147.3.1", "BR")]


@pytest.mark.parametrize(("ip", "country"), KNOWN)
def test_the_country_of_a_public_address_is_known_without_asking_anybody(ip, country):
    assert place_of(ip) == Place(country)


@pytest.mark.parametrize(
    "ip",
    [
        "", "127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.1.1", "100.64.0.1", "::1", "fe80::1", "fd00::1",
        "203.0.113.9", "2001:db8::1", "0.0.0.0", "255.255.255.255", "not an address", "8.8.8", "8.8.8.8.8",
    ],
)  # fmt: skip
def test_private_reserved_and_broken_addresses_are_nowhere(ip):
    assert place_of(ip) == NOWHERE


def test_an_address_that_no_registry_gave_away_is_nowhere():
    assert place_of("240.0.0.1") == NOWHERE


def test_the_ends_of_the_tables_answer():
    data = places._networks()
    assert data.v4[0] == 0
    assert data.v6[0] == 0
    assert list(data.v4) == sorted(set(data.v4))
    assert list(data.v6) == sorted(set(data.v6))
    assert len(data.v4) == len(data.v4_countries)
    assert len(data.v6) == len(data.v6_countries)


def test_every_country_of_the_networks_has_a_name_and_a_point():
    data = places._networks()
    words = places._words()
    for code in filter(None, data.names):
        assert words["names"]["en"].get(code), code
        assert words["points"].get(code), code


def test_countries_are_called_as_the_reader_speaks():
    with translation.override("de"):
        assert country_name("DE") == "Deutschland"
    with translation.override("en-gb"):
        assert country_name("DE") == "Germany"
    with translation.override("fr"):
        assert country_name("DE") == "Germany"
    assert country_name("") == ""
    assert country_name("ZZ") == ""


def test_distances_are_those_of_the_globe():
    assert kilometers((52.5, 13.4), (52.5, 13.4)) == 0
    assert 870 < kilometers((52.52, 13.40), (48.86, 2.35)) < 890
    assert 20000 < kilometers((0, 0), (0, 180)) < 20040


def test_neighbors_may_be_no_way_apart_and_far_countries_never():
    assert least_distance(Place("DE"), Place("FR")) == 0
    assert least_distance(Place("US"), Place("CA")) == 0
    assert least_distance(Place("DE"), Place("DE")) == 0
    assert least_distance(Place("DE"), NOWHERE) == 0
    assert least_distance(Place("DE"), Place("BR")) > 5000
    assert least_distance(Place("DE"), Place("BR")) == least_distance(Place("BR"), Place("DE"))


def test_points_of_a_better_database_count_inside_one_country_too():
    berlin, munich = Place("DE", "Berlin", (52.5, 13.4)), Place("DE", "Munich", (48.1, 11.6))
    assert 250 < least_distance(berlin, munich) < 350


# --- a database in MaxMind's format -----------------------------------------------------------------------------------


def _text(value):
    raw = value.encode()
    assert len(raw) < 285
    return (bytes((0x40 | len(raw),)) if len(raw) < 29 else bytes((0x40 | 29, len(raw) - 29))) + raw


class Short(int):
    """A uint16, as the format wants some."""


class Long(int):
    """A uint64."""


def _value(value):
    if isinstance(value, Short):
        return b"\xa2" + value.to_bytes(2, "big")
    if isinstance(value, Long):
        return b"\x08\x02" + value.to_bytes(8, "big")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return b"\x68" + struct.pack(">d", value)
    if isinstance(value, dict):
        return bytes((0xE0 | len(value),)) + b"".join(_text(key) + _value(each) for key, each in value.items())
    if isinstance(value, list):
        return bytes((len(value), 4)) + b"".join(map(_value, value))
    return b"\xc4" + value.to_bytes(4, "big")


def database(path, record):
    """One that says `record` of each address whose first bit is 0, and nothing of the others."""
    tree = (1 + 16).to_bytes(3, "big") + (1).to_bytes(3, "big")
    described = {
        "node_count": 1, "record_size": Short(24), "ip_version": Short(4), "database_type": "Test",
        "languages": ["en"], "binary_format_major_version": Short(2), "binary_format_minor_version": Short(0),
        "build_epoch": Long(1),
        "description": {"en": "of a test"},
    }  # fmt: skip
    path.write_bytes(tree + b"\0" * 16 + _value(record) + b"\xab\xcd\xefMaxMind.com" + _value(described))
    return str(path)


def test_a_database_by_setting_says_cities_and_points(tmp_path, settings):
    settings.REALMKEEP_GEO_DATABASE = database(
        tmp_path / "a.mmdb",
        {
            "country": {"iso_code": "PT"},
            "city": {"names": {"en": "Porto"}},
            "location": {"latitude": 41.15, "longitude": -8.61},
        },
    )
    assert place_of("8.8.8.8") == Place("PT", "Porto", (41.15, -8.61))
    assert place_of("200.147.3.1") == NOWHERE
    assert place_of("10.0.0.1") == NOWHERE
    assert places.check_database() == []


@pytest.mark.parametrize("record", [{"country": "de"}, {"country_code": "DE"}])
def test_flatter_databases_are_read_too(tmp_path, settings, record):
    settings.REALMKEEP_GEO_DATABASE = database(tmp_path / "a.mmdb", record)
    assert place_of("8.8.8.8") == Place("DE")


def test_a_record_of_another_shape_says_nothing(tmp_path, settings):
    settings.REALMKEEP_GEO_DATABASE = database(tmp_path / "a.mmdb", {"country": {"iso_code": 49}, "city": "x\u202ey"})
    assert place_of("8.8.8.8") == Place("", "xy")


def test_a_database_that_is_none_stops_the_start(tmp_path, settings):
    settings.REALMKEEP_GEO_DATABASE = str(tmp_path / "missing.mmdb")
    assert [problem.id for problem in places.check_database()] == ["realmkeep.E010"]
    (tmp_path / "broken.mmdb").write_bytes(b"nothing")
    settings.REALMKEEP_GEO_DATABASE = str(tmp_path / "broken.mmdb")
    assert [problem.id for problem in places.check_database()] == ["realmkeep.E010"]
