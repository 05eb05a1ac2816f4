"""Client authentication (RFC 6749, 2.3): Basic, in the body, or none for public clients."""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import unquote_plus

from identity.applications.models import AuthMethod
from identity.gate.usable import is_usable
from identity.oauth.errors import ProtocolError, invalid_client, invalid_request
from identity.oauth.queries.clients import (
    Client,
    find_client,
    find_issuing_client,
    forget,
    key_of,
    origin_is_registered,
    remember,
    remembered,
)
from identity.oauth.queries.freshness import StaleClient
from identity.oauth.wire import NO_STORE, Parameters, Request, Response
from identity.realms.models import Realm

MAX_CLIENT_ID = 255
MAX_SECRET = 512
_REFUSED = "Client authentication failed."


def _basic(header: str) -> tuple[str, str]:
    """Client id and secret of a Basic header, each form-decoded (RFC 6749, 2.3.1). Raises ProtocolError."""
    try:
        text = base64.b64decode(header[6:].strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid_client(_REFUSED) from None
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise invalid_client(_REFUSED)
    return unquote_plus(client_id), unquote_plus(secret)


def _presented(request: Request, form: Parameters) -> tuple[str, str, str]:
    """Client id, secret and method, as the request presents them. Raises ProtocolError.

    The client that is authenticated is the client: another `client_id` beside it is an error, never a second opinion
    (OA-11, oauthlib's CVE-2026-118669).
    """
    body_id, body_secret = form.get("client_id", ""), form.get("client_secret", "")
    if not request.authorization:
        return body_id, body_secret, AuthMethod.POST if body_secret else AuthMethod.NONE
    if request.authorization[:6].lower() != "basic ":
        raise invalid_client("Use HTTP Basic, or client_secret in the body.")
    client_id, secret = _basic(request.authorization)
    if body_secret:
        raise invalid_request("Two ways of client authentication in one request.")
    if body_id and body_id != client_id:
        raise invalid_request("client_id differs from the authenticated client.")
    return client_id, secret, AuthMethod.BASIC if secret else AuthMethod.NONE


def answered[Answer](
    request: Request, form: Parameters, answer: Callable[[Client], Answer], *, issuing: bool = False
) -> Answer:
    """What `answer` gives for the calling client: authenticated if it is confidential, merely named if it is public.

    A remembered client is tried first. What it led to, errors too, counts only if a query of `answer` has proven it
    meanwhile; else its rows are read now, and `answer` is asked once more. So `answer` writes nothing before such a
    query. Raises ProtocolError, also whatever `answer` raises.
    """
    client_id, secret, method = _presented(request, form)
    if not client_id:
        raise invalid_client("Client authentication is required.")
    if len(client_id) > MAX_CLIENT_ID or len(secret) > MAX_SECRET or "\x00" in client_id:
        raise invalid_client(_REFUSED)
    key = key_of(request.realm, client_id=client_id, secret=secret, issuing=issuing)
    known = remembered(request.realm, key)
    if known is not None:
        try:
            found = answer(_admitted(request.realm, known, method))
        except StaleClient:
            pass
        except ProtocolError:
            if known.is_proven:
                raise
        else:
            if known.is_proven:
                return found
    client = (find_issuing_client if issuing else find_client)(request.realm, client_id=client_id, secret=secret)
    if client is None:
        forget(key)
        raise invalid_client(_REFUSED)
    remember(key, _admitted(request.realm, client, method))
    return answer(client)


def _admitted(realm: Realm, client: Client, method: str) -> Client:
    """The same client, if it may call. Raises ProtocolError.

    A public client that sends a secret is refused, and so is a confidential one that sends none: no mix-up lets a
    blank secret pass for a right one.
    """
    application = client.application
    if application.is_confidential:
        if not client.is_authenticated:
            raise invalid_client(_REFUSED)
        if method != application.token_endpoint_auth_method:
            raise invalid_client(f"This client is registered for {application.token_endpoint_auth_method}.")
    elif method != AuthMethod.NONE:
        raise invalid_client(_REFUSED)
    if not is_usable(realm, application=application):
        raise invalid_client("This application is disabled.")
    return client


def require_authenticated(client: Client) -> None:
    """Raises ProtocolError unless the client has proved itself by a secret."""
    if not client.is_authenticated:
        raise invalid_client("Only a client with a secret may ask this.")


# --- calls from browsers ---------------------------------------------------------------------------------------------


def preflight(request: Request, *, methods: str) -> Response:
    """The answer to a CORS preflight: origins that some active application registered, and never with credentials.

    Stops another site's script from calling with a person's cookies (OA-34); no cookie counts here anyway.
    """
    headers = {"Vary": "Origin", **NO_STORE}
    if request.cors_origin and origin_is_registered(request.realm, origin=request.cors_origin):
        headers |= {
            "Access-Control-Allow-Origin": request.cors_origin,
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Max-Age": "600",
        }
    return Response(204, b"", headers)


def shared_with(realm: Realm, client: Client, request: Request) -> dict[str, str]:
    """The CORS headers of an answer: for the origins of this very client alone."""
    if not request.cors_origin:
        return {}
    allowed = origin_is_registered(realm, origin=request.cors_origin, application_id=client.application.pk)
    return {"Vary": "Origin", **({"Access-Control-Allow-Origin": request.cors_origin} if allowed else {})}


def with_headers(problem: ProtocolError, headers: dict[str, str]) -> ProtocolError:
    """The same error, readable for a browser of an allowed origin."""
    problem.headers.update(headers)
    return problem
