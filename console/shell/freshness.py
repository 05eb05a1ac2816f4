"""Acts that a stolen session must not be enough for: who works in a console confirms that it is he.

In a visit that is the operator, by the session of his own realm: the realm's own session has no say in it.
"""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect

from identity.kernel import clock
from identity.kernel.ids import public_id
from identity.realms.mount import realm_path
from identity.realms.queries import platform_realm
from identity.signin.stepup import FRESH, confirm_url


def is_fresh_here(request: HttpRequest) -> bool:
    """Whether the session that acts showed its person a few minutes ago at most. Without a session: no."""
    principal = getattr(request, "principal", None)
    session = principal.session if principal is not None else None
    at = session.authenticated_at if session is not None else None
    return at is not None and clock.now() - at <= FRESH


def ask_again_here(request: HttpRequest) -> HttpResponse:
    """To the page that asks, then back to the page that the person was on. What was posted is dropped."""
    htmx = getattr(request, "htmx", None)
    here = (htmx.current_url_abs_path if htmx else None) or request.get_full_path()
    to = confirm_url(here)
    if getattr(request, "visit", None) is not None:
        platform = platform_realm()
        if platform is not None:
            back = realm_path(platform, "console:realm_back", public_id("realm", request.realm.pk))  # type: ignore[attr-defined]
            wanted = f"{back}?{urlencode({'to': here}, safe='/')}"
            to = f"{realm_path(platform, 'account_reauthenticate')}?{urlencode({'next': wanted}, safe='/')}"
    return HttpResponseClientRedirect(to) if htmx else redirect(to)
