"""Countries and regions as numbers are dialed in them: their names in the reader's language, and calling codes."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers.geodata.locale import LOCALE_DATA

# Called alike in most languages; phonenumbers has no name of them.
UNNAMED = {"AC": "Ascension", "TA": "Tristan da Cunha", "XK": "Kosovo"}


@dataclass(frozen=True, slots=True)
class Country:
    """A country or region (ISO 3166-1 alpha-2)."""

    code: str
    name: str
    calling_code: int

    def __str__(self) -> str:
        return f"{self.name} (+{self.calling_code})"


def _name(code: str, language: str) -> str:
    """As phonenumbers knows it, else in English, else as most call it."""
    names = LOCALE_DATA.get(code, {})
    for wanted in (language, "en"):
        name = str(names.get(wanted, ""))
        # `*fr`: as in French.
        name = str(names.get(name[1:], "")) if name.startswith("*") else name
        if name:
            return name
    return UNNAMED.get(code, code)


def _as_sorted(name: str) -> str:
    """Letters with signs stand beside those without: Österreich under O, not behind Z. ß counts as ss."""
    return "".join(char for char in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(char))


@lru_cache(maxsize=16)
def countries(language: str) -> tuple[Country, ...]:
    """All of them, by name."""
    found = (
        Country(code, _name(code, language.partition("-")[0]), phonenumbers.country_code_for_region(code))
        for code in phonenumbers.SUPPORTED_REGIONS
    )
    return tuple(sorted(found, key=lambda country: (_as_sorted(country.name), country.name)))
