"""The language of this browser's pages in this realm: a choice that anybody may make, signed in or not."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_info, to_locale
from django.views.decorators.http import require_POST

from identity.kernel.naming import cookie_name
from identity.sessions.middleware import cookie_arguments

YEAR = 365 * 24 * 3600


@cache
def offered_languages() -> tuple[tuple[str, str], ...]:
    """(code, own name) of the languages that pages really speak: the one they are written in, and those translated.

    A language without a catalog of ours would show the libraries' words translated and ours not.
    """
    folders = [Path(folder) for folder in settings.LOCALE_PATHS]
    spoken = [
        code
        for code, _name in settings.LANGUAGES
        if code == settings.LANGUAGE_CODE
        or any((folder / to_locale(code) / "LC_MESSAGES" / "django.mo").exists() for folder in folders)
    ]
    return tuple((code, str(get_language_info(code)["name_local"]).capitalize()) for code in spoken)


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
    realm = request.realm  # type: ignore[attr-defined]
    response.set_cookie(cookie_name("l", realm), language, max_age=YEAR, httponly=True, **cookie_arguments(realm))
    return response
