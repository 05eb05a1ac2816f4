"""Typed readers of the environment; a wrong value fails loudly and names the variable."""

import base64
import binascii
import ipaddress
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from identity.kernel.keyring import Key


def text(name: str, default: str | None = None) -> str:
    """A variable's value, or the content of the file that NAME_FILE points to (container secrets)."""
    if file := os.environ.get(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE can't be read: {error.strerror}.") from error
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set {name}.")
    return value


def number(name: str, default: int) -> int:
    """An integer."""
    value = os.environ.get(name)
    if value is None or value == "":
        return default
    try:
        return int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error


def flag(name: str, default: bool) -> bool:
    """A truth value: 1, true, yes, on or 0, false, no, off."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name} must be true or false.")


def keys(name: str, value: str) -> list[Key]:
    """`id:base64,id:base64` → keys; ids are 1 to 255, secrets 32 bytes; the first one writes."""
    out: list[Key] = []
    for part in filter(None, (piece.strip() for piece in value.split(","))):
        number_text, _, secret_text = part.partition(":")
        try:
            key = Key(int(number_text), base64.b64decode(secret_text, validate=True))
        except (ValueError, binascii.Error) as error:
            raise ImproperlyConfigured(f"{name} must look like 1:BASE64,2:BASE64.") from error
        if not 1 <= key.id <= 255 or len(key.secret) != 32:
            raise ImproperlyConfigured(f"{name}: ids are 1 to 255 and keys have 32 bytes.")
        out.append(key)
    if not out or len({key.id for key in out}) != len(out):
        raise ImproperlyConfigured(f"{name} needs at least one key, and each id once.")
    return out


def database(url: str) -> dict[str, Any]:
    """A DATABASES entry for postgresql://… or sqlite:///…."""
    parts = urlsplit(url)
    if parts.scheme in ("postgres", "postgresql"):
        options: dict[str, Any] = dict(parse_qsl(parts.query))
        options.setdefault("connect_timeout", "5")
        return {
            "ENGINE": "identity.kernel.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": options.pop("host", None) or parts.hostname or "",
            "PORT": str(parts.port or ""),
            "OPTIONS": options,
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    if parts.scheme == "sqlite":
        return sqlite(Path(unquote(parts.path.removeprefix("/"))))
    raise ImproperlyConfigured("DATABASE_URL must begin with postgresql:// or sqlite:///.")


def sqlite(path: Path) -> dict[str, Any]:
    """A DATABASES entry for an SQLite file with the pragmas that DECISIONS 36 asks for."""
    return {
        "ENGINE": "identity.kernel.sqlite",
        "NAME": str(path),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # synchronous=FULL: an acknowledged event survives a power cut. recursive_triggers: REPLACE fires triggers.
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA recursive_triggers=ON;"
            "PRAGMA cell_size_check=ON;PRAGMA temp_store=MEMORY;",
        },
    }


def setting_defaults() -> dict[str, Any]:
    """The installation's defaults of realm settings: only those whose variable is set."""
    out: dict[str, Any] = {}
    for name, setting in (
        ("ALLOW_AUTO_REGISTRATION", "sign_up_open"),
        ("REQUIRE_EMAIL_VERIFICATION", "email_verification_required"),
    ):
        if os.environ.get(name, "").strip():
            out[setting] = flag(name, False)
    if rotation := os.environ.get("FORCE_PASSWORD_ROTATION", "").strip():
        # Days; a bare yes means 90.
        days = int(rotation) if rotation.isdecimal() else 90 * flag("FORCE_PASSWORD_ROTATION", False)
        if days > 730:
            raise ImproperlyConfigured("FORCE_PASSWORD_ROTATION is a number of days, at most 730.")
        out["password_max_age"] = days * 24 * 3600
    if mfa := os.environ.get("ENABLE_MFA", "").strip().lower():
        if mfa in ("off", "optional", "required"):
            out["second_factor"] = mfa
        else:
            out["second_factor"] = "optional" if flag("ENABLE_MFA", False) else "off"
    return out


def networks(name: str) -> list[str]:
    """A list of networks in CIDR notation, separated by commas."""
    out: list[str] = []
    for part in filter(None, (piece.strip() for piece in os.environ.get(name, "").split(","))):
        try:
            out.append(str(ipaddress.ip_network(part)))
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} must look like 10.0.0.0/8,fd00::/8.") from error
    return out


def one_of(name: str, words: tuple[str, ...]) -> str:
    """One of these words; the first one when nothing is set."""
    word = os.environ.get(name, "").strip().lower() or words[0]
    if word not in words:
        raise ImproperlyConfigured(f"{name} is one of: {', '.join(words)}.")
    return word


def secrets_by_realm(name: str) -> dict[str, str]:
    """`NAME` for all realms (under ""), and `NAME_<SLUG>` for one, its hyphens written as underscores."""
    out = {"": os.environ.get(name, "").strip()}
    for variable, value in os.environ.items():
        if variable.startswith(f"{name}_") and value.strip():
            out[variable.removeprefix(f"{name}_").lower().replace("_", "-")] = value.strip()
    return {slug: value for slug, value in out.items() if value}
