"""Pure decisions about realms: slugs, hosts, settings and branding."""

import re
import zoneinfo
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

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
}
"""The least and the most seconds of each lifetime."""

SIGNING_ALGORITHMS = ("ES256", "RS256")


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
            raise Invalid(_("This can't be longer than the most that is allowed below it."), field=shorter)
    return out


def _checked(name: str, value: Any) -> Any:
    if isinstance(DEFAULT_SETTINGS[name], bool):
        if not isinstance(value, bool):
            raise Invalid(_("Choose yes or no."), field=name)
        return value
    if name in BOUNDS:
        least, most = BOUNDS[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Invalid(
                _("Choose between %(least)s and %(most)s seconds.") % {"least": least, "most": most}, field=name
            )
        return value
    if name == "time_zone" and value not in zoneinfo.available_timezones():
        raise Invalid(_("Choose a time zone of the list."), field=name)
    if name == "signing_algorithm" and value not in SIGNING_ALGORITHMS:
        raise Invalid(_("Choose ES256 or RS256."), field=name)
    if name == "language" and (not isinstance(value, str) or not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", value)):
        raise Invalid(_("Choose a language of the list."), field=name)
    return value


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
