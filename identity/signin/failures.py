"""Pages for what goes wrong before a view is reached."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _


def failure_page(request: HttpRequest, status: HTTPStatus, title: str, text: str) -> HttpResponse:
    """A plain page that asks neither database nor session: either may be what has just failed."""
    values = {
        "title": title,
        "text": text,
        "realm": getattr(request, "realm", None),
        "code": getattr(request, "request_id", ""),
    }
    return HttpResponse(render_to_string("errors/page.html", values), status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django passes it
    """403: a form was sent without this realm's token, or one that belongs to another sign-in."""
    return failure_page(
        request,
        HTTPStatus.FORBIDDEN,
        _("This form is out of date"),
        _("You were signed in or out since it was opened, or cookies are off. Load the page again, then repeat."),
    )
