"""Who an account page is for: the realm's own signed-in person, and nobody in his place."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied as Forbidden
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from console.shell.views import to_sign_in
from identity.accounts.models import User
from identity.kernel.actor import Actor, ActorKind
from identity.kernel.errors import Conflict, NotFound, PermissionDenied, RateLimited, Unavailable
from identity.realms.models import Realm


class AccountRequest(HttpRequest):
    """What the middleware puts on a request of an account page."""

    realm: Realm
    actor: Actor
    user: User


View = Callable[..., HttpResponse]


def account_view(view: View) -> View:
    """For the signed-in person of this realm only; an operator visits the console and never an account."""

    @wraps(view)
    def guarded(request: AccountRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_authenticated or request.actor.kind != ActorKind.USER:
            return to_sign_in(request)
        try:
            return view(request, *args, **kwargs)
        except NotFound as error:
            raise Http404 from error
        except PermissionDenied as error:
            raise Forbidden from error

    return guarded


def said_on(page: str) -> Callable[[View], View]:
    """For what writes: a refusal is said on the list that the form stands on, which shows how things stand now."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: AccountRequest, *args: object, **kwargs: object) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except (Conflict, RateLimited, Unavailable) as error:
                messages.error(request, str(error.message))
                return redirect(page)

        return guarded

    return decorate
