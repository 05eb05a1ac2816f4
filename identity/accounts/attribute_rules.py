"""Pure decisions about custom attributes: how one may be defined, and what its values may be."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from django.utils.translation import gettext_lazy as _

from identity.accounts.models import AttributeType
from identity.accounts.rules import checked_text
from identity.kernel.errors import Invalid

MOST_ATTRIBUTES = 60
MOST_CHOICES, MAX_CHOICE = 100, 100
MAX_LABEL, MAX_PATTERN = 100, 200
LONGEST_TEXT = 500
WIDEST_NUMBER = 10**15
MOST_PATHS, MOST_STEPS = 300_000, 20_000_000
"""How many ways there may be to try a pattern on the longest text, and how many signs all of them may have to look at:
what a match can cost is bounded by this."""

RESERVED_ADDRESSES = frozenset({"new"})
"""What stands at the same place of the console's addresses."""

OWN_FIELDS = frozenset(
    {
        "id", "sub", "key", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username",
        "username", "email", "email_verified", "phone", "phone_number", "phone_number_verified", "phone_verified",
        "address", "picture", "profile", "website", "gender", "birthdate", "zoneinfo", "locale", "language",
        "time_zone", "updated_at", "password", "status", "realm", "roles", "groups", "scope", "acr", "amr",
        "auth_time", "iss", "aud", "exp", "iat", "nonce",
    }
)  # fmt: skip
"""Names that a person has already, or that a token says itself."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")

RESERVED_CLAIMS = frozenset(
    {
        # JWT (RFC 7519), OpenID Connect Core 1.0 and its logout and session texts
        "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash",
        "s_hash", "sid", "sub_jwk", "_claim_names", "_claim_sources", "events", "toe", "txn",
        # Access tokens, introspection, proof of possession and token exchange (RFC 7662, 7800, 8693, 9068, 9396)
        "client_id", "scope", "scp", "active", "token_type", "username", "cnf", "act", "may_act", "typ", "alg", "kid",
        "authorization_details", "roles", "groups", "entitlements", "permissions", "realm_access", "resource_access",
        # What we say of a person and of a refresh family
        "fid", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "locale",
        "zoneinfo", "email", "email_verified", "phone_number", "phone_number_verified", "updated_at",
    }
)  # fmt: skip
"""Claims that mean something already: an attribute under one of these names would forge it (privilege by claim)."""

_CLAIM = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,99}")
OFFLINE = "offline_access"


class Definition(Protocol):
    """What a value is checked against: a row, or the fields of one."""

    name: str
    label: str
    type: str
    choices: Sequence[str]
    pattern: str
    most: int | None
    required: bool


# --- definitions ------------------------------------------------------------------------------------------------------


def checked_name(name: str) -> str:
    """What the attribute is called in files, mappings and tokens; it never changes. Raises Invalid (field name)."""
    if not _NAME.fullmatch(name):
        raise Invalid(_("Use lower-case letters, digits and underscores, beginning with a letter."), field="name")
    if name in OWN_FIELDS | RESERVED_ADDRESSES:
        raise Invalid(_("Every person has this already. Choose another name."), field="name", code="name_reserved")
    return name


def checked_definition(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a definition, each as its type allows it. Raises Invalid, naming the field."""
    kind = values["type"]
    if kind not in AttributeType.values:
        raise Invalid(_("Choose a type of the list."), field="type")
    label = checked_text(values["label"], field="label", most=MAX_LABEL)
    if not label:
        raise Invalid(_("Say how people read it."), field="label")
    is_text = kind == AttributeType.TEXT
    most = values.get("most")
    if is_text and most is not None and (isinstance(most, bool) or not 1 <= most <= LONGEST_TEXT):
        raise Invalid(_("Choose between %(least)s and %(most)s.") % {"least": 1, "most": LONGEST_TEXT}, field="most")
    may_change = bool(values.get("person_may_change"))
    return {
        "type": kind,
        "label": label,
        "choices": _checked_choices(values.get("choices") or []) if kind == AttributeType.CHOICE else [],
        "pattern": checked_pattern(values.get("pattern") or "", most or LONGEST_TEXT) if is_text else "",
        "most": most if is_text else None,
        "required": bool(values.get("required")),
        "at_sign_up": bool(values.get("at_sign_up")),
        # Who may change something sees it.
        "person_may_see": bool(values.get("person_may_see")) or may_change,
        "person_may_change": may_change,
        **_checked_mapping(values.get("claim") or "", values.get("scope") or ""),
    }


def _checked_mapping(claim: str, scope: str) -> dict[str, str]:
    """What tokens call the attribute, and which scope releases it: both or none. Raises Invalid, naming the field."""
    claim, scope = claim.strip(), scope.strip()
    if not claim and not scope:
        return {"claim": "", "scope": ""}
    if not scope:
        raise Invalid(_("Choose the scope that releases it."), field="scope")
    if not claim:
        raise Invalid(_("Say what tokens call it."), field="claim")
    if not _CLAIM.fullmatch(claim):
        raise Invalid(
            _("Use letters, digits and _ . : / -, beginning with a letter, such as customer_tier."), field="claim"
        )
    if claim.casefold() in RESERVED_CLAIMS:
        raise Invalid(_("This claim has a meaning already. Choose another name."), field="claim", code="claim_reserved")
    if scope == OFFLINE:
        raise Invalid(_("This scope says how long, not what. Choose another one."), field="scope")
    return {"claim": claim, "scope": scope}


def _checked_choices(choices: Iterable[str]) -> list[str]:
    lines = [checked_text(str(each), field="choices", most=MAX_CHOICE) for each in choices]
    out = list(dict.fromkeys(line for line in lines if line))
    if not 1 <= len(out) <= MOST_CHOICES:
        raise Invalid(_("Give between 1 and %(most)s choices.") % {"most": MOST_CHOICES}, field="choices")
    return out


