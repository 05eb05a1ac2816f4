"""Pure decisions about people: spelling of identifiers, refused names, and how long links live."""

import re
import unicodedata
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode
from zoneinfo import available_timezones

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import Invalid

INVITATION_LIFETIME = timedelta(days=7)
INVITATION_KEPT = timedelta(days=90)
"""How long an invitation that was answered, withdrawn or replaced is kept."""

CODE_KEPT = timedelta(days=1)
"""How long a sent code is kept after its end."""

RESET_LIFETIME = timedelta(hours=1)
CONFIRM_LIFETIME = timedelta(days=3)
REVERT_LIFETIME = timedelta(days=7)
LONGEST_LOCK_MINUTES = 60 * 24 * 366

MAX_NAME = 200
MAX_PART_OF_NAME = 100
MAX_REASON = 300
MAX_KEY = 100


class Identifier(StrEnum):
    """What a person can be found by."""

    EMAIL = "email"
    PHONE = "phone"
    USERNAME = "username"


# --- identifiers: one spelling each, made here and nowhere else (LG-25) ---------------------------------------------

_USERNAME = re.compile(r"[^\W_](?:[\w.-]{0,148}[^\W_])?")
_PHONE_LIKE = re.compile(r"[+\d(][\d\s().\-/]*")
# Letters of other scripts that are drawn like Latin ones: the foreign letter, then what it is taken for.
_LOOK_ALIKES = str.maketrans(
    "авекмнорстухѕіјһԁԛԝӏьαβγεηικμνορτυχωϲϳօսոհզց",
    "abekmhopctyxsijhdqwlbabyenikuvoptuxwcjounhqg",
)
_MIX_FREELY = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"})


LONGEST = 1_000
"""So many characters of what somebody typed are looked at."""


def _folded(text: str) -> str:
    """NFKC and casefold: full-width, upper-case and compatibility spellings are one name."""
    # No name is longer than this, and compatibility forms grow a text up to eighteenfold (DS-04). What is left is still
    # too long for each kind of name, so a cut one is refused and never found.
    text = text.strip()[:LONGEST]
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _has_invisible(text: str) -> bool:
    """Whether some character shows nothing or turns text around: zero-width, control, bidi override, space."""
    return any(unicodedata.category(char)[0] in "CZ" for char in text)


def _is_confusable(text: str) -> bool:
    """Whether a name is drawn like another one: scripts mixed, or all letters look-alikes of Latin ones."""
    if text.isascii():
        return False
    scripts = {unicodedata.name(char, "?").split()[0] for char in text if char.isalpha()}
    if len(scripts) > 1 and not scripts <= _MIX_FREELY:
        return True
    return text.translate(_LOOK_ALIKES).isascii() or any(char.isdigit() and not char.isascii() for char in text)


def kind_of_identifier(text: str) -> Identifier:
    """What somebody typed into one field: the forms of the three never overlap."""
    folded = _folded(text)
    if "@" in folded:
        return Identifier.EMAIL
    number = "".join(_plain_sign(char) for char in folded)
    return Identifier.PHONE if _PHONE_LIKE.fullmatch(number) else Identifier.USERNAME


def normalized_email(text: str) -> str:
    """The one spelling of an address: NFKC, casefolded, the domain in its ASCII form. Raises Invalid (field email).

    Only ASCII remains, so that no look-alike of somebody's address is another account, and a mail can only go to the
    address that is stored (LG-04, LG-25). CR, LF and commas never pass: one address, no second header (IN-08).
    """
    folded = _folded(text)
    local, _at, domain = folded.rpartition("@")
    try:
        address = f"{local}@{domain.rstrip('.').encode('idna').decode()}"
        if not address.isascii() or len(address) > 254 or _has_invisible(folded):
            raise ValidationError("")
        validate_email(address)
    except (ValidationError, UnicodeError):
        raise Invalid(_("Type a whole email address, such as name@example.com."), field="email", code="email_invalid")
    return address


def normalized_phone(text: str, country: str = "") -> str:
    """E.164. Raises Invalid (field phone).

    country: where a number without country code is dialed, the realm's `default_country`; none: it must have one.
    However it is written (00, full-width digits, spaces, hyphens, marks that a phone book added), one line has one key
    for limits and accounts. Extensions, letters and parameters are refused: each would be another spelling (LG-14).
    """
    folded = "".join(_plain_sign(char) for char in _folded(text))
    if folded.startswith("00"):
        folded = "+" + folded[2:]
    try:
        if not _PHONE_LIKE.fullmatch(folded):
            raise ValueError
        number = phonenumbers.parse(folded, country or None)
        if number.extension or not phonenumbers.is_valid_number(number):
            raise ValueError
    except (phonenumbers.NumberParseException, ValueError):
        raise Invalid(
            _("Type a whole number, such as +49 30 123456.")
            if country
            else _("Type the number with its country code, such as +49 30 123456."),
            field="phone",
            code="phone_invalid",
        )
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _plain_sign(char: str) -> str:
    """A sign of a number as the keyboard has it; what shows nothing is left out."""
    match unicodedata.category(char):
        case "Pd":
            return "-"
        case "Cf":
            return ""
        case "Zs":
            return " "
    return char


