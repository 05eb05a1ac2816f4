"""Addresses: change the own one, confirm one, take a change back."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.generic import FormView, TemplateView

from identity.accounts.commands import (
    cancel_email_change,
    confirm_email,
    request_email_change,
    revert_email_change,
    send_confirm_link,
)
from identity.accounts.links import AboutAddress, read_confirm_token, read_revert_token
from identity.accounts.queries import is_taken_back, may_confirm, pending_address, user_by_id
from identity.kernel.errors import Conflict, NotFound
from identity.signin import limits
from identity.signin.forms import RETURN_KEY, ChangeEmailForm
from identity.signin.requests import actor_of
from identity.signin.stepup import fresh_sign_in_required
from identity.signin.views.entrance import Entrance, login_url


@method_decorator(fresh_sign_in_required, name="dispatch")
class ChangeEmailView(Entrance, FormView):  # type: ignore[type-arg]
    """The own address: ask for another one, send the link again, keep the present one."""

    template_name = "account/email_change.html"
    form_class = ChangeEmailForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """Whose address it is."""
        return {**super().get_form_kwargs(), "user": self.request.user}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The present address and the one that waits."""
        user = self.request.user
        current = {"email": user.email, "verified": user.email_verified} if user.email else None  # type: ignore[union-attr]
        return super().get_context_data(
            current_emailaddress=current,
            new_emailaddress=pending_address(user),  # type: ignore[arg-type]
            section="security",
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """One form, or one of two buttons."""
        user_id: UUID = request.user.pk  # type: ignore[assignment]
        try:
            if "action_remove" in request.POST:
                cancel_email_change(actor_of(request), user_id=user_id)
                messages.success(request, _("Your email stays as it is."))
            elif "action_send" in request.POST:
                if limits.may_mail(str(user_id), actor_of(request).origin.ip):
                    send_confirm_link(actor_of(request), user_id=user_id)
                messages.success(request, _("The link is on its way."))
            else:
                return super().post(request, *args, **kwargs)
        except Conflict as error:
            messages.error(request, str(error.message))
        return redirect("account_email")

    def form_valid(self, form: ChangeEmailForm) -> HttpResponse:
        """Answered alike, whoever has the address."""
        request = self.request
        if limits.may_mail(str(form.user.pk), actor_of(request).origin.ip):
            request_email_change(actor_of(request), user_id=form.user.pk, email=form.cleaned_data["email"])
        messages.success(request, _("The link is on its way. Nothing changes until you open it."))
        return redirect("account_email")


class AddressLinkView[About](Entrance, TemplateView):
    """A link about an address or number. It opens a page; only the button there acts: mail scanners press none."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page with the button, or without."""
        return self.render_to_response(self.get_context_data())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The button."""
        about = self.about()
        if about is None:
            return self.get(request)
        try:
            return self.act(about)
        except (Conflict, NotFound):
            return self.render_to_response(self.context_of(None))

    def about(self) -> About | None:
        """What the link says, or None when it works no more."""
        raise NotImplementedError

    def act(self, about: About) -> HttpResponse:
        """Do it."""
        raise NotImplementedError

    def context_of(self, about: About | None) -> dict[str, Any]:
        """What the template shows."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """As `context_of`."""
        return {**super().get_context_data(**kwargs), **self.context_of(self.about())}


class ConfirmEmailView(AddressLinkView[AboutAddress]):
    """Confirm an address."""

    template_name = "account/email_confirm.html"

    def about(self) -> AboutAddress | None:
        """Only an address that still waits."""
        about = read_confirm_token(self.kwargs["key"])
        return about if about is not None and may_confirm(about) else None

    def context_of(self, about: AboutAddress | None) -> dict[str, Any]:
        """In allauth's words."""
        confirmation = {"key": self.kwargs["key"], "email_address": {"email": about.email}} if about else None
        return {"confirmation": confirmation, "can_confirm": about is not None}

    def act(self, about: AboutAddress) -> HttpResponse:
        """Confirm, then on to where the person was going."""
        confirm_email(actor_of(self.request), user_id=about.user_id, email=about.email)
        messages.success(self.request, _("Your email is confirmed."))
        if self.request.user.is_authenticated:
            return redirect("account_email")
        wanted = str(self.request.session.pop(RETURN_KEY, ""))
        return redirect(login_url(wanted))


class RevertEmailView(AddressLinkView[AboutAddress]):
    """Take a change of address back."""

    template_name = "account/email_revert.html"

    def about(self) -> AboutAddress | None:
        """Only until the account has the address of then again."""
        about = read_revert_token(self.kwargs["token"])
        user = user_by_id(about.user_id) if about is not None else None
        if about is None or user is None or user.email == about.email:
            return None
        # A link of a former version says no time: it works while the address is the one that it says.
        is_as_then = about.issued > 0 or user.email == about.other_email
        if not is_as_then or is_taken_back(about, realm_id=user.realm_id):
            return None
        return replace(about, other_email=user.email or "")

    def context_of(self, about: AboutAddress | None) -> dict[str, Any]:
        """Both addresses."""
        return {"about": about}

    def act(self, about: AboutAddress) -> HttpResponse:
        """Take it back, then say what was done."""
        revert_email_change(actor_of(self.request), about=about)
        return self.render_to_response({**self.context_of(about), "done": True})
