"""Introspection (RFC 7662): is this token good now? Asked by whom it was issued to, or by the API that it is for."""

from functools import partial
from typing import Any

from identity.kernel.naming import issuer_of
from identity.oauth import authentication, signing
from identity.oauth.errors import invalid_request
from identity.oauth.queries.clients import Client
from identity.oauth.queries.standing import LiveToken, find_access_token, live_refresh
from identity.oauth.wire import NO_STORE, Parameters, Request, Response, json_response

_COPIED = ("client_id", "sub", "aud", "iss", "exp", "iat", "jti", "auth_time", "acr", "amr", "sid", "roles")


def handle(request: Request) -> Response:
    """The response to an introspection request. Raises ProtocolError.

    Whatever is wrong with a token, the answer is the same: a caller learns nothing about tokens that it may not see
    (OA-20).
    """
    form = request.form()
    return json_response(authentication.answered(request, form, partial(_answer, request, form)), headers=NO_STORE)


def _answer(request: Request, form: Parameters, client: Client) -> dict[str, Any]:
    authentication.require_authenticated(client)
    token = form.get("token")
    if not token:
        raise invalid_request("token is missing.")
    found = signing.take_apart(token, typ=signing.ACCESS_TOKEN)
    if found is not None:
        live = find_access_token(request.realm, found, issuer=issuer_of(request.realm), asking=client.proof)
        if live is None or not _may_ask(client, live):
            return {"active": False}
        answer = {"active": True, "token_type": "Bearer", "scope": " ".join(live.scopes)}
        answer |= {name: live.claims[name] for name in _COPIED if name in live.claims}
        if live.user is not None:
            answer["username"] = live.user.get_username()
        return answer
    refresh = live_refresh(request.realm, token, client)
    if refresh is None or refresh.token.expires_at is None:
        return {"active": False}
    return {
        "active": True,
        "token_type": "refresh_token",
        "client_id": client.application.client_id,
        "sub": str(refresh.family.user_id),
        "iss": issuer_of(request.realm),
        "scope": " ".join(refresh.standing.scopes(refresh.family.scope, client.application)),
        "iat": int(refresh.token.created.timestamp()),
        "exp": int(refresh.token.expires_at.timestamp()),
    }


def _may_ask(client: Client, live: LiveToken) -> bool:
    """Its own tokens; or, as the client of an API, those whose `aud` names that API (RFC 7662, 2; OA-20)."""
    if live.application.pk == client.application.pk:
        return True
    audience = live.claims.get("aud")
    return client.acts_for is not None and client.acts_for in (audience if isinstance(audience, list) else [audience])