def normalized_username(text: str) -> str:
    """The one spelling of a username. Raises Invalid (field username).

    No `@` and not only digits, so that it is never read as an address or a number; no invisible letters and no name
    that is drawn like another one, so that nobody passes for somebody else (LG-25).
    """
    name = _folded(text)
    if _has_invisible(name) or not _USERNAME.fullmatch(name) or _PHONE_LIKE.fullmatch(name):
        raise Invalid(
            _("Use letters, digits, dots, hyphens and underscores, with at least one letter."),
            field="username",
            code="username_invalid",
        )
    if _is_confusable(name):
        raise Invalid(
            _("This mixes alphabets, or looks like another name. Choose one that can’t be mistaken."),
            field="username",
            code="username_confusable",
        )
    return name


def normalized_identifier(text: str, country: str = "") -> tuple[Identifier, str]:
    """What was typed, as the kind and spelling that accounts are stored under. Raises Invalid.

    country: the realm's `default_country`, for numbers without a country code.
    """
    match kind_of_identifier(text):
        case Identifier.EMAIL:
            return Identifier.EMAIL, normalized_email(text)
        case Identifier.PHONE:
            return Identifier.PHONE, normalized_phone(text, country)
    return Identifier.USERNAME, normalized_username(text)


def canonical_id(text: str, country: str = "") -> str:
    """The key that limits count under, for existing and made-up names alike; never fails (LG-14, LG-25)."""
    try:
        return normalized_identifier(text, country)[1]
    except Invalid:
        # PostgreSQL stores no NUL, and a name that was never one has to be counted like any other.
        return _folded(text)[:320].replace("\0", "")


# --- profile --------------------------------------------------------------------------------------------------------


def checked_text(text: str, *, field: str, most: int) -> str:
    """A name or other line about a person: printable, spaces folded. Raises Invalid, naming the field.

    Stops line breaks and direction overrides from forging headers, log lines or other people's names (IN-07, IN-08).
    """
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if len(line) > most or not line.isprintable():
        raise Invalid(_("Use one line of up to %(most)s characters.") % {"most": most}, field=field)
    return line


def checked_language(code: str | None, known: Collection[str]) -> str | None:
    """One of the product's languages, or None for the realm's. Raises Invalid (field language)."""
    if not code:
        return None
    if code not in known:
        raise Invalid(_("Choose a language of the list."), field="language")
    return code


def checked_time_zone(name: str | None) -> str | None:
    """A time zone's name, or None for the realm's. Raises Invalid (field time_zone)."""
    if not name:
        return None
    if name not in available_timezones():
        raise Invalid(_("Choose a time zone of the list."), field="time_zone")
    return name


# --- life cycle -----------------------------------------------------------------------------------------------------


def lock_end(now: datetime, minutes: int | None) -> datetime | None:
    """When a lock ends by itself; None: only by unlocking. Raises Invalid (field minutes)."""
    if minutes is None:
        return None
    if not 1 <= minutes <= LONGEST_LOCK_MINUTES:
        raise Invalid(_("Choose between one minute and a year."), field="minutes")
    return now + timedelta(minutes=minutes)


def invitation_is_open(
    *, accepted_at: datetime | None, revoked_at: datetime | None, expires_at: datetime, now: datetime
) -> bool:
    """Whether an invitation can still be accepted."""
    return accepted_at is None and revoked_at is None and expires_at > now


# --- saved views ----------------------------------------------------------------------------------------------------

MOST_VIEWS = 50
"""How many views a person keeps."""
MAX_VIEW_NAME, MAX_QUERY = 60, 1000
_AREA = re.compile(r"[a-z_]{1,32}")
_PARAMETER = re.compile(r"[a-z_]{1,32}")
_OF_THE_MOMENT = frozenset({"after", "all", "event"})


def checked_area(area: str) -> str:
    """The name of a list. Raises Invalid (field area)."""
    if not _AREA.fullmatch(area):
        raise Invalid(_("There is no such list."), field="area")
    return area


def checked_view_name(name: str) -> str:
    """A view's name, in one spelling. Raises Invalid (field name)."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_VIEW_NAME or not name.isprintable():
        raise Invalid(_("Give the view a name of up to 60 characters."), field="name")
    return name


def checked_query(text: str) -> str:
    """Filters as they stand in an address, sorted, without the place in the list. Raises Invalid (field query).

    Only names and values: it is joined to the list's own address, so no view leads anywhere else.
    """
    pairs = sorted((name, value) for name, value in parse_qsl(text[:4000]) if name not in _OF_THE_MOMENT)
    query = urlencode(pairs)
    if len(query) > MAX_QUERY or not all(_PARAMETER.fullmatch(name) for name, _value in pairs):
        raise Invalid(_("These filters are too many to keep."), field="query")
    return query
