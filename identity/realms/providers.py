"""Pure decisions about identity providers: what each kind needs, and what may be mapped."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import Invalid
from identity.kernel.outbound import OutboundFailed, checked_url
from identity.realms.models import ProviderKind
from identity.realms.rules import LISTS, ascii_domain

ALIAS = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
RESERVED_ALIASES = frozenset({"callback", "finish", "link"})
"""Parts of our own addresses under /signin/provider/."""

SIGN_UP = ("link", "create", "approve")
TOKEN_AUTH = ("auto", "basic", "post", "none")
"""How we prove ourselves at the token endpoint; `auto`: as discovery says, else in the body."""

OPENID_KINDS = frozenset({ProviderKind.GOOGLE, ProviderKind.MICROSOFT, ProviderKind.APPLE, ProviderKind.OIDC})
"""The kinds that answer with an ID token; the others with an access token and a page about the person."""

SCOPES: dict[str, tuple[str, ...]] = {
    ProviderKind.GOOGLE: ("openid", "email", "profile"),
    ProviderKind.MICROSOFT: ("openid", "email", "profile"),
    ProviderKind.APPLE: ("name", "email"),
    ProviderKind.OIDC: ("openid", "email", "profile"),
    ProviderKind.GITHUB: ("read:user", "user:email"),
    ProviderKind.OAUTH2: (),
}
"""What is asked for when nobody says otherwise."""

REQUIRED: dict[str, frozenset[str]] = {
    ProviderKind.GOOGLE: frozenset(),
    ProviderKind.MICROSOFT: frozenset({"tenant"}),
    ProviderKind.APPLE: frozenset({"team_id", "key_id"}),
    ProviderKind.OIDC: frozenset({"issuer"}),
    ProviderKind.GITHUB: frozenset(),
    ProviderKind.OAUTH2: frozenset({"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "subject_claim"}),
}
OPTIONAL: dict[str, frozenset[str]] = {
    ProviderKind.GOOGLE: frozenset({"hosted_domain"}),
    ProviderKind.MICROSOFT: frozenset(),
    ProviderKind.APPLE: frozenset(),
    ProviderKind.OIDC: frozenset({"token_auth"}),
    ProviderKind.GITHUB: frozenset({"base_url"}),
    ProviderKind.OAUTH2: frozenset({"token_auth"}),
}
COMMON = frozenset({"trust_email"})

NAMESPACE = ("issuer", "tenant", "base_url", "authorization_endpoint", "userinfo_endpoint", "subject_claim")
"""The settings that decide whose subjects these are. Others may come from another place and stay the same people."""

DESTINATION = ("issuer", "tenant", "base_url", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
"""The settings that decide to whom secrets, codes and tokens are sent."""

TRUSTS_EMAIL = frozenset({ProviderKind.GOOGLE, ProviderKind.APPLE, ProviderKind.GITHUB})
"""Kinds that prove an address before they call it verified. Microsoft lets each company's admin write any address."""

PROFILE = ("email", "name", "given_name", "family_name", "username", "language", "time_zone")
ATTRIBUTE = "attributes."

MAPPING: dict[str, dict[str, str]] = {
    ProviderKind.APPLE: {"email": "email", "given_name": "given_name", "family_name": "family_name", "name": "name"},
    ProviderKind.GITHUB: {"email": "email", "name": "name"},
}
STANDARD_MAPPING = {
    "email": "email",
    "name": "name",
    "given_name": "given_name",
    "family_name": "family_name",
    "language": "locale",
    "time_zone": "zoneinfo",
}
"""OpenID Connect Core 1.0, 5.1."""

METHODS = ("pwd", "otp", "sms", "hwk", "swk", "mfa")
"""What an upstream amr or acr may be worth here (RFC 8176); `mfa`: two factors of different kinds."""

_CLAIM = re.compile(r"[A-Za-z0-9_:/-]+(?:\.[A-Za-z0-9_:/-]+){0,4}")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")
_ATTRIBUTE = re.compile(r"attributes\.[a-z][a-z0-9_]{0,59}")
MOST = 50


