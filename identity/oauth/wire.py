"""Requests and responses of the hot endpoints as plain values, so that a handler knows no transport."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

import orjson

from identity.kernel.actor import Actor, ActorKind
from identity.kernel.origin import NOWHERE, Origin
from identity.oauth.errors import ProtocolError, invalid_request
from identity.realms.models import Realm

MAX_BODY = 64 * 1024
MAX_QUERY = 16 * 1024
MAX_PARAMETERS = 64
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
FORM = "application/x-www-form-urlencoded"

Parameters = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One protocol request in one realm. `query` and `body` are raw: parsing can fail, and handlers answer for it."""

    realm: Realm
    method: str
    query: str = ""
    body: bytes = b""
    content_type: str = ""
    authorization: str = ""
    cors_origin: str = ""
    session_key: str = ""
    origin: Origin = NOWHERE
    request_id: str = ""

    def form(self) -> Parameters:
        """The parameters of a POST, which come in the body alone. Raises ProtocolError.

        A parameter in the address would end up in logs and histories, and one in both places is read differently by
        different parsers (OA-04).
        """
        if self.method != "POST":
            raise ProtocolError("invalid_request", "Use POST.", status=405, headers={"Allow": "POST"})
        if self.query:
            raise invalid_request("Parameters belong in the body.")
        if self.content_type.partition(";")[0].strip().lower() != FORM:
            raise invalid_request("The content type must be application/x-www-form-urlencoded.")
        return parse_parameters(self.body)

    def actor_for(self, application_id: Any, name: str, session_id: Any = None) -> Actor:
        """The actor of what a client does at this request."""
        return Actor(
            kind=ActorKind.APPLICATION,
            realm_id=self.realm.pk,
            id=application_id,
            session_id=session_id,
            origin=self.origin,
            request_id=self.request_id,
            name=name,
        )


@dataclass(frozen=True, slots=True)
class Response:
    """Status, body and headers of an answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Response]


def _pair(part: str) -> tuple[str, str]:
    """Name and value of form data, of which most needs no decoding. Raises ValueError for what is no UTF-8."""
    name, _, value = part.partition("=")
    if "%" in part or "+" in part:
        return unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
    return name, value


def parse_parameters(raw: bytes | str) -> dict[str, str]:
    """Parameters by name; one without a value counts as absent (RFC 6749, 3.1). Raises ProtocolError.

    A repeated name is an error, even with the same value: of two values, the check and the use could each take another
    one (parameter pollution, OA-04).
    """
    try:
        parts = (raw.decode("utf-8") if isinstance(raw, bytes) else raw).split("&")
        if len(parts) > MAX_PARAMETERS:
            raise ValueError
        pairs = [_pair(part) for part in parts if part]
    except ValueError:
        raise invalid_request("The parameters are malformed.") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise invalid_request("A parameter is repeated.")
        if "\x00" in value or "\x00" in name:
            raise invalid_request("The parameters are malformed.")
        found[name] = value
    return {name: value for name, value in found.items() if value}


def json_response(payload: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] = NO_STORE) -> Response:
    """A JSON answer; not stored by anybody unless `headers` say otherwise (RFC 6749, 5.1)."""
    body = orjson.dumps(payload)
    return Response(status, body, {"Content-Type": "application/json", **headers})


def error_response(error: ProtocolError) -> Response:
    """The JSON form of an error (RFC 6749, 5.2)."""
    payload = {"error": error.error}
    if error.description:
        payload["error_description"] = error.description
    return json_response(payload, status=error.status, headers={**NO_STORE, **error.headers})
