"""Who an account page is for: the realm's own signed-in person, and nobody in his place."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied as Forbidden
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from console.shell.views import to_sign_in
from identity.accounts.models import User
from identity.kernel.actor import Actor, ActorKind
from identity.kernel.errors import Conflict, NotFound, PermissionDenied, RealmkeepError
from identity.realms.models import Realm


class AccountRequest(HttpRequest):
    """What the middleware puts on a request of an account page."""

    realm: Realm
    actor: Actor
    user: User


View = Callable[..., HttpResponse]


def account_view(view: View) -> View:
    """For the signed-in person of this realm only; an operator visits the console and never an account.

    A page that was opened long ago may name what is gone by now: that is said on the page that it came from.
    """

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
        except Conflict:
            messages.info(request, _("That had changed already. This is how it stands now."))
        except RealmkeepError as error:
            messages.error(request, str(error.message))
        return HttpResponseRedirect(request.path if request.method == "GET" else "./")

    return guarded