@dataclass(frozen=True, slots=True)
class _Part:
    """One sign of a pattern and how often it may stand there."""

    least: int
    most: int


_SIGN = r"\\[dDwWsS.^$*+?()\[\]{}|\\/-]|\[\^?(?:\\[dDwWsS.^$*+?()\[\]{}|\\/-]|[^\[\]\\])+\]|[^\\^$*+?()\[\]{}|]"
_PART = re.compile(rf"(?:{_SIGN})(?P<many>[?*+]|\{{(?P<least>\d{{1,3}})(?:(?P<to>,)(?P<most>\d{{1,3}})?)?\}})?")


def checked_pattern(pattern: str, longest: int) -> str:
    """A pattern that the whole text has to match. Raises Invalid (field pattern).

    Only signs, classes and counts, one after the other: no groups, so nothing repeats what repeats; no alternatives, no
    references. And the product of all freedoms of count is bounded, which bounds the steps of a match on the longest
    text: no pattern stops a server, whoever wrote it (ReDoS).
    """
    if not pattern:
        return ""
    refusal = Invalid(
        _("Use letters, signs, [classes], \\d, \\w and counts such as ?, + or {2,4}; no groups and no alternatives."),
        field="pattern",
        code="pattern_unsafe",
    )
    inner = pattern.removeprefix("^").removesuffix("$") if not pattern.endswith("\\$") else pattern.removeprefix("^")
    if len(pattern) > MAX_PATTERN or not pattern.isprintable():
        raise refusal
    parts, at = list[_Part](), 0
    while at < len(inner):
        found = _PART.match(inner, at)
        if found is None:
            raise refusal
        parts.append(_counted(found, longest))
        at = found.end()
    try:
        re.compile(inner)
    except re.error:
        raise refusal
    if any(part.least > part.most for part in parts):
        raise refusal
    paths = math.prod(part.most - part.least + 1 for part in parts)
    if paths > MOST_PATHS or paths * min(longest, sum(part.least for part in parts)) > MOST_STEPS:
        raise Invalid(
            _("Too much is left open: say how long the parts are, such as {1,20}, or how long the text may be."),
            field="pattern",
            code="pattern_too_open",
        )
    return inner


def _counted(found: re.Match[str], longest: int) -> _Part:
    match found["many"]:
        case None:
            return _Part(1, 1)
        case "?":
            return _Part(0, 1)
        case "*":
            return _Part(0, longest)
        case "+":
            return _Part(1, longest)
    least = int(found["least"])
    if not found["to"]:
        return _Part(least, least)
    return _Part(least, int(found["most"]) if found["most"] else max(least, longest))


# --- values -----------------------------------------------------------------------------------------------------------


def field_of(name: str) -> str:
    """What refusals call an attribute."""
    return f"attributes.{name}"


def checked_value(definition: Definition, value: Any) -> Any:
    """The value as it is stored: text, number, yes or no, a date in ISO 8601, or a choice; None for nothing.

    Text of a form and typed values of files and providers alike. Raises Invalid (field attributes.<name>).
    """
    field = field_of(definition.name)
    if value is None or (isinstance(value, str) and not value.strip()):
        if definition.required:
            raise Invalid(_("This is needed."), field=field, code="attribute_missing")
        return None
    match definition.type:
        case AttributeType.TEXT:
            return _text(definition, value, field)
        case AttributeType.NUMBER:
            return _number(value, field)
        case AttributeType.BOOLEAN:
            return _boolean(definition, value, field)
        case AttributeType.DATE:
            return _date(value, field)
    if not isinstance(value, str) or value not in definition.choices:
        raise Invalid(_("Choose one of the list."), field=field)
    return value


def _text(definition: Definition, value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise Invalid(_("Write text."), field=field)
    text = checked_text(value, field=field, most=definition.most or LONGEST_TEXT)
    if definition.pattern and not re.fullmatch(definition.pattern, text):
        raise Invalid(_("This doesn’t have the form that is asked for."), field=field, code="attribute_form")
    return text


def _number(value: Any, field: str) -> int | float:
    refusal = Invalid(_("Write a number."), field=field)
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise refusal
    if isinstance(value, str) and len(value) > 40:
        raise refusal
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise refusal
    if not number.is_finite() or abs(number) >= WIDEST_NUMBER:
        raise refusal
    return int(number) if number == number.to_integral_value() else float(number)


def _boolean(definition: Definition, value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid(_("Choose yes or no."), field=field)
    if definition.required and not value:
        # As with terms: what has to be ticked is ticked.
        raise Invalid(_("This is needed."), field=field, code="attribute_missing")
    return value


def _date(value: Any, field: str) -> str:
    try:
        day = value if isinstance(value, date) else date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise Invalid(_("Write a date, such as 2001-12-31."), field=field)
    return f"{day:%Y-%m-%d}" if day.year >= 1000 else f"{day.year:04}-{day:%m-%d}"


def checked_values(definitions: Iterable[Definition], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of these attributes, each checked; what is empty is left out. Raises Invalid."""
    checked = {each.name: checked_value(each, values.get(each.name)) for each in definitions}
    return {name: value for name, value in checked.items() if value is not None}


def fitting_values(definitions: Iterable[Definition], said: Mapping[str, Any]) -> dict[str, Any]:
    """What a provider says, as far as it fits; the rest is left out, since another's odd value must keep nobody out."""
    out: dict[str, Any] = {}
    for each in definitions:
        try:
            value = checked_value(each, said.get(each.name))
        except Invalid:
            continue
        if value is not None:
            out[each.name] = value
    return out
