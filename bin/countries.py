"""Makes identity/kernel/countries.bin and countries.json: which network is whose, what countries are called and where.

    bin/countries.py        after `bin/assets`, which installs the package of networks that frontend/package.json pins

Networks: @ip-location-db/asn-country (CC0), made of the delegation files of the five registries (CC BY 4.0, NRO).
Names: the territories of phonenumbers (Apache 2.0, from CLDR). Points: zone.tab of the time zone database (public
domain), one or more for each country.
"""

import csv
import json
import re
import struct
import sys
from itertools import pairwise
from pathlib import Path

from phonenumbers.geodata.locale import LOCALE_DATA

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "frontend/node_modules/@ip-location-db/asn-country"
KERNEL = ROOT / "identity/kernel"
ZONES = Path("/usr/share/zoneinfo/zone.tab")
NOBODY = ""


def ranges(version: int) -> list[tuple[int, str]]:
    """Where each run of one country begins; of IPv6 addresses the first 48 bits, which are one site's."""
    shift = 0 if version == 4 else 80
    starts: list[tuple[int, str]] = [(0, NOBODY)]
    after = 0
    with (PACKAGE / f"asn-country-ipv{version}-num.csv").open(encoding="ascii") as file:
        for first, last, country in csv.reader(file):
            begin, end = int(first) >> shift, int(last) >> shift
            if begin > after:
                starts.append((after, NOBODY))
            starts.append((max(begin, after), country))
            after = max(after, end + 1)
    starts.append((after, NOBODY))
    return _merged(starts)


def _merged(starts: list[tuple[int, str]]) -> list[tuple[int, str]]:
    out: list[tuple[int, str]] = []
    for (begin, country), (following, _) in pairwise([*starts, (1 << 48, NOBODY)]):
        if begin < following and (not out or out[-1][1] != country):
            out.append((begin, country))
    return out


def packed(v4: list[tuple[int, str]], v6: list[tuple[int, str]]) -> bytes:
    """Header, countries, then for each version the starts and the numbers of their countries."""
    names = sorted({country for _, country in v4 + v6})
    number = {name: position for position, name in enumerate(names)}
    head = struct.pack(">4sHII", b"RKC1", len(names), len(v4), len(v6))
    words = b"".join(name.encode().ljust(2, b" ") for name in names)
    parts = [head, words]
    for rows, size in ((v4, 4), (v6, 6)):
        parts += [b"".join(begin.to_bytes(size, "big") for begin, _ in rows), bytes(number[c] for _, c in rows)]
    return b"".join(parts)


def _degrees(text: str) -> float:
    sign, digits = -1 if text[0] == "-" else 1, text[1:]
    whole = len(digits) - (4 if len(digits) > 5 else 2)
    minutes = int(digits[whole : whole + 2])
    return round(sign * (int(digits[:whole]) + minutes / 60), 1)


def points() -> dict[str, list[list[float]]]:
    """Country → where its time zones' places lie, in whole tenths of a degree."""
    found: dict[str, list[list[float]]] = {}
    for line in ZONES.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        country, where = line.split("\t")[:2]
        match = re.fullmatch(r"([+-]\d+)([+-]\d+)", where)
        assert match, line  # noqa: S101 - a tool for developers
        found.setdefault(country, []).append([_degrees(match[1]), _degrees(match[2])])
    return found


def names() -> dict[str, dict[str, str]]:
    """Language → country → name, in the languages of locale/ and in English."""
    spoken = ["en", *sorted(each.name for each in (ROOT / "locale").iterdir() if each.name != "en")]
    out: dict[str, dict[str, str]] = {}
    for language in spoken:
        known = {}
        for country, by_language in LOCALE_DATA.items():
            name = by_language.get(language.partition("_")[0], "")
            # "*aa" says: the same as in that language.
            name = by_language.get(name[1:], "") if name.startswith("*") else name
            if name:
                known[country] = name
        if known:
            out[language] = dict(sorted(known.items()))
    return out


def main() -> int:
    """Write both."""
    if not PACKAGE.is_dir():
        print("Run bin/assets first: it installs the package of networks.", file=sys.stderr)
        return 1
    (KERNEL / "countries.bin").write_bytes(packed(ranges(4), ranges(6)))
    data = {"points": dict(sorted(points().items())), "names": names()}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace('},"', '},\n"').replace('],"', '],\n"')
    (KERNEL / "countries.json").write_text(f"{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
