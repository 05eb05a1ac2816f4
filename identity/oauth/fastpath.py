"""The protocol's hot endpoints, answered before session, CSRF, locale and message work; everything else passes on.

None but authorization looks at a cookie, so none of that work could change an answer.
"""

from collections.abc import Callable
from uuid import uuid4

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from identity.kernel.errors import Unavailable
from identity.kernel.naming import cookie_name
from identity.kernel.origin import origin_of_request
from identity.oauth import paths
from identity.oauth.errors import ProtocolError
from identity.oauth.views import discovery, introspect, jwks, revoke, straight, token, userinfo
from identity.oauth.wire import MAX_BODY, MAX_QUERY, Handler, Request, Response, error_response

HANDLERS: dict[str, Handler] = {
    f"/{paths.TOKEN}": token.handle,
    f"/{paths.REVOKE}": revoke.handle,
    f"/{paths.INTROSPECT}": introspect.handle,
    f"/{paths.USERINFO}": userinfo.handle,
    f"/{paths.JWKS}": jwks.handle,
    f"/{paths.OPENID_CONFIGURATION}": discovery.handle,
    f"/{paths.SERVER_METADATA}": discovery.handle,
}


_AUTHORIZE = f"/{paths.AUTHORIZE}"


class ProtocolMiddleware:
    """Right after the mount: a token request needs nothing of the chain behind it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer if it is one of ours, else pass on."""
        realm = request.realm  # type: ignore[attr-defined]
        if realm is None:
            return self.get_response(request)
        if handler := HANDLERS.get(request.path_info):
            return answer(handler, request)
        if request.path_info == _AUTHORIZE and (response := _straight(request)):
            return response
        return self.get_response(request)


def _straight(request: HttpRequest) -> HttpResponse | None:
    """Authorization that needs no page is answered here; whatever else, the whole chain has its say."""
    request_id = uuid4().hex[:16]
    try:
        response = straight.handle(_read(request, request_id))
    except ProtocolError:
        return None
    return _written(response, request_id) if response is not None else None


def view(path: str) -> Callable[[HttpRequest], HttpResponse]:
    """The same endpoint as a view, for `reverse()` and for whoever runs without the middleware."""
    handler = HANDLERS[f"/{path}"]

    @csrf_exempt
    def endpoint(request: HttpRequest) -> HttpResponse:
        return answer(handler, request)

    return endpoint


def answer(handler: Handler, request: HttpRequest) -> HttpResponse:
    """Django's request as a value to the handler, and its answer back."""
    request_id = getattr(request, "request_id", "") or uuid4().hex[:16]
    try:
        response = handler(_read(request, request_id))
    except ProtocolError as problem:
        response = error_response(problem)
    except Unavailable as problem:
        error = ProtocolError("temporarily_unavailable", status=503, headers={"Retry-After": str(problem.retry_after)})
        response = error_response(error)
    return _written(response, request_id)


def _read(request: HttpRequest, request_id: str) -> Request:
    """Raises ProtocolError for what is too long (DS-02)."""
    meta = request.META
    length = str(meta.get("CONTENT_LENGTH") or "0")
    if not length.isdigit() or int(length) > MAX_BODY or len(meta.get("QUERY_STRING", "")) > MAX_QUERY:
        raise ProtocolError("invalid_request", "The request is too long.", status=413)
    try:
        body = request.body if request.method == "POST" else b""
    except (RequestDataTooBig, UnreadablePostError):
        raise ProtocolError("invalid_request", "The request is too long.", status=413) from None
    if len(body) > MAX_BODY:
        raise ProtocolError("invalid_request", "The request is too long.", status=413)
    return Request(
        realm=request.realm,  # type: ignore[attr-defined]
        method=request.method or "",
        query=str(meta.get("QUERY_STRING", "")),
        body=body,
        content_type=str(meta.get("CONTENT_TYPE", "")),
        authorization=str(meta.get("HTTP_AUTHORIZATION", "")),
        cors_origin=str(meta.get("HTTP_ORIGIN", "")),
        session_key=_session_key(request) if request.path_info == _AUTHORIZE else "",
        origin=origin_of_request(request),
        request_id=request_id,
    )


def _session_key(request: HttpRequest) -> str:
    return request.COOKIES.get(cookie_name("s", request.realm), "")  # type: ignore[attr-defined]


def _written(response: Response, request_id: str) -> HttpResponse:
    return HttpResponse(
        response.body,
        status=response.status,
        headers={"X-Content-Type-Options": "nosniff", "X-Request-ID": request_id, **response.headers},
    )
