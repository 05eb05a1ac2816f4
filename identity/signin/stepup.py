"""Before something important: was it really this person, just now, and by enough?

Nothing that was posted is kept meanwhile: a form with passwords has no place in a session. allauth's own question lets
people without a password pass, and keeps the whole request.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, cast, overload
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
from identity.mfa.queries import factor_shown_at, has_second_factor, shown_in_session
from identity.mfa.rules import BY_FACTOR, amr_of, level_of, level_of_acr
from identity.sessions.commands import note_authentication
from identity.sessions.rules import ACRS

FRESH = timedelta(minutes=5)

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A session's data where there is no request of it, as allauth's reader wants it."""

    session: Mapping[str, Any]


def is_fresh(request: HttpRequest, max_age: timedelta = FRESH, acr: str = "") -> bool:
    """Whether the signed-in person showed who he is within `max_age`, and the session reached `acr`.

    By a second factor, if he has one: a password alone, or a browser that was trusted once, changes no factor (LG-20).
    """
    row = getattr(request.session, "row", None) if request.user.is_authenticated else None
    at = row.authenticated_at if row is not None else None
    if row is None or at is None or clock.now() - at > max_age:
        return False
    return has_reached(request, acr) and has_shown_factor(request, cast(User, request.user), max_age)


def has_reached(request: HttpRequest, acr: str) -> bool:
    """Whether the session reached a class, however long ago."""
    row = getattr(request.session, "row", None)
    return not acr or (row is not None and level_of_acr(row.acr) >= level_of_acr(acr))


def has_shown_factor(request: HttpRequest, user: User, max_age: timedelta = FRESH) -> bool:
    """Whether the person showed a second factor within `max_age`; so, too, who has none."""
    if not has_second_factor(user):
        return True
    at = factor_shown_at(get_authentication_records(request, user))
    return at is not None and clock.now() - at <= max_age


def showed_factor_in(data: Mapping[str, Any], user: User) -> bool:
    """The same for a session that this request is not of: an operator's own, in a visit."""
    return has_shown_factor(cast(HttpRequest, _Kept(data)), user)


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
    details |= {"at": clock.now().timestamp(), **({address: "yes"} if address else {})}
    record_authentication(request, user, method=method, **details)
    row = request.session.row  # type: ignore[attr-defined]
    if row is not None:
        shown = shown_in_session(get_authentication_records(request, user), row.amr)
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


def confirm_url(wanted: str, acr: str = "", *, by_factor: bool = False) -> str:
    """The page that asks once more, and where to go on from there. by_factor: not by the password."""
    query = {REDIRECT_FIELD_NAME: wanted, **({"acr": acr} if acr else {}), **({"by": BY_FACTOR} if by_factor else {})}
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


def fresh_factor_required(view: View) -> View:
    """For a page that asks for the password itself: who has a second factor shows that first (LG-20)."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated and not has_shown_factor(request, cast(User, request.user)):
            return ask_again(request)
        return view(request, *args, **kwargs)

    return asked


def ask_again(request: HttpRequest, acr: str = "") -> HttpResponse:
    """To the page that asks; after it back to the page that the person was on, never to what was posted."""
    htmx = getattr(request, "htmx", None)
    here = getattr(htmx, "current_url_abs_path", None) if htmx else None
    by_factor = has_second_factor(cast(User, request.user))
    to = confirm_url(here or request.get_full_path(), acr, by_factor=by_factor)
    if htmx:
        response = HttpResponse(status=204)
        response.headers["HX-Redirect"] = to
        return response
    return redirect(to)
