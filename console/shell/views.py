"""The base of every console view: who may see it, and what a refusal looks like."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.generic import View
from django_htmx.http import HttpResponseClientRedirect

from console.shell.freshness import ask_again_here, is_fresh_here
from console.shell.http import ConsoleRequest, wants_fragment
from console.shell.permissions import label_of, requirement_text
from identity.access.queries import roles_held_back
from identity.audit.commands import record_refusal
from identity.kernel.errors import Conflict, NotFound, PermissionDenied, RateLimited, RealmkeepError, Unavailable
from identity.kernel.permissions import Permission


class ConsoleView(View):
    """A page for signed-in people who may open the console and hold `permission` on the realm or on some object.

    also: other permissions, any of which opens the page as well (of a role: who may see roles, or give some).
    Commands and queries decide again for the object at hand; this is what decides whether the page exists for him.
    """

    permission: ClassVar[Permission] = Permission.CONSOLE_OPEN
    also: ClassVar[tuple[Permission, ...]] = ()
    fresh: ClassVar[bool] = False
    """Whether it asks for a sign-in of the last minutes: for acts that a stolen session must not be enough for."""
    request: ConsoleRequest  # type: ignore[assignment]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Runs the method behind the checks; translates what the rooms refuse."""
        run = super().dispatch
        return _guarded(request, (self.permission, *self.also), lambda: run(request, *args, **kwargs), fresh=self.fresh)


def console_view(
    permission: Permission, *, fresh: bool = False
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """The same for a function view: `@console_view(Permission.USERS_READ)`."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return _guarded(request, (permission,), lambda: view(request, *args, **kwargs), fresh=fresh)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def _guarded(
    request: HttpRequest, any_of: tuple[Permission, ...], run: Callable[[], Any], *, fresh: bool = False
) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]  # set by the middleware
    if not actor.is_person:
        return to_sign_in(request)
    for needed in ((Permission.CONSOLE_OPEN,), any_of):
        if not any(actor.can_somewhere(permission) for permission in needed):
            return refused(request, needed[0])
    if fresh and not is_fresh_here(request):
        return ask_again_here(request)
    try:
        response: HttpResponse = run()
    except RealmkeepError as error:
        response = failed(request, error)
    add_never_cache_headers(response)
    return response


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the realm's sign-in page and back here. A region that htmx wanted can't be signed in to: load the page."""
    url = resolve_url(settings.LOGIN_URL)
    if getattr(request, "htmx", None):
        here = request.htmx.current_url_abs_path or request.path  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(redirect_to_login(here, url).url)
    return redirect_to_login(request.get_full_path(), url)


def refused(request: HttpRequest, permission: str) -> HttpResponse:
    """403: names the permission that is missing, in words and as roles spell it. The refusal is remembered.

    Whatever was refused has been rolled back by now, so this is a transaction of its own (DECISIONS 22).
    """
    actor = request.actor  # type: ignore[attr-defined]  # set by the middleware
    record_refusal(actor, permission=str(permission), path=request.path_info)
    # Only of one's own roles, and in the realm where one's account is: an operator's count at home.
    own = roles_held_back(actor.id, permission) if actor.is_person and actor.home_realm_id == actor.realm_id else []
    context = {
        "permission": permission,
        "permission_label": label_of(permission),
        "held_back": [{"role": name, "what": [requirement_text(word) for word in unmet]} for name, unmet in own],
    }
    return _state(request, 403, _("You can’t see this"), "rk/state/refused.html", context)


def failed(request: HttpRequest, error: RealmkeepError) -> HttpResponse:
    """The console's translation of a room's expected failure."""
    match error:
        case PermissionDenied():
            return refused(request, error.permission)
        case NotFound():
            return _state(request, 404, _("Not found"), "rk/state/not_found.html", {"message": error.message})
        case RateLimited():
            status = 429
        case Unavailable():
            status = 503
        case Conflict():
            status = 409
        case _:
            status = 422
    return _state(request, status, str(error.message), "rk/state/failed.html", {"message": error.message})


def _state(request: HttpRequest, status: int, title: str, template: str, context: dict[str, Any]) -> HttpResponse:
    values = {**context, "title": title, "state_template": template}
    whole = "console/state.html"
    name = f"{whole}#panel" if wants_fragment(request) else whole
    response = HttpResponse(render_to_string(name, values, request), status=status)
    patch_vary_headers(response, ["HX-Request"])
    add_never_cache_headers(response)
    return response