def _url(value: Any, field: str) -> str:
    """An https address that our one way out would ask. Raises Invalid."""
    text = str(value).strip().rstrip("/") if field in ("issuer", "base_url") else str(value).strip()
    try:
        parts = checked_url(text)
    except OutboundFailed:
        raise Invalid(_("Type an address that begins with https://."), field=field)
    if parts.fragment or (field in ("issuer", "base_url") and parts.query):
        raise Invalid(_("Leave out what follows # or ?."), field=field)
    return text


def _text(form: str) -> Callable[[Any, str], str]:
    pattern = re.compile(form)

    def checked(value: Any, field: str) -> str:
        text = str(value).strip()
        if not pattern.fullmatch(text):
            raise Invalid(_("This is not what the provider calls it. Copy it from there."), field=field)
        return text

    return checked


def _choice(value: Any, field: str) -> str:
    if value not in TOKEN_AUTH:
        raise Invalid(_("Choose one of: %(choices)s.") % {"choices": ", ".join(TOKEN_AUTH)}, field=field)
    return str(value)


def _flag(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(_("Choose yes or no."), field=field)
    return value


_DOMAIN: Any = LISTS["sign_up_domains_allowed"]

CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "issuer": _url,
    "base_url": _url,
    "authorization_endpoint": _url,
    "token_endpoint": _url,
    "userinfo_endpoint": _url,
    "tenant": _text(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}"),
    "team_id": _text(r"[A-Z0-9]{10}"),
    "key_id": _text(r"[A-Z0-9]{10}"),
    "hosted_domain": _text(_DOMAIN.pattern),
    "subject_claim": _text(_CLAIM.pattern),
    "token_auth": _choice,
    "trust_email": _flag,
}


def checked_alias(alias: str) -> str:
    """The name in links. Raises Invalid (field alias)."""
    if not ALIAS.fullmatch(alias) or alias in RESERVED_ALIASES:
        raise Invalid(
            _("Use up to 40 lower-case letters, digits and hyphens, with a letter or digit at both ends."),
            field="alias",
        )
    return alias


def checked_kind(kind: str) -> str:
    """One that is built in. Raises Invalid (field kind)."""
    if kind not in ProviderKind.values:
        raise Invalid(_("Choose a kind of the list."), field="kind")
    return kind


def checked_line(text: str, *, field: str, most: int) -> str:
    """One line that is not empty. Raises Invalid, naming the field."""
    text = " ".join(text.split())
    if not text or len(text) > most or not text.isprintable():
        raise Invalid(_("Give up to %(most)s characters.") % {"most": most}, field=field)
    return text


