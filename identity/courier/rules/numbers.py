"""Pure decisions about numbers: what budgets count them under, which are never written to, and what may be shown."""

from collections.abc import Collection

import phonenumbers
from phonenumbers import PhoneNumberType

NORTH_AMERICA = 1
NEVER_PREFIXES = ("+808", "+870", "+878", "+881", "+882", "+883", "+888", "+979")
"""Shared-cost, satellite, international network and premium codes: nobody signs in from there, and all are dear."""
_NEVER_TYPES = frozenset(
    {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN, PhoneNumberType.PAGER,
     PhoneNumberType.VOICEMAIL}
)  # fmt: skip


def prefix_of(number: str) -> str:
    """What budgets count a number under: country calling code and the first two digits behind it; area code in +1.

    Pumping takes one range of numbers after another, so the range has a budget of its own (LG-13).
    """
    parsed = phonenumbers.parse(number, None)
    length = 3 if parsed.country_code == NORTH_AMERICA else 2
    code = f"+{parsed.country_code}"
    return number[: len(code) + length]


def region_of(prefix: str) -> str:
    """The country that a prefix belongs to (the largest one of those that share it), as two letters; empty if unknown.

    North America shares one code among two dozen countries: empty, too.
    """
    for length in range(2, 5):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(prefix[1:length] or 0), ())
        if regions:
            return "" if regions[0] == "001" or prefix[1] == str(NORTH_AMERICA) else str(regions[0])
    return ""


def is_blocked(number: str, prefixes: Collection[str]) -> bool:
    """Whether nothing is sent there: the realm's list, or a kind of number that costs whoever writes to it (LG-13)."""
    if number.startswith((*NEVER_PREFIXES, *prefixes)):
        return True
    return phonenumbers.number_type(phonenumbers.parse(number, None)) in _NEVER_TYPES


def hint_of(number: str) -> str:
    """What a log may show of a number: its country code and the last three digits."""
    code = f"+{phonenumbers.parse(number, None).country_code}"
    return f"{code} … {number[-3:]}"
