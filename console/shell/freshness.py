"""Acts that a stolen session must not be enough for: who works in a console confirms that it is he.

In a visit that is the operator, by the session of his own realm: the realm's own session has no say in it.
"""

from contextlib import nullcontext
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect

from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id
from identity.mfa.queries import has_second_factor
from identity.realms.mount import realm_path
from identity.realms.queries import platform_realm
from identity.signin.stepup import BY_FACTOR, FRESH, confirm_url, showed_factor_in


def is_fresh_here(request: HttpRequest) -> bool:
    """Whether the session that acts showed its person a few minutes ago at most, by his second factor if he has one.

    Without a session: no.
    """
    principal = getattr(request, "principal", None)
    session = principal.session if principal is not None else None
    at = session.authenticated_at if session is not None else None
    if principal is None or principal.user is None or session is None or at is None or clock.now() - at > FRESH:
        return False
    # In a visit, session and factors are of the operator's own realm.
    platform = platform_realm() if principal.visit is not None else None
    with realm_scope(platform) if platform is not None else nullcontext():
        return showed_factor_in(session.data, principal.user)


def ask_again_here(request: HttpRequest) -> HttpResponse:
    """To the page that asks, then back to the page that the person was on. What was posted is dropped."""
    htmx = getattr(request, "htmx", None)
    here = (htmx.current_url_abs_path if htmx else None) or request.get_full_path()
    principal = getattr(request, "principal", None)
    by_factor = principal is not None and principal.user is not None and has_second_factor(principal.user)
    to = confirm_url(here, by_factor=by_factor)
    if getattr(request, "visit", None) is not None:
        platform = platform_realm()
        if platform is not None:
            back = realm_path(platform, "console:realm_back", public_id("realm", request.realm.pk))  # type: ignore[attr-defined]
            wanted = f"{back}?{urlencode({'to': here}, safe='/')}"
            query = {"next": wanted, **({"by": BY_FACTOR} if by_factor else {})}
            to = f"{realm_path(platform, 'account_reauthenticate')}?{urlencode(query, safe='/')}"
    return HttpResponseClientRedirect(to) if htmx else redirect(to)
