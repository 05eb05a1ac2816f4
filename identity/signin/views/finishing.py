"""A first sign-in through a provider that may make an account: what the realm asks for besides, and its proof."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView

from identity.kernel.errors import Conflict, Invalid
from identity.realms.models import IdentityProvider
from identity.signin import limits, social, social_state
from identity.signin.commands import check_sign_up_code, send_sign_up_code
from identity.signin.errors import NotLetIn
from identity.signin.forms import CodeForm, said
from identity.signin.requests import actor_of, realm_of
from identity.signin.signing_up import ProviderSignUpForm
from identity.signin.social_state import Waiting
from identity.signin.views.entrance import Entrance, secret_fields
from identity.signin.views.providers import trouble
from identity.signin.wishes import SignUpWish, read_wish, write_wish


@secret_fields
class FinishView(Entrance, FormView):  # type: ignore[type-arg]
    """What is missing is asked; a number or address that nobody proved gets a code, whoever has it (LG-23)."""

    template_name = "account/provider_finish.html"
    form_class = ProviderSignUpForm
    waiting: Waiting
    provider: IdentityProvider

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Only while somebody waits in this browser."""
        waiting = social_state.who_waits(request)
        provider = social.find_waiting_provider(waiting)
        if waiting is None or provider is None or waiting.reason != "unfinished":
            return trouble(request, "lost", status=HTTPStatus.BAD_REQUEST)
        self.waiting, self.provider = waiting, provider
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Only what is missing is asked."""
        return {**super().get_form_kwargs(), "request": self.request, "upstream": self.waiting.upstream}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Who it is."""
        return super().get_context_data(provider=self.provider, label=self.waiting.upstream.label, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form, or the code that it led to."""
        return self.coded() if "note" in request.POST else super().post(request, *args, **kwargs)

    def form_valid(self, form: ProviderSignUpForm) -> HttpResponse:
        """Send a code first, or make the account."""
        limits.require_sign_up(actor_of(self.request).origin.ip)
        wish = form.wish_of(self.provider)
        if wish.proves:
            return self.code_sent(wish)
        try:
            return self.made(wish)
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, said(error))
            return self.form_invalid(form)

    def made(self, wish: SignUpWish) -> HttpResponse:
        """The account; somebody's proven address leads to linking instead. Raises Invalid."""
        waiting = self.waiting
        try:
            return social.sign_up(self.request, self.provider, waiting.upstream, waiting.next_url, wish=wish)
        except Invalid as error:
            if error.reason != "email_taken":
                raise
            kept = Waiting(waiting.alias, waiting.upstream, waiting.next_url, "taken")
            social_state.keep_waiting(self.request, kept)
            return redirect("provider_link")

    def code_sent(self, wish: SignUpWish, *, again: bool = False) -> HttpResponse:
        """Where to type the code. As long as that works, somebody waits here."""
        realm = realm_of(self.request)
        code_id = send_sign_up_code(actor_of(self.request), realm=realm, wish=wish, provider=self.provider.name)
        social_state.keep_waiting(self.request, self.waiting)
        kept = code_id.hex == wish.code_id
        return self.code_page(wish.waiting_for(code_id), again=again and not kept, kept=kept)

    def coded(self) -> HttpResponse:
        """Send the code again, or try one."""
        request, realm = self.request, realm_of(self.request)
        wish = read_wish(realm, request.POST.get("note", ""))
        if wish is None or not wish.code_id or wish.proven or wish.provider != self.provider.alias:
            return self.code_page(None)
        if "again" in request.POST:
            limits.require_sign_up(actor_of(request).origin.ip)
            return self.code_sent(wish, again=True)
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self.code_page(wish, error=_("Type the 6 digits of the message."))
        try:
            return self.made(
                check_sign_up_code(actor_of(request), realm=realm, wish=wish, text=form.cleaned_data["code"])
            )
        except NotLetIn:
            return self.code_page(wish, error=_("That code didn’t work. Check it, or ask for a new one."))
        except (Invalid, Conflict) as error:
            # The policy or a username changed hands while the code was on its way.
            messages.error(request, str(error.message))
            return redirect("provider_finish")

    def code_page(
        self, wish: SignUpWish | None, *, error: str = "", again: bool = False, kept: bool = False
    ) -> HttpResponse:
        """The field for the digits; without a wish, the way back to the beginning."""
        here = reverse("provider_finish")
        context = self.get_context_data(
            form=None,
            wish=wish,
            note=write_wish(realm_of(self.request), wish) if wish else "",
            error=error,
            again=again,
            kept=kept,
            signup_page=here,
            code_url=here,
        )
        return render(self.request, "account/signup_code.html", context)
