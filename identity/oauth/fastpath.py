"""The protocol's hot endpoints, answered before session, CSRF, locale and message work; everything else passes on.

None but authorization looks at a cookie, so none of that work could change an answer. Two adapters of the same
handlers: a middleware right after the mount, and, under WSGI, a callable before Django itself.
"""

import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping
from http.client import responses
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from identity.kernel import sql
from identity.kernel.context import realm_scope
from identity.kernel.errors import Unavailable
from identity.kernel.naming import cookie_name
from identity.kernel.origin import origin_of_meta
from identity.oauth import paths
from identity.oauth.errors import ProtocolError
from identity.oauth.views import discovery, introspect, jwks, revoke, straight, token, userinfo
from identity.oauth.wire import MAX_BODY, MAX_QUERY, Handler, Request, Response, error_response
from identity.realms.freshness import StaleRealm, forget, remember, remembered
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
PROVES_REALM = (*HANDLERS, AUTHORIZE)
"""Where the first query proves that a remembered realm is fresh; whatever fails before it depends on no realm."""

Meta = Mapping[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
WsgiApplication = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def _respond(realm: Realm, path: str, meta: Meta, read: Callable[[int], bytes]) -> Response | None:
    """The answer to a hot endpoint's request; None if it is none, or if authorization needs a page.

    read: gives the body, of at most so many bytes. Raises StaleRealm.
    """
    handler = HANDLERS.get(path)
    if handler is None and path == AUTHORIZE and _is_posted(meta):
        handler = straight.by_get
    if handler is None and path != AUTHORIZE:
        return None
    request_id = os.urandom(8).hex()
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


def _is_posted(meta: Meta) -> bool:
    """Whether this is an authorization request in a body. A decision of the consent page has the request beside it."""
    return bool(meta["REQUEST_METHOD"] == "POST") and not meta.get("QUERY_STRING")


def _request(realm: Realm, path: str, meta: Meta, read: Callable[[int], bytes], request_id: str) -> Request:
    """Raises ProtocolError for what is too long (DS-02)."""
    length, query = str(meta.get("CONTENT_LENGTH") or "0"), str(meta.get("QUERY_STRING", ""))
    # Only ASCII digits, and few: int() refuses "²", and also ten thousand nines.
    if not re.fullmatch("[0-9]{1,19}", length) or int(length) > MAX_BODY or len(query) > MAX_QUERY:
        raise ProtocolError("invalid_request", "The request is too long.", status=413)
    method = str(meta["REQUEST_METHOD"])
    # A decision of the consent page is Django's, with its body.
    body = read(MAX_BODY + 1) if method == "POST" and (path != AUTHORIZE or _is_posted(meta)) else b""
    if len(body) > MAX_BODY:
        raise ProtocolError("invalid_request", "The request is too long.", status=413)
    session_key = ""
    if path == AUTHORIZE:
        session_key = parse_cookie(str(meta.get("HTTP_COOKIE", ""))).get(cookie_name("s", realm), "")
    return Request(
        realm=realm,
        method=method,
        query=query,
        body=body,
        content_type=str(meta.get("CONTENT_TYPE", "")),
        authorization=str(meta.get("HTTP_AUTHORIZATION", "")),
        cors_origin=str(meta.get("HTTP_ORIGIN", "")),
        session_key=session_key,
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

    try:
        response = _respond(realm, request.path_info, request.META, read)
    except StaleRealm:
        # It changed while we began.
        response = _respond(
            find_mount(request.get_host(), request.path).realm or realm, request.path_info, request.META, read
        )
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
        path, host = str(environ.get("PATH_INFO", "")), str(environ.get("HTTP_HOST", ""))
        ours = next((ending for ending in PROVES_REALM if path.endswith(ending)), None)
        if ours is None or not host or environ.get("SCRIPT_NAME"):
            return self.application(environ, start_response)
        sql.renew_connection()
        try:
            response = self._answer(environ, host, path.removesuffix(ours), ours)
        except Exception:
            logger.exception("A protocol request failed")
            response = error_response(ProtocolError("server_error", status=500))
        finally:
            sql.release_connection()
        if response is None:
            return self.application(environ, start_response)
        reason = responses.get(response.status, "")
        headers = {**response.headers, "Content-Length": str(len(response.body))}
        start_response(f"{response.status} {reason}", list(headers.items()))
        return [response.body]

    @staticmethod
    def _answer(environ: dict[str, Any], host: str, prefix: str, path: str) -> Response | None:
        body: list[bytes] = []

        def read(most: int) -> bytes:
            if not body:
                body.append(bytes(environ["wsgi.input"].read(min(most, int(environ.get("CONTENT_LENGTH") or 0)))))
            return body[0]

        for realm in (remembered(host, prefix), None):
            found = realm or _found(host, prefix, path)
            if found is None:
                return None
            try:
                with realm_scope(found):
                    return _respond(found, path, environ, read)
            except StaleRealm:
                forget(host, prefix)
        return error_response(ProtocolError("temporarily_unavailable", status=503, headers={"Retry-After": "1"}))


def _found(host: str, prefix: str, path: str) -> Realm | None:
    """The realm whose mount this is, from the database, and remembered; None if Django has to say what it is."""
    try:
        mount = find_mount(host, prefix + path)
    except NoSuchRealm:
        return None
    if mount.realm is None or mount.path != path:
        return None
    remember(host, prefix, mount.realm)
    return mount.realm
