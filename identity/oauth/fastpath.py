"""The protocol's hot endpoints, answered before session, CSRF, locale and message work; everything else passes on.

None but authorization looks at a cookie, so none of that work could change an answer. Two adapters of the same
handlers: a middleware right after the mount, and, under WSGI, a callable before Django itself.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.core.exceptions import RequestDataTooBig
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from identity.kernel.context import realm_scope
from identity.kernel.errors import Unavailable
from identity.kernel.naming import cookie_name
from identity.kernel.origin import origin_of_meta
from identity.oauth import paths
from identity.oauth.errors import ProtocolError
from identity.oauth.views import discovery, introspect, jwks, revoke, straight, token, userinfo
from identity.oauth.wire import MAX_BODY, MAX_QUERY, Handler, Request, Response, error_response
from identity.realms.models import Realm
from identity.realms.mount import NoSuchRealm, find_mount

logger = logging.getLogger(__name__)

AUTHORIZE = f"/{paths.AUTHORIZE}"
HANDLERS: dict[str, Handler] = {
    f"/{paths.TOKEN}": token.handle,
    f"/{paths.REVOKE}": revoke.handle,
    f"/{paths.INTROSPECT}": introspect.handle,
    f"/{paths.USERINFO}": userinfo.handle,
    f"/{paths.JWKS}": jwks.handle,
    f"/{paths.OPENID_CONFIGURATION}": discovery.handle,
    f"/{paths.SERVER_METADATA}": discovery.handle,
}
_ENDINGS = (*HANDLERS, AUTHORIZE)

Meta = Mapping[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
WsgiApplication = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def _respond(realm: Realm, path: str, meta: Meta, read: Callable[[int], bytes]) -> Response | None:
    """The answer to a hot endpoint's request; None if it is none, or if authorization needs a page.

    read: gives the body, of at most so many bytes.
    """
    handler = HANDLERS.get(path)
    if handler is None and path != AUTHORIZE:
        return None
    request_id = uuid4().hex[:16]
    try:
        request = _request(realm, path, meta, read, request_id)
        response = straight.handle(request) if handler is None else handler(request)
    except ProtocolError as problem:
        response = None if handler is None else error_response(problem)
    except Unavailable as problem:
        error = ProtocolError("temporarily_unavailable", status=503, headers={"Retry-After": str(problem.retry_after)})
        response = error_response(error)
    if response is None:
        return None
    headers = {"X-Content-Type-Options": "nosniff", "X-Request-ID": request_id, **response.headers}
    return Response(response.status, response.body, headers)


def _request(realm: Realm, path: str, meta: Meta, read: Callable[[int], bytes], request_id: str) -> Request:
    """Raises ProtocolError for what is too long (DS-02)."""
    length, query = str(meta.get("CONTENT_LENGTH") or "0"), str(meta.get("QUERY_STRING", ""))
    if not length.isdigit() or int(length) > MAX_BODY or len(query) > MAX_QUERY:
        raise ProtocolError("invalid_request", "The request is too long.", status=413)
    method = str(meta["REQUEST_METHOD"])
    body = read(MAX_BODY + 1) if method == "POST" else b""
    if len(body) > MAX_BODY:
        raise ProtocolError("invalid_request", "The request is too long.", status=413)
    cookies = parse_cookie(str(meta.get("HTTP_COOKIE", ""))) if path == AUTHORIZE else {}
    return Request(
        realm=realm,
        method=method,
        query=query,
        body=body,
        content_type=str(meta.get("CONTENT_TYPE", "")),
        authorization=str(meta.get("HTTP_AUTHORIZATION", "")),
        cors_origin=str(meta.get("HTTP_ORIGIN", "")),
        session_key=cookies.get(cookie_name("s", realm), ""),
        origin=origin_of_meta(meta),
        request_id=request_id,
    )


class ProtocolMiddleware:
    """Right after the mount: a token request needs nothing of the chain behind it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer if it is one of ours, else pass on."""
        return answer(request) or self.get_response(request)


def answer(request: HttpRequest) -> HttpResponse | None:
    """Django's request as a value to the handler, and its answer back."""
    realm: Realm | None = request.realm  # type: ignore[attr-defined]
    if realm is None:
        return None

    def read(most: int) -> bytes:
        try:
            return request.body[:most]
        except (RequestDataTooBig, UnreadablePostError):
            raise ProtocolError("invalid_request", "The request is too long.", status=413) from None

    response = _respond(realm, request.path_info, request.META, read)
    return response and HttpResponse(response.body, status=response.status, headers=dict(response.headers))


@csrf_exempt
def view(request: HttpRequest) -> HttpResponse:
    """The same endpoints as a view, for `reverse()` and for whoever runs without the middleware."""
    return answer(request) or HttpResponse(status=404)


class ProtocolFirst:
    """Under WSGI: the same, before Django makes a request object of it. What is not ours, Django gets untouched."""

    def __init__(self, application: WsgiApplication) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """A WSGI application."""
        path = str(environ.get("PATH_INFO", ""))
        # An address of RFC 8414's inserted form goes the ordinary way, as does whatever has no Host or is mounted.
        if not path.endswith(_ENDINGS) or environ.get("SCRIPT_NAME") or "HTTP_HOST" not in environ:
            return self.application(environ, start_response)
        close_old_connections()
        try:
            response = self._answer(environ, path)
        finally:
            close_old_connections()
        if response is None:
            return self.application(environ, start_response)
        reason = HTTPStatus(response.status).phrase
        headers = {**response.headers, "Content-Length": str(len(response.body))}
        start_response(f"{response.status} {reason}", list(headers.items()))
        return [response.body]

    @staticmethod
    def _answer(environ: dict[str, Any], path: str) -> Response | None:
        try:
            mount = find_mount(str(environ["HTTP_HOST"]), path)
        except NoSuchRealm:
            return None
        if mount.realm is None:
            return None
        length = str(environ.get("CONTENT_LENGTH") or "0")

        def read(most: int) -> bytes:
            return bytes(environ["wsgi.input"].read(min(most, int(length))))

        try:
            with realm_scope(mount.realm):
                return _respond(mount.realm, mount.path, environ, read)
        except Exception:
            logger.exception("A protocol request failed")
            return error_response(ProtocolError("server_error", status=500))
