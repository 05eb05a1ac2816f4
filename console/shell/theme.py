"""A realm's colors as a stylesheet, and each person's choice between light, dark and the system's."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import condition, require_POST, require_safe

from console.shell.colors import stylesheet
from identity.realms.rules import DEFAULT_ACCENT

COOKIE = "rk_theme"
CHOICES = ("light", "dark", "system")
YEAR = 365 * 24 * 3600


def accent_of_request(request: HttpRequest) -> str:
    """The realm's brand color in hex."""
    branding: dict[str, Any] = getattr(getattr(request, "realm", None), "branding", None) or {}
    return str(branding.get("accent") or DEFAULT_ACCENT)


def chosen_theme(request: HttpRequest) -> str:
    """light, dark or system: a choice of this browser. It says nothing secret, so all realms of a host share it."""
    value = request.COOKIES.get(COOKIE, "system")
    return value if value in CHOICES else "system"


@require_safe
@condition(etag_func=lambda request: f'"{accent_of_request(request).strip("#")}"')
def theme_css(request: HttpRequest) -> HttpResponse:
    """The stylesheet. A URL and never an inline style, which a strict CSP refuses after a history restore."""
    response = HttpResponse(stylesheet(accent_of_request(request)), content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    return response


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the choice. Scripts set the cookie themselves; this is the way without them."""
    choice = request.POST.get("theme", "")
    if choice not in CHOICES:
        return HttpResponseBadRequest("theme")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = reverse("console:index")
    response = HttpResponseRedirect(back)
    response.set_cookie(COOKIE, choice, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return response
