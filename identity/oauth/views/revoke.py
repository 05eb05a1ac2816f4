"""Revocation (RFC 7009): a client gives back a token, and what belongs to it goes too."""

from datetime import UTC, datetime
from functools import partial

from identity.kernel.naming import issuer_of
from identity.oauth import authentication, signing
from identity.oauth.commands.revocation import revoke_by_client
from identity.oauth.errors import invalid_request
from identity.oauth.queries.clients import Client
from identity.oauth.queries.standing import find_access_token, find_refresh
from identity.oauth.wire import NO_STORE, Parameters, Request, Response


def handle(request: Request) -> Response:
    """200, also for a token that is unknown, over or another client's: that one stays untouched (OA-16).

    Raises ProtocolError for a malformed request or failed client authentication.
    """
    if request.method == "OPTIONS":
        return authentication.preflight(request, methods="POST")
    form = request.form()
    return authentication.answered(request, form, partial(_answer, request, form))


def _answer(request: Request, form: Parameters, client: Client) -> Response:
    shared = authentication.shared_with(request.realm, client, request)
    token = form.get("token")
    if not token:
        raise authentication.with_headers(invalid_request("token is missing."), shared)
    application = client.application
    actor = request.actor_for(application.pk, application.name)
    found = signing.take_apart(token, typ=signing.ACCESS_TOKEN)
    if found is not None:
        live = find_access_token(request.realm, found, issuer=issuer_of(request.realm), asking=client.proof)
        if live is not None and live.application.pk == application.pk:
            revoke_by_client(
                actor,
                application=application,
                token_type="access_token",
                jti=live.jti,
                expires_at=datetime.fromtimestamp(live.claims["exp"], UTC),
                family_id=live.family_id,
                user_id=live.user.pk if live.user else None,
            )
    elif (
        refresh := find_refresh(request.realm, token, asking=client.proof)
    ) and refresh.token.application_id == application.pk:
        revoke_by_client(
            actor,
            application=application,
            token_type="refresh_token",
            family_id=refresh.family.pk,
            user_id=refresh.family.user_id,
        )
    return Response(200, b"", {**NO_STORE, **shared})
