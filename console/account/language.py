"""The language of this browser's pages in this realm: a choice that anybody may make, signed in or not."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from identity.kernel.naming import cookie_name
from identity.sessions.middleware import cookie_arguments

YEAR = 365 * 24 * 3600


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the choice in the realm's own cookie and go back. Only back to a page of this host (LG-22)."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest("language")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = reverse("account_login")
    response = HttpResponseRedirect(back)
    remember_language(request, response, language)
    return response


def remember_language(request: HttpRequest, response: HttpResponse, language: str | None) -> None:
    """Keep a choice in the realm's own cookie; None forgets it."""
    realm = request.realm  # type: ignore[attr-defined]
    name, arguments = cookie_name("l", realm), cookie_arguments(realm)
    if language is None:
        response.delete_cookie(name, path=arguments["path"], samesite=arguments["samesite"])
    else:
        response.set_cookie(name, language, max_age=YEAR, httponly=True, **arguments)
