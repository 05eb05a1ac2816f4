"""Headers that keep pages where they belong: out of caches, out of frames, under the right content policy."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]


class SecurityHeadersMiddleware:
    """Runs outside the CSP middleware's neighbors that write; what a view set itself stands."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """HTML inside a realm is never stored; only the console may be framed, and only by itself (DECISIONS 37)."""
        response = self.get_response(request)
        in_console = request.path_info.startswith("/console/")
        response.headers.setdefault("X-Frame-Options", "SAMEORIGIN" if in_console else "DENY")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        """Nothing to do before the view."""

    def process_template_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Kept for responses that render late."""
        return response


_ = settings
