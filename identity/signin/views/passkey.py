"""Sign in by passkey alone: from the browser's autofill, or by the button."""

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import View

from identity.gate.ratelimits import rate_limited
from identity.kernel.errors import RateLimited
from identity.mfa.commands import verify_sign_in_passkey
from identity.mfa.errors import WrongCode
from identity.mfa.models import FactorKind
from identity.mfa.passkeys import parsed, read_signed_state, request_options, signed_state
from identity.signin.requests import actor_of, next_of, realm_of
from identity.signin.views.entrance import Entrance, login_url, secret_fields


def _slower(request: HttpRequest, error: RateLimited) -> HttpResponse:
    messages.error(request, str(error.message))
    return redirect(login_url(next_of(request)))


@secret_fields
class PasskeySignInView(Entrance, View):
    """GET: what to ask the browser, the same for everybody, with nothing stored (LG-23). POST: its answer."""

    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Only where the realm lets people in this way."""
        if not realm_of(request).setting("passkey_sign_in"):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """A new challenge: it names nobody, and comes back signed."""
        realm = realm_of(request)
        options, state = request_options(realm, None, verified=True)
        return JsonResponse({"options": options, "state": signed_state(realm, state)})

    @rate_limited("passkey_sign_in", answer=_slower)
    def post(self, request: HttpRequest) -> HttpResponse:
        """Come in by the same way as everybody: stages, guard and event. Counts for the network and nobody (LG-19)."""
        realm, actor = realm_of(request), actor_of(request)
        try:
            user, found = verify_sign_in_passkey(
                actor,
                state=read_signed_state(realm, request.POST.get("state", "")[:2000]),
                credential=parsed(request.POST.get("credential", "")),
            )
        except WrongCode:
            messages.error(request, _("That passkey didn’t work here. Try again, or sign in another way."))
            return redirect(login_url(next_of(request)))
        record_authentication(
            request,
            user,
            method="mfa",
            type=FactorKind.PASSKEY.value,
            id=found.device.persistent_id,
            amr=list(found.amr),
        )
        response: HttpResponse = perform_login(
            request, Login(user=user, email=user.email, redirect_url=next_of(request) or None)
        )
        return response
