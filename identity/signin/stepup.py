"""Before something important: was it really this person, just now, and by enough?

Nothing that was posted is kept meanwhile: a form with passwords has no place in a session. allauth's own question lets
people without a password pass, and keeps the whole request.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, overload
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_otp import login as note_otp_device
from django_otp.models import Device

from identity.accounts.models import User
from identity.kernel import clock
from identity.mfa.rules import amr_of, level_of, level_of_acr, shown_of
from identity.sessions.commands import note_authentication
from identity.sessions.rules import ACRS

FRESH = timedelta(minutes=5)

View = Callable[..., HttpResponse]


def is_fresh(request: HttpRequest, max_age: timedelta = FRESH, acr: str = "") -> bool:
    """Whether the signed-in person showed who he is within `max_age`, and the session reached `acr`."""
    row = getattr(request.session, "row", None) if request.user.is_authenticated else None
    at = row.authenticated_at if row is not None else None
    if row is None or at is None or clock.now() - at > max_age:
        return False
    return level_of_acr(row.acr) >= level_of_acr(acr) if acr else True


def note_shown(
    request: HttpRequest,
    user: User,
    *,
    method: str,
    device: str = "",
    kind: str = "",
    amr: tuple[str, ...] = (),
    address: str = "",
) -> None:
    """The signed-in person showed one more method: the session says so, and goes on under a new key (SE-02)."""
    details: dict[str, Any] = {"type": kind, "id": device, "amr": list(amr)} if method == "mfa" else {}
    record_authentication(request, user, method=method, **details, **({address: "yes"} if address else {}))
    row = request.session.row  # type: ignore[attr-defined]
    if row is not None:
        shown = shown_of(live_records(request, user))
        if "pwd" in row.amr:
            shown = [*shown_of([{"method": "password"}]), *shown]
        level = max(level_of_acr(row.acr), level_of(shown))
        values = [value for value in dict.fromkeys([*row.amr, *amr_of(shown)]) if value != "mfa"]
        note_authentication(
            session_id=row.pk,
            amr=[*values, "mfa"] if level > 1 else values,
            acr=ACRS[max(level, 1) - 1],
            at=clock.now(),
        )
    if device:
        note_otp_device(request, Device.from_persistent_id(device))
    request.session.cycle_key()


def live_records(request: HttpRequest, user: User) -> list[dict[str, Any]]:
    """What this person showed in this session, without what a factor showed that was removed since (LG-20)."""
    return [
        record
        for record in get_authentication_records(request, user)
        if record.get("method") != "mfa" or Device.from_persistent_id(str(record.get("id"))) is not None
    ]


def confirm_url(wanted: str, acr: str = "") -> str:
    """The page that asks once more, and where to go on from there."""
    query = {REDIRECT_FIELD_NAME: wanted, **({"acr": acr} if acr else {})}
    return f"{reverse('account_reauthenticate')}?{urlencode(query, safe='/')}"


@overload
def fresh_sign_in_required(view: View) -> View: ...


@overload
def fresh_sign_in_required(*, max_age: timedelta = FRESH, acr: str = "") -> Callable[[View], View]: ...


def fresh_sign_in_required(view: View | None = None, *, max_age: timedelta = FRESH, acr: str = "") -> Any:
    """The page for a person whose sign-in is fresh; else he is asked once more, then sent back to the page.

    htmx gets the address in a header: it would swap a redirect's page into the dialog.
    """

    def decorate(guarded: View) -> View:
        @wraps(guarded)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), reverse("account_login"), REDIRECT_FIELD_NAME)
            if not is_fresh(request, max_age, acr):
                return ask_again(request, acr)
            return guarded(request, *args, **kwargs)

        return asked

    return decorate(view) if view is not None else decorate


def ask_again(request: HttpRequest, acr: str = "") -> HttpResponse:
    """To the page that asks; after it back to the page that the person was on, never to what was posted."""
    htmx = getattr(request, "htmx", None)
    here = getattr(htmx, "current_url_abs_path", None) if htmx else None
    to = confirm_url(here or request.get_full_path(), acr)
    if htmx:
        response = HttpResponse(status=204)
        response.headers["HX-Redirect"] = to
        return response
    return redirect(to)
