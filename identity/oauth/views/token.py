"""The token endpoint (RFC 6749, 3.2): codes, refresh tokens and client credentials become tokens."""

from functools import partial

from identity.kernel.actor import system_actor
from identity.kernel.errors import Unavailable
from identity.oauth import authentication
from identity.oauth.commands import ensure_signing_keys
from identity.oauth.commands.issuing import Tokens, issue_for_application, redeem_code, rotate_refresh
from identity.oauth.errors import ProtocolError, invalid_client, invalid_request
from identity.oauth.queries.clients import Client
from identity.oauth.wire import NO_STORE, Parameters, Request, Response, json_response

GRANTS = ("authorization_code", "refresh_token", "client_credentials")


def handle(request: Request) -> Response:
    """The response to a token request. Raises ProtocolError."""
    if request.method == "OPTIONS":
        return authentication.preflight(request, methods="POST")
    form = request.form()
    grant_type = form.get("grant_type", "")
    if not grant_type:
        raise invalid_request("grant_type is missing.")
    answer = partial(_answer, request, form, grant_type)
    try:
        return authentication.answered(request, form, answer, issuing=True)
    except _NoKey:
        # The realm has just chosen another algorithm: its first key of that kind is made now.
        ensure_signing_keys(system_actor(request.realm.pk, request_id=request.request_id))
        return authentication.answered(request, form, answer, issuing=True)


class _NoKey(Unavailable):
    """The realm has no key that signs."""


def _answer(request: Request, form: Parameters, grant_type: str, client: Client) -> Response:
    if client.signer is None:
        raise _NoKey
    shared = authentication.shared_with(request.realm, client, request)
    try:
        tokens = _tokens(request, form, client, grant_type)
    except ProtocolError as problem:
        raise authentication.with_headers(problem, shared)
    return json_response(tokens.answer(), headers={**NO_STORE, **shared})


def _required(form: Parameters, name: str) -> str:
    value = form.get(name)
    if not value:
        raise invalid_request(f"{name} is missing.")
    return value


def _tokens(request: Request, form: Parameters, client: Client, grant_type: str) -> Tokens:
    if grant_type not in GRANTS:
        raise ProtocolError("unsupported_grant_type", "This grant type is not supported.")
    if not client.application.allows_grant_type(grant_type):
        raise ProtocolError("unauthorized_client", "This application may not use this grant type.")
    actor = request.actor_for(client.application.pk, client.application.name)
    if grant_type == "authorization_code":
        return redeem_code(
            actor,
            realm=request.realm,
            client=client,
            code=_required(form, "code"),
            redirect_uri=form.get("redirect_uri", ""),
            code_verifier=form.get("code_verifier", ""),
        )
    if grant_type == "refresh_token":
        return rotate_refresh(
            actor,
            realm=request.realm,
            client=client,
            refresh_token=_required(form, "refresh_token"),
            scope=form.get("scope", ""),
        )
    if not client.is_authenticated:
        raise invalid_client("Client credentials need a secret.")
    return issue_for_application(actor, realm=request.realm, client=client, scope=form.get("scope", ""))