def checked_settings(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What this kind needs, complete and in form. Raises Invalid, naming the setting."""
    known = REQUIRED[kind] | OPTIONAL[kind] | COMMON
    out: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise Invalid(_("There is no such setting."), field=name)
        if value in ("", None):
            continue
        out[name] = CHECKS[name](value, name)
    for name in sorted(REQUIRED[kind] - out.keys()):
        raise Invalid(_("This is needed."), field=name, code="required")
    return out


def checked_scopes(kind: str, scopes: Iterable[str] | None) -> list[str]:
    """What is asked for; without a word, what the kind needs. Raises Invalid (field scopes)."""
    asked = list(dict.fromkeys(SCOPES[kind] if scopes is None else scopes))
    if len(asked) > MOST or not all(isinstance(scope, str) and _SCOPE.fullmatch(scope) for scope in asked):
        raise Invalid(_("Give the scopes one on each line, without spaces."), field="scopes")
    if kind in OPENID_KINDS and kind != ProviderKind.APPLE and "openid" not in asked:
        raise Invalid(_("Without openid this provider doesn’t say who somebody is."), field="scopes")
    return asked


def checked_attribute_mapping(mapping: Mapping[str, Any]) -> dict[str, str]:
    """Our profile field or `attributes.<name>` → upstream claim. Raises Invalid (field attribute_mapping)."""
    if not isinstance(mapping, Mapping) or len(mapping) > MOST:
        raise Invalid(field="attribute_mapping")
    for ours, theirs in mapping.items():
        if ours not in PROFILE and not _ATTRIBUTE.fullmatch(str(ours)):
            raise Invalid(
                _("“%(name)s” is no field of a person here.") % {"name": str(ours)[:60]}, field="attribute_mapping"
            )
        if not isinstance(theirs, str) or len(theirs) > 100 or not _CLAIM.fullmatch(theirs):
            raise Invalid(
                _("“%(name)s” can’t be the name of a claim.") % {"name": str(theirs)[:60]}, field="attribute_mapping"
            )
    return dict(mapping)


def checked_amr_mapping(mapping: Mapping[str, Any]) -> dict[str, str]:
    """Upstream amr or acr → a method of ours that then counts (OA-29). Raises Invalid (field amr_mapping)."""
    if not isinstance(mapping, Mapping) or len(mapping) > MOST:
        raise Invalid(field="amr_mapping")
    for theirs, ours in mapping.items():
        if not isinstance(theirs, str) or not 0 < len(theirs) <= 200 or not theirs.isprintable():
            raise Invalid(_("Write what the provider says, word for word."), field="amr_mapping")
        if ours not in METHODS:
            raise Invalid(_("Choose one of: %(choices)s.") % {"choices": ", ".join(METHODS)}, field="amr_mapping")
    return dict(mapping)


def checked_domains(domains: Iterable[str]) -> list[str]:
    """E-mail domains whose people are sent here. Raises Invalid (field domains)."""
    out = list(dict.fromkeys(ascii_domain(str(domain)) for domain in domains))
    if len(out) > MOST or not all(_DOMAIN.fullmatch(domain) for domain in out):
        raise Invalid(_("Give domains such as example.com, one on each line."), field="domains")
    return out


def checked_sign_up(sign_up: str) -> str:
    """What a first sign-in does. Raises Invalid (field sign_up)."""
    if sign_up not in SIGN_UP:
        raise Invalid(_("Choose one of: %(choices)s.") % {"choices": ", ".join(SIGN_UP)}, field="sign_up")
    return sign_up


def secret_name(kind: str) -> str:
    """What the kind calls its secret."""
    return "private_key" if kind == ProviderKind.APPLE else "client_secret"


def needs_secret(settings: Mapping[str, Any]) -> bool:
    """Whether it can't work without one: only OIDC and OAuth2 know clients that are public."""
    return settings.get("token_auth") != "none"


def checked_secret(kind: str, secret: str) -> str:
    """A client secret, or Apple's key. Raises Invalid, naming the field."""
    name = secret_name(kind)
    if kind == ProviderKind.APPLE:
        return _checked_key(secret)
    text = secret.strip()
    if not 1 <= len(text) <= 2000 or not text.isascii() or not text.isprintable():
        raise Invalid(_("Copy the secret as the provider shows it."), field=name)
    return text


def _checked_key(text: str) -> str:
    """A P-256 private key in PEM, which signs what Apple takes for a secret (ES256)."""
    refusal = Invalid(_("Paste the whole .p8 file: a P-256 private key in PEM."), field="private_key")
    if len(text) > 5000:
        raise refusal
    try:
        key = load_pem_private_key(text.strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise refusal
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise refusal
    return text.strip() + "\n"


def mapping_of(kind: str, mapping: Mapping[str, str]) -> dict[str, str]:
    """The mapping in force: the provider's own, else what its kind sends."""
    return dict(mapping) or MAPPING.get(kind, STANDARD_MAPPING)


def trusts_email(kind: str, settings: Mapping[str, Any]) -> bool:
    """Whether its word that an address is verified counts for a new account. It never links anything (OA-28)."""
    return bool(settings.get("trust_email", kind in TRUSTS_EMAIL))


def namespace_of(kind: str, settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """Whose subjects these are. Another one under the same links would let its people in as ours."""
    return (kind, *(settings.get(name) for name in NAMESPACE))


def destination_of(settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """To whom the secret goes, with the codes and tokens of those who come back."""
    return tuple(settings.get(name) for name in DESTINATION)


def has_destination(kind: str) -> bool:
    """Whether its admins say where it is, at least in part."""
    return any(name in REQUIRED[kind] | OPTIONAL[kind] for name in DESTINATION)
