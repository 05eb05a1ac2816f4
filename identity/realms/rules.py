"""Pure decisions about realms: slugs, hosts, settings and branding."""

import re
import unicodedata
import zoneinfo
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import Invalid
from identity.realms.models import DEFAULT_SETTINGS

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
RESERVED_SLUGS = frozenset({"admin", "api", "static", "realms", "www", "well-known"})
ACCENT = re.compile(r"#[0-9a-f]{6}")
DEFAULT_ACCENT = "#006a87"
"""The brand color of a realm that has chosen none: the designs' own."""
DAY = 24 * 3600

HELD = timedelta(days=30)
"""How long a deleted realm can be brought back before it is emptied for good (DECISIONS 29)."""

PURGE_BATCH = 200
"""Rows deleted in one transaction: short enough that nobody waits for it."""

PURGE_SECONDS = 20.0
"""How long one run of a purge may take; the next one goes on."""

BOUNDS: dict[str, tuple[int, int]] = {
    "access_token_lifetime": (60, DAY),
    "code_lifetime": (10, 600),
    "refresh_token_lifetime": (3600, 365 * DAY),
    "refresh_token_max_lifetime": (3600, 730 * DAY),
    "session_idle_lifetime": (300, 30 * DAY),
    "session_lifetime": (900, 90 * DAY),
    "password_min_length": (8, 64),
    "password_character_classes": (0, 4),
    "password_history": (0, 24),
    "password_max_age": (0, 730 * DAY),
    "second_factor_grace": (0, 90 * DAY),
    "trusted_device_lifetime": (0, 180 * DAY),
    "lockout_tries": (3, 50),
    "lockout_pause": (60, DAY),
    "session_limit": (0, 100),
    "sms_daily_limit": (0, 1_000_000),
    "sms_number_daily_limit": (1, 100),
    "sms_prefix_daily_limit": (1, 1_000_000),
}
"""The least and the most of each number; lifetimes, ages and pauses are seconds."""

COUNTS = frozenset(
    {
        "password_min_length",
        "password_character_classes",
        "password_history",
        "lockout_tries",
        "session_limit",
        "sms_daily_limit",
        "sms_number_daily_limit",
        "sms_prefix_daily_limit",
    }
)
"""The numbers of BOUNDS that are no spans of time."""

SIGNING_ALGORITHMS = ("ES256", "RS256")

CHOICES: dict[str, tuple[str, ...]] = {
    "signing_algorithm": SIGNING_ALGORITHMS,
    "bot_protection": ("off", "proof_of_work", "captcha"),
    "password_breach_check": ("off", "bundled", "online"),
    "second_factor": ("off", "optional", "required"),
    "suspicious_sign_in": ("off", "notify", "hold"),
    "session_limit_action": ("end_oldest", "refuse"),
}
"""Settings that are one word of a list."""

MAX_LISTED = 500
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_PREFIX = re.compile(r"\+[1-9]\d{0,7}")

LISTS: dict[str, tuple[str, ...] | re.Pattern[str]] = {
    "sign_up_identifiers": ("email", "phone", "username"),
    "sign_up_domains_allowed": _DOMAIN,
    "sign_up_domains_blocked": _DOMAIN,
    "second_factor_methods": ("totp", "passkey", "sms", "email"),
    "sms_prefixes_blocked": _PREFIX,
}
"""Settings that are lists: of these words, or of words of this form."""


