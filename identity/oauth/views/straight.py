"""Authorization without a page: signed in, allowed already, nothing to ask. Everything else is `views.authorize`'s.

The same checks as there, in one query. At the first doubt it answers nothing: the whole view then decides anew, and
says what is wrong. So this path can only ever give a code that the view would have given, too.
"""

import re
from urllib.parse import quote_plus, urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from identity.gate.actors import powerless_actor
from identity.gate.grants import grant_is_usable
from identity.kernel import clock
from identity.kernel.crypto import new_secret
from identity.kernel.naming import issuer_of, prefix_of
from identity.mfa.rules import level_of_acr
from identity.oauth import asking, paths, rules
from identity.oauth.commands.drafting import Draft, draft_code
from identity.oauth.commands.issuing import Approval, issue_code
from identity.oauth.errors import ProtocolError
from identity.oauth.queries.readiness import Answer, Ready, standing_answer
from identity.oauth.wire import MAX_QUERY, Parameters, Request, Response, parse_parameters
from identity.sessions.commands import note_application_use

MAX_STATE = 2048
MAX_NONCE = 255
ASKS_MORE = ("id_token_hint", "prompt", "max_age", "acr_values", *rules.UNSUPPORTED)


def handle(request: Request) -> Response | None:
    """The redirect with a code, or None."""
    if request.method != "GET" or not request.session_key:
        return None
    try:
        return _answer(request, parse_parameters(request.query))
    except ProtocolError:
        return None


def by_get(request: Request) -> Response:
    """An authorization request by POST (OpenID Connect Core 1.0, 3.1.2.1): the same again by GET.

    So it decides nothing itself and needs no token against forgery; the consent page's own POST still does. And the
    browser brings its cookies along, which it keeps back from another site's POST (SameSite). Raises ProtocolError.
    """
    again = urlencode(request.form())
    if len(again) > MAX_QUERY:
        raise ProtocolError("invalid_request", "The request is too long.", status=413)
    target = f"{prefix_of(request.realm)}/{paths.AUTHORIZE}?{again}"
    return Response(303, b"", {"Location": target, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def checked(parameters: Parameters) -> None:
    """What can be said of a request without its client. Raises ProtocolError."""
    rules.refuse_unsupported(parameters.keys())
    if parameters.get("response_mode", "query") != "query":
        raise ProtocolError("invalid_request", "This response mode is not supported.")
    if len(parameters.get("nonce", "")) > MAX_NONCE or len(parameters.get("state", "")) > MAX_STATE:
        raise ProtocolError("invalid_request", "state or nonce is too long.")


def _answer(request: Request, parameters: Parameters) -> Response | None:
    realm, redirect_uri = request.realm, parameters.get("redirect_uri", "")
    if any(name in parameters for name in ASKS_MORE) or parameters.get("response_type") != "code":
        return None
    checked(parameters)
    challenge = rules.checked_challenge(
        parameters.get("code_challenge", ""), parameters.get("code_challenge_method", "")
    )
    draft = Draft(
        redirect_uri=redirect_uri,
        scopes=rules.split_scope(parameters.get("scope", "")),
        code_challenge=challenge,
        nonce=parameters.get("nonce", ""),
        code=new_secret(),
    )
    ready = draft_code(realm, draft, session_key=request.session_key, client_id=parameters.get("client_id", ""))
    if ready is None or not _is_signed_in(ready):
        return None
    application, user, session = ready.application, ready.user, ready.session
    if not application.allows_grant_type("authorization_code") or session.authenticated_at is None:
        return None
    if level_of_acr(session.acr) < level_of_acr(application.required_acr):
        return None
    scopes = rules.requested_scopes(parameters.get("scope", ""), application.scopes, default=())
    answer = standing_answer(
        application,
        ready.consent,
        mapped=ready.mapped,
        redirect_uri=redirect_uri,
        scopes=scopes,
        prompt=rules.Prompt(),
        now=clock.now(),
    )
    usable = grant_is_usable(
        realm, user=user, application=application, consent=ready.consent, session=session, offline=False
    )
    if not scopes or scopes != draft.scopes or answer is None or not usable:
        return None
    if not ready.is_code_kept:
        _issue(request, ready, draft, answer)
    if ready.needs_note:
        note_application_use(session, application=application)
    state = {"state": parameters["state"]} if "state" in parameters else {}
    location = answered(redirect_uri, {"code": draft.code, **state}, issuer_of(realm))
    return Response(303, b"", {"Location": location, **HEADERS})


def _issue(request: Request, ready: Ready, draft: Draft, answer: Answer) -> None:
    """The code of what was found ready, where it was not kept by the way."""
    session = ready.session
    issue_code(
        powerless_actor(ready.user, session=session, origin=request.origin, request_id=request.request_id),
        realm=request.realm,
        application=ready.application,
        session=session,
        approval=Approval(
            scopes=draft.scopes,
            redirect_uri=draft.redirect_uri,
            code_challenge=draft.code_challenge,
            nonce=draft.nonce,
            auth_time=session.authenticated_at or clock.now(),
            offline=rules.OFFLINE in draft.scopes,
            offline_until=answer.offline_until,
        ),
        code=draft.code,
    )


HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def answered(redirect_uri: str, parameters: Parameters, issuer: str) -> str:
    """The address to send the browser to, with `iss` on success and error alike (RFC 9207: mix-up)."""
    # A registered one has no fragment, so what is added at the end is the query's.
    where, _, query = redirect_uri.partition("?")
    ours = "&".join(f"{name}={_quoted(value)}" for name, value in (*parameters.items(), ("iss", issuer)))
    return f"{where}?{query}&{ours}" if query else f"{where}?{ours}"


_PLAIN = re.compile(r"[A-Za-z0-9._~-]*")


def _quoted(value: str) -> str:
    """A parameter's value in an address; most need nothing done."""
    return value if _PLAIN.fullmatch(value) else quote_plus(value)


def _is_signed_in(ready: Ready) -> bool:
    """What Django asks of a session: it names this person, our backend, and the password that is still in force.

    A person who is in the middle of a sign-in for this application goes the long way, which forgets the note of it.
    """
    data = ready.session.data
    return (
        data.get(SESSION_KEY) == str(ready.user.pk)
        and data.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(data.get(HASH_SESSION_KEY, ""), ready.user.get_session_auth_hash())
        and asking.KEY not in data
    )
