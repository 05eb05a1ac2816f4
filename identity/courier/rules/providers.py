"""Pure decisions about providers of short messages: what each kind needs, and what a gateway's request looks like."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.utils.translation import gettext_lazy as _

from identity.courier.models import SmsProviderKind
from identity.kernel.errors import Invalid, Text

MAX_PROVIDERS = 8
"""So that all of them in a row, each until its deadline, are over before another worker takes the message."""

PLACEHOLDERS = frozenset({"to", "text", "id", "secret"})
METHODS = ("POST", "PUT", "GET")
BODY_KINDS = ("json", "form", "none")
MAX_BODY = 4000
MAX_HEADERS = 20
MAX_SECRET = 2000
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]*)\}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "content-type"})

PLAIN_JSON: dict[str, Any] = {
    "url": "",
    "method": "POST",
    "body_kind": "json",
    "body": '{"to": "{to}", "text": "{text}", "id": "{id}"}',
    "headers": {"Authorization": "Bearer {secret}"},
}
"""The preset of a plain JSON gateway: what most of them take."""


@dataclass(frozen=True, slots=True)
class Field:
    """One text of a provider's settings or secrets: its form, and what is said of another one."""

    form: re.Pattern[str]
    refusal: Text
    required: bool = True


_SID = _("Copy it from Twilio’s console: two letters and 32 hexadecimal digits.")
_ACCOUNT = Field(re.compile(r"AC[0-9a-f]{32}"), _SID)
_API_KEY = Field(re.compile(r"(?:SK[0-9a-f]{32})?"), _SID, required=False)
_SECRET = Field(re.compile(r"[\x21-\x7e]{8,2000}"), _("Paste it whole: at least 8 signs, without spaces."))

SETTINGS: Mapping[str, Mapping[str, Field]] = {
    SmsProviderKind.TWILIO: {
        "account_sid": _ACCOUNT,
        "api_key_sid": _API_KEY,
        "sender": Field(
            re.compile(r"\+[1-9]\d{6,14}|MG[0-9a-f]{32}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}|\d{3,8}"),
            _("Use a number with its country code, a sender name of up to 11 letters, or a messaging service (MG…)."),
        ),
    },
    SmsProviderKind.TWILIO_VERIFY: {
        "account_sid": _ACCOUNT,
        "api_key_sid": _API_KEY,
        "service_sid": Field(re.compile(r"VA[0-9a-f]{32}"), _SID),
    },
    SmsProviderKind.SNS: {
        "region": Field(re.compile(r"[a-z]{2}(?:-[a-z]{1,12}){1,3}-\d{1,2}"), _("Such as eu-central-1.")),
        "access_key_id": Field(re.compile(r"[A-Z0-9]{16,128}"), _("Copy it from AWS: capital letters and digits.")),
        "sender": Field(
            re.compile(r"(?:(?=.*[A-Za-z])[A-Za-z0-9]{1,11})?"),
            _("Use up to 11 letters and digits, at least one letter."),
            required=False,
        ),
    },
}
"""Kind → the texts of its settings. A gateway's are checked by `checked_gateway`."""

SECRETS: Mapping[str, Mapping[str, Field]] = {
    SmsProviderKind.TWILIO: {"auth_token": _SECRET},
    SmsProviderKind.TWILIO_VERIFY: {"auth_token": _SECRET},
    SmsProviderKind.SNS: {"secret_access_key": _SECRET},
    SmsProviderKind.HTTP: {
        "secret": Field(re.compile(r"[\x20-\x7e]{0,2000}"), _("Use at most 2000 plain signs."), required=False)
    },
}
"""Kind → its secrets, which are sealed and never shown again."""


def checked_name(name: str) -> str:
    """A provider's name, as the realm's people call it. Raises Invalid (field name)."""
    name = " ".join(name.split())
    if not name or len(name) > 100 or not name.isprintable():
        raise Invalid(_("Give it a name of up to 100 characters."), field="name")
    return name


def checked_kind(kind: str) -> SmsProviderKind:
    """Raises Invalid (field kind)."""
    if kind not in SmsProviderKind.values:
        raise Invalid(_("Choose one of: %(choices)s.") % {"choices": ", ".join(SmsProviderKind.values)}, field="kind")
    return SmsProviderKind(kind)


