"""UserInfo (OpenID Connect Core 1.0, 5.3): who the person of an access token is, as of now."""

from identity.kernel.naming import issuer_of
from identity.oauth import authentication, rules, signing
from identity.oauth.errors import ProtocolError, invalid_request, invalid_token
from identity.oauth.queries.clients import origin_is_registered
from identity.oauth.queries.standing import LiveToken, find_access_token
from identity.oauth.tokens import userinfo_claims
from identity.oauth.wire import FORM, NO_STORE, Request, Response, json_response, parse_parameters


def handle(request: Request) -> Response:
    """The claims of the granted scopes. Raises ProtocolError."""
    if request.method == "OPTIONS":
        return authentication.preflight(request, methods="GET, POST")
    if request.method not in ("GET", "POST"):
        raise ProtocolError("invalid_request", "Use GET or POST.", status=405, headers={"Allow": "GET, POST"})
    found = signing.take_apart(_bearer(request), typ=signing.ACCESS_TOKEN)
    live = found and find_access_token(request.realm, found, issuer=issuer_of(request.realm))
    if not live or live.user is None:
        raise invalid_token()
    shared = _shared(request, live)
    if rules.OPENID not in live.scopes:
        raise ProtocolError(
            "insufficient_scope",
            "The scope openid is needed.",
            status=403,
            headers={**shared, "WWW-Authenticate": 'Bearer error="insufficient_scope", scope="openid"'},
        )
    return json_response(userinfo_claims(live.user, live.scopes, live.mapped), headers={**NO_STORE, **shared})


def _bearer(request: Request) -> str:
    """The access token, from the header or the body (RFC 6750, 2). Never from the address, where logs would keep it."""
    scheme, _, token = request.authorization.partition(" ")
    in_body = ""
    if request.method == "POST" and request.content_type.partition(";")[0].strip().lower() == FORM:
        in_body = parse_parameters(request.body).get("access_token", "")
    if request.authorization and in_body:
        raise invalid_request("Two access tokens in one request.")
    if in_body:
        return in_body
    if scheme.lower() != "bearer" or not token.strip():
        # Without any attempt, the challenge names no error (RFC 6750, 3.1).
        raise ProtocolError("invalid_token", status=401, headers={"WWW-Authenticate": "Bearer"})
    return token.strip()


def _shared(request: Request, live: LiveToken) -> dict[str, str]:
    if not request.cors_origin:
        return {}
    allowed = origin_is_registered(request.realm, origin=request.cors_origin, application_id=live.application.pk)
    return {"Vary": "Origin", **({"Access-Control-Allow-Origin": request.cors_origin} if allowed else {})}
