"""A link that ends the pause after wrong tries: asked for with any name, used once."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.generic import View

from identity.gate.ratelimits import rate_limited
from identity.kernel.errors import Conflict
from identity.signin.commands import use_unlock_link, wish_for_unlock
from identity.signin.devices import known_device_of
from identity.signin.forms import MAX_TYPED
from identity.signin.requests import actor_of, next_of, realm_of
from identity.signin.views.entrance import Entrance, login_url


class UnlockWishView(Entrance, View):
    """Says the same to everybody."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Sign-in is where a pause is met."""
        return redirect(login_url(next_of(request)))

    @rate_limited("unlock")
    def post(self, request: HttpRequest) -> HttpResponse:
        """Note the wish."""
        login = request.POST.get("login", "")[:MAX_TYPED].strip()
        if not login:
            return redirect(login_url(next_of(request)))
        device = known_device_of(request, login)
        wish_for_unlock(actor_of(request), realm=realm_of(request), identifier=login, device=device)
        return render(request, "account/unlock.html", self.get_context_data(sent=True))


class UnlockView(Entrance, View):
    """The page behind the link: it asks first, since mail scanners open links too."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """The question."""
        return render(request, "account/unlock.html", self.get_context_data())

    @rate_limited("unlock")
    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """End the pause."""
        try:
            use_unlock_link(actor_of(request), token=token)
        except Conflict:
            return render(request, "account/unlock.html", self.get_context_data(refused=True), status=410)
        messages.success(request, _("The pause is over. Sign in now."))
        return redirect("account_login")
