"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): a client asks to sign the person out.

Nobody is signed out by a mere link: without a current hint of this very session, a page asks (OA-31). Nobody is sent
to an address that the client did not register.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from identity.applications.models import Application, UriKind
from identity.applications.queries import get_application_by_client_id, uris_of
from identity.oauth import asking
from identity.oauth.errors import ProtocolError, invalid_request
from identity.oauth.hints import Hint, read_hint
from identity.oauth.views.authorize import SeeOther
from identity.oauth.wire import MAX_QUERY, parse_parameters
from identity.sessions.commands import sign_out
from identity.sessions.models import Session

FIELDS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A checked request. back: where to send the browser afterwards, registered by the client; empty if nowhere."""

    application: Application | None
    hint: Hint | None
    back: str
    parameters: dict[str, str]


@csrf_exempt
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest) -> HttpResponse:
    """What a client sends the browser to. A POST of another site changes nothing here: it can only lead to the page."""
    try:
        asked = _checked(request, _parameters(request))
    except ProtocolError as problem:
        return _refused(request, problem)
    session, hint = _session(request), asked.hint
    current = hint is not None and not hint.is_expired
    if session is None:
        return _leave(request, asked, at_once=current)
    if current and _same(hint, session):
        _sign_out(request, session.pk)
        return _leave(request, asked, at_once=True)
    return _ask(request, asked)


@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """The page's answer, which carries the form's own token: the person wants to sign out."""
    parameters = {name: value for name in FIELDS if (value := request.POST.get(name))}
    try:
        asked = _checked(request, parameters)
    except ProtocolError as problem:
        return _refused(request, problem)
    session = _session(request)
    if session is not None:
        _sign_out(request, session.pk)
    return _leave(request, asked, at_once=True)


def _parameters(request: HttpRequest) -> dict[str, str]:
    raw = request.body if request.method == "POST" else str(request.META.get("QUERY_STRING", ""))
    if len(raw) > MAX_QUERY:
        raise invalid_request("The request is too long.")
    return parse_parameters(raw)


def _checked(request: HttpRequest, parameters: dict[str, str]) -> Asked:
    """Raises ProtocolError for a forged hint, an unknown client or an address that it did not register."""
    hint = None
    if text := parameters.get("id_token_hint"):
        hint = read_hint(request.realm, text)  # type: ignore[attr-defined]
        if hint is None:
            raise invalid_request("The id_token_hint is not an ID token of this realm.")
    client_id = parameters.get("client_id", "")
    if hint is not None and client_id and client_id != hint.client_id:
        raise invalid_request("client_id and id_token_hint name different clients.")
    application = None
    if named := client_id or (hint.client_id if hint else ""):
        application = get_application_by_client_id(named)
        if application is None:
            raise invalid_request("There is no such client.")
    back = parameters.get("post_logout_redirect_uri", "")
    if back and (application is None or back not in uris_of(application, UriKind.POST_LOGOUT)):
        raise invalid_request("The post_logout_redirect_uri is not registered for this client.")
    return Asked(application=application, hint=hint, back=back, parameters=parameters)


def _session(request: HttpRequest) -> Session | None:
    return request.session.row if request.user.is_authenticated else None  # type: ignore[attr-defined]


def _same(hint: Hint | None, session: Session) -> bool:
    if hint is None or hint.sid is None:
        return False
    return hint.sid == session.sid and hint.subject == session.user_id


def _sign_out(request: HttpRequest, session_id: UUID) -> None:
    sign_out(request.actor, session_id=session_id)  # type: ignore[attr-defined]
    logout(request)


def _ask(request: HttpRequest, asked: Asked) -> HttpResponse:
    context: dict[str, Any] = {
        "application": asked.application,
        "user": request.user,
        "action": reverse("oauth_logout_confirm"),
        "fields": {name: asked.parameters[name] for name in FIELDS if name in asked.parameters},
    }
    response = render(request, "oauth/logout.html", context)
    if asked.back:
        response._csp_config = asking.form_action(  # type: ignore[attr-defined]
            settings.SECURE_CSP, asking.origin_of_uri(asked.back)
        )
    return _unstored(response)


def _leave(request: HttpRequest, asked: Asked, *, at_once: bool) -> HttpResponse:
    """Back to the client, after a current hint or the person's own click; else a page from where a link leads back."""
    parts = urlsplit(asked.back)
    state = asked.parameters.get("state")
    query = "&".join(filter(None, (parts.query, urlencode({"state": state}) if state else "")))
    back = urlunsplit(parts._replace(query=query)) if asked.back else ""
    if back and at_once:
        return _unstored(SeeOther(back, parts.scheme))
    return _unstored(render(request, "oauth/signed_out.html", {"application": asked.application, "back": back}))


def _refused(request: HttpRequest, problem: ProtocolError) -> HttpResponse:
    context = {
        "error": problem.error,
        "description": problem.description,
        "support_code": getattr(request, "request_id", ""),
    }
    return _unstored(render(request, "oauth/error.html", context, status=400))


def _unstored(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
