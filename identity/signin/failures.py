"""Pages for what goes wrong before or in a view of the door: the edge's translation of expected failures."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from identity.kernel.errors import (
    Conflict,
    Invalid,
    NotFound,
    PermissionDenied,
    RateLimited,
    RealmkeepError,
    Unavailable,
)

STATUS: dict[type[RealmkeepError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    PermissionDenied: HTTPStatus.FORBIDDEN,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    Conflict: HTTPStatus.CONFLICT,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def failure_page(request: HttpRequest, status: HTTPStatus, title: str, text: str) -> HttpResponse:
    """A plain page that asks neither database nor session: either may be what has just failed."""
    values = {
        "title": title,
        "text": text,
        "realm": getattr(request, "realm", None),
        "code": getattr(request, "request_id", ""),
    }
    return HttpResponse(render_to_string("errors/page.html", values), status=status)


def refusal_page(request: HttpRequest, error: RealmkeepError) -> HttpResponse:
    """The page of a refusal, with how long to wait where that is known (RFC 9110, 10.2.3)."""
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
    title = {
        HTTPStatus.TOO_MANY_REQUESTS: _("Let’s pause for a moment"),
        HTTPStatus.SERVICE_UNAVAILABLE: _("Busy right now"),
        HTTPStatus.NOT_FOUND: _("There is nothing here"),
        HTTPStatus.FORBIDDEN: _("This isn’t open to you"),
    }.get(status, _("That did not work"))
    response = failure_page(request, status, title, str(error.message))
    if isinstance(error, RateLimited | Unavailable):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django passes it
    """403: a form was sent without this realm's token, or one that belongs to another sign-in."""
    return failure_page(
        request,
        HTTPStatus.FORBIDDEN,
        _("This form is out of date"),
        _("You were signed in or out since it was opened, or cookies are off. Load the page again, then repeat."),
    )
