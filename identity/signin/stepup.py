"""Before something important: was it really this person, just now?"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from identity.kernel import clock

FRESH = timedelta(minutes=5)

View = Callable[..., HttpResponse]


def is_fresh(request: HttpRequest, max_age: timedelta = FRESH) -> bool:
    """Whether the signed-in person showed who he is within `max_age`: at sign-in, or by confirming it since."""
    row = getattr(request.session, "row", None) if request.user.is_authenticated else None
    at = row.authenticated_at if row is not None else None
    return at is not None and clock.now() - at <= max_age


def confirm_url(wanted: str) -> str:
    """The page that asks once more, and where to go on from there."""
    return f"{reverse('account_reauthenticate')}?{urlencode({REDIRECT_FIELD_NAME: wanted}, safe='/')}"


def fresh_sign_in_required(view: View) -> View:
    """The page for a person whose sign-in is fresh; else the password is asked first, then back to the page.

    What was posted is not kept meanwhile: a form with passwords has no place in a session. allauth's own question lets
    people without a password pass, and keeps the whole request.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("account_login"), REDIRECT_FIELD_NAME)
        if not is_fresh(request):
            return redirect(confirm_url(request.get_full_path()))
        return view(request, *args, **kwargs)

    return guarded
