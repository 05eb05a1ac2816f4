"""Countries and regions as numbers are dialed in them: their names in the reader's language, and calling codes."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from phonenumbers.geodata.locale import LOCALE_DATA

_UNNAMED = {"AC": _("Ascension Island"), "TA": _("Tristan da Cunha"), "XK": _("Kosovo")}
"""Places with a calling code for which phonenumbers has no name, since ISO 3166-1 has none."""


@dataclass(frozen=True, slots=True)
class Country:
    """A country or region (ISO 3166-1 alpha-2)."""

    code: str
    name: str
    calling_code: int

    def __str__(self) -> str:
        return f"{self.name} (+{self.calling_code})"


def _name(code: str, language: str) -> str:
    """As phonenumbers knows it, else in English, else the code."""
    names = LOCALE_DATA.get(code, {})
    for wanted in (language, "en"):
        name = str(names.get(wanted, ""))
        # `*fr`: as in French.
        name = str(names.get(name[1:], "")) if name.startswith("*") else name
        if name:
            return name
    with override(language):
        return str(_UNNAMED.get(code, code))


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
