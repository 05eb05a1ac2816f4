"""Headers that keep pages where they belong: out of caches, out of foreign frames, under the right content policy."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csp import get_nonce
from django.utils.csp import CSP, build_policy

GetResponse = Callable[[HttpRequest], HttpResponse]


class SecurityHeadersMiddleware:
    """Outside Django's own policy middleware, whose header it replaces in the console. What a view set stands."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """HTML is never stored (SE-04: the back button shows nothing); only the console may be framed, by itself."""
        response = self.get_response(request)
        in_console = request.path_info.startswith("/console/") and getattr(request, "realm", None) is not None
        if in_console and not hasattr(response, "_csp_config"):
            # Unfold's related popups are frames of the same origin (DECISIONS 37).
            response.headers[str(CSP.HEADER_ENFORCE)] = build_policy(settings.CONSOLE_CSP, get_nonce(request))
        response.headers.setdefault("X-Frame-Options", "SAMEORIGIN" if in_console else "DENY")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
