"""What a failure looks like that no view expected, inside realms and outside: a page, or JSON for programs."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from console.shell.views import failed
from identity.kernel.errors import NotFound


def _answer(request: HttpRequest, status: HTTPStatus, title: str, text: str) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"error": status.phrase.lower().replace(" ", "_"), "detail": text}, status=status)
    # Without the request: the page's own furniture might need what has just failed.
    values = {
        "title": title,
        "text": text,
        "realm": getattr(request, "realm", None),
        "code": getattr(request, "request_id", ""),
    }
    return HttpResponse(render_to_string("errors/page.html", values), status=status)


def _wants_json(request: HttpRequest) -> bool:
    if request.path_info.startswith(("/api/", "/scim/", "/oauth/", "/.well-known/")):
        return True
    return "text/html" not in request.headers.get("Accept", "") and "json" in request.headers.get("Accept", "")


def _in_console(request: HttpRequest) -> bool:
    actor = getattr(request, "actor", None)
    return request.path_info.startswith("/console/") and actor is not None and actor.is_person


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """400."""
    return _answer(request, HTTPStatus.BAD_REQUEST, _("This request can’t be read"),
                   _("Something in it is malformed. Go back and try again."))  # fmt: skip


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """403 that no view explained."""
    return _answer(request, HTTPStatus.FORBIDDEN, _("This isn’t open to you"),
                   _("Nothing was changed. Sign in with another account, or ask an admin of this realm."))  # fmt: skip


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """404: the console keeps its shell, so that the way on is one click."""
    if _in_console(request) and not _wants_json(request):
        return failed(request, NotFound())
    return _answer(request, HTTPStatus.NOT_FOUND, _("There is nothing here"),
                   _("The address is wrong, or what it named is gone."))  # fmt: skip


def server_error(request: HttpRequest) -> HttpResponse:
    """500: says what holds, never why (IN-05)."""
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, _("This page failed"),
                   _("It is logged. What you did just before may not have been saved. Go back and look."))  # fmt: skip