def checked_provider_settings(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a provider, nothing else, each in its form. Raises Invalid, naming the field."""
    if kind == SmsProviderKind.HTTP:
        return checked_gateway(settings)
    return _checked_fields(SETTINGS[kind], settings)


def checked_secrets(kind: str, secrets: Mapping[str, Any]) -> dict[str, str]:
    """All secrets of a provider. Raises Invalid, naming the field."""
    return _checked_fields(SECRETS[kind], secrets)


def _checked_fields(known: Mapping[str, Field], given: Mapping[str, Any]) -> dict[str, str]:
    for name in given:
        if name not in known:
            raise Invalid(_("There is no such setting."), field=name)
    out: dict[str, str] = {}
    for name, field in known.items():
        value = given.get(name, "")
        text = value.strip() if isinstance(value, str) else None
        if text is None or (field.required and not text) or not field.form.fullmatch(text):
            raise Invalid(field.refusal if text else _("This is needed."), field=name)
        if text:
            out[name] = text
    return out


# --- gateways ---------------------------------------------------------------------------------------------------------

_GATEWAY = {
    "url", "method", "headers", "body_kind", "body", "success_from", "success_to", "success_path", "success_values",
    "success_text", "refused_text",
}  # fmt: skip
_PATH = re.compile(r"(?:[A-Za-z0-9_-]{1,60}(?:\.[A-Za-z0-9_-]{1,60}){0,9})?")


def checked_gateway(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a gateway, whole. Raises Invalid, naming the field.

    The body is a template that is taken apart before a value is put in (`filled`), so a text with a quotation mark or
    an ampersand stays a text. Words to look for know `*` alone: a regular expression that a realm wrote could keep the
    worker busy for all realms.
    """
    for name in given:
        if name not in _GATEWAY:
            raise Invalid(_("There is no such setting."), field=name)
    out: dict[str, Any] = {
        "url": _checked_url(given.get("url", "")),
        "method": _one_of("method", given.get("method", "POST"), METHODS),
        "body_kind": _one_of("body_kind", given.get("body_kind", "json"), BODY_KINDS),
        "headers": _checked_headers(given.get("headers", {})),
        "body": _text("body", given.get("body", ""), MAX_BODY).strip(),
        "success_from": _status("success_from", given.get("success_from", 200)),
        "success_to": _status("success_to", given.get("success_to", 299)),
        "success_path": _text("success_path", given.get("success_path", ""), 200),
        "success_values": _checked_values(given.get("success_values", [])),
        "success_text": _text("success_text", given.get("success_text", ""), 200),
        "refused_text": _text("refused_text", given.get("refused_text", ""), 200),
    }
    if out["success_from"] > out["success_to"]:
        raise Invalid(_("This can’t be smaller than where the range begins."), field="success_to")
    if not _PATH.fullmatch(out["success_path"]):
        raise Invalid(_("Names and numbers with dots between them, such as messages.0.status."), field="success_path")
    if bool(out["success_path"]) != bool(out["success_values"]):
        field = "success_values" if out["success_path"] else "success_path"
        raise Invalid(_("A place in the answer and the values that it must have belong together."), field=field)
    _refuse_unusable_body(out)
    return {name: value for name, value in out.items() if value not in ("", [], {})}


def _checked_url(url: Any) -> str:
    text = _text("url", url, 1000).strip()
    parts = urlsplit(text) if text.isascii() else None
    if parts is None or parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise Invalid(_("Type a whole address that begins with https://."), field="url")
    if "{" in parts.netloc + parts.path or parts.fragment:
        raise Invalid(_("Placeholders can stand behind the question mark, not before it."), field="url")
    _refuse_unknown("url", text)
    return text


def _checked_headers(headers: Any) -> dict[str, str]:
    if not isinstance(headers, Mapping) or len(headers) > MAX_HEADERS:
        raise Invalid(_("Give at most %(most)s headers.") % {"most": MAX_HEADERS}, field="headers")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(str(name)) or str(name).lower() in _OURS:
            raise Invalid(_("“%(name)s” can’t be a header here.") % {"name": str(name)[:60]}, field="headers")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > 500:
            raise Invalid(_("A header’s value is one line of plain signs."), field="headers")
        _refuse_unknown("headers", value)
        if str(name).lower() in ("authorization", "x-api-key") and "{secret}" not in value:
            # What is written here is shown again; a key is not.
            raise Invalid(_("Write {secret} where the key goes, and the key itself below."), field="headers")
    return {str(name): value for name, value in headers.items()}


def _checked_values(values: Any) -> list[str]:
    if (
        not isinstance(values, list)
        or len(values) > 20
        or not all(isinstance(v, str) and len(v) <= 100 for v in values)
    ):
        raise Invalid(_("Give a list of up to 20 values."), field="success_values")
    return [value.strip() for value in values if value.strip()]


def _text(name: str, value: Any, most: int) -> str:
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise Invalid(_("Use at most %(most)s characters.") % {"most": most}, field=name)
    return value


def _one_of(name: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise Invalid(_("Choose one of: %(choices)s.") % {"choices": ", ".join(choices)}, field=name)
    return str(value)


def _status(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 599:
        raise Invalid(_("A status is a number between 100 and 599."), field=name)
    return value


def _refuse_unknown(field: str, text: str) -> None:
    for name in _PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            raise Invalid(_("There is no placeholder {%(name)s}.") % {"name": name[:30]}, field=field)


def _refuse_unusable_body(out: Mapping[str, Any]) -> None:
    if out["method"] == "GET" and out["body_kind"] != "none":
        raise Invalid(_("A GET request has no body: put the placeholders into the address."), field="body_kind")
    body = out["body"] if out["body_kind"] != "none" else ""
    if out["body_kind"] == "json":
        try:
            if not isinstance(json.loads(body), dict | list):
                raise ValueError
        except (ValueError, RecursionError):
            raise Invalid(_("Write JSON, with the placeholders inside quotation marks."), field="body") from None
        for text in _texts_of(json.loads(body)):
            _refuse_unknown("body", text)
    else:
        _refuse_unknown("body", body)
    everywhere = body + urlsplit(out["url"]).query
    for needed in ("{to}", "{text}"):
        if needed not in everywhere:
            raise Invalid(
                _("%(name)s has to stand somewhere in the body or address.") % {"name": needed},
                field="url" if out["body_kind"] == "none" else "body",
            )


def _texts_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for key, inner in value.items() for text in (str(key), *_texts_of(inner))]
    return [text for inner in value for text in _texts_of(inner)] if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out to a gateway."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


def filled(gateway: Mapping[str, Any], values: Mapping[str, str]) -> Request:
    """The request with its values in place. Each is put into a part that was taken out of the template before.

    Stops a text from ending its own quotation mark and adding a receiver of its own (IN-08): JSON is written from
    values, form fields and the query are encoded, a header keeps one line.
    """

    def put(text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)

    parts = urlsplit(gateway["url"])
    query = urlencode([(put(name), put(value)) for name, value in parse_qsl(parts.query, keep_blank_values=True)])
    headers = {name: _one_header_line(put(value)) for name, value in gateway.get("headers", {}).items()}
    body: bytes | None = None
    if gateway["body_kind"] == "json":
        body = json.dumps(_put_into(json.loads(gateway["body"]), put), ensure_ascii=False).encode()
        headers["Content-Type"] = "application/json"
    elif gateway["body_kind"] == "form":
        pairs = parse_qsl(gateway["body"].replace("\n", "&"), keep_blank_values=True)
        body = urlencode([(put(name.strip()), put(value.strip())) for name, value in pairs]).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    return Request(gateway["method"], urlunsplit(parts._replace(query=query)), headers, body)


def _put_into(value: Any, put: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return put(value)
    if isinstance(value, dict):
        return {put(key): _put_into(inner, put) for key, inner in value.items()}
    return [_put_into(inner, put) for inner in value] if isinstance(value, list) else value


def _one_header_line(value: str) -> str:
    return "".join(char for char in value if char.isprintable() and char.isascii())


def is_taken(gateway: Mapping[str, Any], status: int, body: bytes) -> bool:
    """Whether an answer means that the gateway took the message."""
    if not gateway.get("success_from", 200) <= status <= gateway.get("success_to", 299):
        return False
    if path := gateway.get("success_path"):
        return _at(body, path) in gateway.get("success_values", [])
    words = gateway.get("success_text")
    return not words or is_like(body.decode(errors="replace"), words)


def is_refused(gateway: Mapping[str, Any], body: bytes) -> bool:
    """Whether an answer means that this number gets nothing, from nobody."""
    words = gateway.get("refused_text")
    return bool(words) and is_like(body.decode(errors="replace"), str(words))


def _at(body: bytes, path: str) -> str | None:
    """The value at a place of a JSON answer, as text; None when there is nothing."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for step in path.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def is_like(text: str, words: str) -> bool:
    """Whether the parts between the stars of `words` stand in `text` in this order, in whatever case."""
    text, at = text.casefold(), 0
    for part in words.casefold().split("*"):
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def destination_of(kind: str, settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """Where a provider's secret goes, and as what; another place asks for the secret anew.

    Stops whoever may change settings from having a sealed secret sent to himself (AC-10): to another host, to another
    path of a host that others have a place on, too, or as the text of a message to his own number.
    """
    if kind != SmsProviderKind.HTTP:
        return (kind,)
    parts = urlsplit(str(settings.get("url", "")))
    headers = sorted(f"{name.lower()}: {value}" for name, value in settings.get("headers", {}).items())
    # Whole, not only where a placeholder is seen: JSON and addresses have more than one way to write one.
    return (f"{parts.scheme}://{parts.netloc}".lower(), parts.path, parts.query, settings.get("body", ""), *headers)