TEXTS: dict[str, tuple[re.Pattern[str], str | Promise]] = {
    "language": (re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?"), _("Choose a language of the list.")),
    "default_country": (re.compile(r"(?:[A-Z]{2})?"), _("Choose a country of the list.")),
    "terms_uri": (re.compile(r"(?:https://\S{1,490})?"), _("Type an address that begins with https://.")),
    "terms_version": (re.compile(r".{0,40}"), _("Use at most 40 characters.")),
    "captcha_site_key": (re.compile(r"[\w.:-]{0,200}"), _("Copy the key as the service shows it.")),
}
"""Settings that are text: the form that each must have, and what is said otherwise."""


SIGN_IN_BY: dict[str, tuple[tuple[str, ...], ...]] = {
    "email": (("password_sign_in",), ("email_code_sign_in",), ("passkey_sign_in",)),
    "phone": (("password_sign_in", "phone_sign_in"), ("sms_code_sign_in",), ("passkey_sign_in",)),
    "username": (("password_sign_in", "username_sign_in"),),
}
"""How people come in with what they signed up with: any of these, each with all of its settings on."""

WAYS_OF_SIGN_UP = frozenset(name for ways in SIGN_IN_BY.values() for way in ways for name in way)


def checked_slug(slug: str) -> str:
    """The slug, if it can be one: ASCII lower case, digits and inner hyphens. Raises Invalid (field slug).

    ASCII alone, so that no look-alike letter makes a second `admin` (TI-14).
    """
    if not SLUG.fullmatch(slug) or slug in RESERVED_SLUGS:
        raise Invalid(
            _("Use up to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends."), field="slug"
        )
    return slug


def checked_name(name: str) -> str:
    """A realm's display name. Raises Invalid (field name)."""
    name = " ".join(name.split())
    if not name or len(name) > 100 or not name.isprintable():
        raise Invalid(_("Give the realm a name of up to 100 characters."), field="name")
    return name


def checked_settings(changes: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """`changes`, checked for type, bounds and against the settings in force. Raises Invalid, naming the field."""
    out: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in DEFAULT_SETTINGS:
            raise Invalid(_("There is no such setting."), field=name)
        out[name] = _checked(name, value)
    merged = {**DEFAULT_SETTINGS, **current, **out}
    for shorter, longer in (
        ("refresh_token_lifetime", "refresh_token_max_lifetime"),
        ("session_idle_lifetime", "session_lifetime"),
    ):
        if merged[shorter] > merged[longer]:
            raise Invalid(_("This can’t be longer than the most that is allowed below it."), field=shorter)
    _check_sign_up(merged, out)
    factors = {"second_factor", "second_factor_methods"} & set(out)
    if factors and merged["second_factor"] == "required" and not merged["second_factor_methods"]:
        # Whoever has none yet would be asked for one and could add none: that includes who could take it back.
        raise Invalid(_("Offer at least one while everybody needs one."), field="second_factor_methods")
    return out


def _check_sign_up(merged: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    """Raises Invalid for a sign-up that leads nowhere, and for terms that can't be read or told apart.

    Only where one of these settings changes: what an older version stored keeps nobody from changing another one.
    """
    if {"terms_uri", "terms_version"} & set(changed) and bool(merged["terms_uri"]) != bool(merged["terms_version"]):
        if merged["terms_version"]:
            raise Invalid(_("Say where the terms can be read."), field="terms_uri")
        raise Invalid(
            _("Name the version, such as a date. A new one asks everybody again at the next sign-in."),
            field="terms_version",
        )
    by_number = merged["sms_code_sign_in"] or (merged["phone_sign_in"] and merged["password_sign_in"])
    if changed.get("phone_first") and not by_number:
        raise Invalid(_("Switch on a way in with a number first."), field="phone_first")
    captcha = {"bot_protection", "captcha_site_key"} & set(changed)
    if captcha and merged["bot_protection"] == "captcha" and not merged["captcha_site_key"]:
        raise Invalid(_("A captcha needs the site key that its service gave you."), field="captcha_site_key")
    if not merged["sign_up_open"] or not {"sign_up_open", "sign_up_identifiers", *WAYS_OF_SIGN_UP} & set(changed):
        return
    if not any(all(merged[name] for name in way) for kind in merged["sign_up_identifiers"] for way in SIGN_IN_BY[kind]):
        at = next((name for name in ("sign_up_identifiers", "sign_up_open") if name in changed), next(iter(changed)))
        raise Invalid(
            _("Nobody could sign in with what sign-up asks for. Switch on a way in for it, or ask for something else."),
            field=at,
        )


def _checked(name: str, value: Any) -> Any:
    if isinstance(DEFAULT_SETTINGS[name], bool):
        if not isinstance(value, bool):
            raise Invalid(_("Choose yes or no."), field=name)
        return value
    if name in BOUNDS:
        return _checked_number(name, value)
    if name in LISTS:
        return _checked_list(name, value)
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise Invalid(_("Choose one of: %(choices)s.") % {"choices": ", ".join(CHOICES[name])}, field=name)
        return value
    if name == "time_zone":
        if value not in zoneinfo.available_timezones():
            raise Invalid(_("Choose a time zone of the list."), field=name)
        return value
    form, refusal = TEXTS[name]
    if not isinstance(value, str) or not form.fullmatch(value) or not value.isprintable():
        raise Invalid(refusal, field=name)
    return value


def _checked_number(name: str, value: Any) -> int:
    least, most = BOUNDS[name]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        text = (
            _("Choose between %(least)s and %(most)s.")
            if name in COUNTS
            else _("Choose between %(least)s and %(most)s seconds.")
        )
        raise Invalid(text % {"least": least, "most": most}, field=name)
    return value


def _checked_list(name: str, value: Any) -> list[str]:
    """Each word once, in the order given. Raises Invalid."""
    if not isinstance(value, list) or len(value) > MAX_LISTED or not all(isinstance(each, str) for each in value):
        raise Invalid(_("Give a list."), field=name)
    allowed = LISTS[name]
    if allowed is _DOMAIN:
        value = [ascii_domain(each) for each in value]
    for each in value:
        right = bool(allowed.fullmatch(each)) if isinstance(allowed, re.Pattern) else each in allowed
        if not right:
            raise Invalid(_("“%(word)s” can’t be in this list.") % {"word": each[:60]}, field=name)
    if name == "sign_up_identifiers" and not value:
        raise Invalid(_("Ask for at least one."), field=name)
    return list(dict.fromkeys(value))


def ascii_domain(text: str) -> str:
    """A domain as mail servers spell it: lower case, other alphabets in their ASCII form, without `@` and last dot."""
    name = unicodedata.normalize("NFKC", text.strip()).casefold().removeprefix("@").strip(".")
    try:
        return name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError:
        return name


def checked_branding(branding: Mapping[str, Any]) -> dict[str, str]:
    """Branding: `accent` as #rrggbb and `logo_text` of up to two characters. Raises Invalid, naming the field."""
    out: dict[str, str] = {}
    for name, value in branding.items():
        text = str(value).strip()
        if name == "accent":
            if not ACCENT.fullmatch(text.lower()):
                raise Invalid(_("Write the color as # and six hexadecimal digits."), field=name)
            out[name] = text.lower()
        elif name == "logo_text":
            if len(text) > 2 or not text.isprintable():
                raise Invalid(_("Use one or two characters."), field=name)
            out[name] = text
        else:
            raise Invalid(_("There is no such setting."), field=name)
    return out
