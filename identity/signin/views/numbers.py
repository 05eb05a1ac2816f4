"""The own number: another one, none, and taking a change back."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View

from identity.accounts.commands.codes import LIFETIME
from identity.accounts.links import AboutNumber, read_number_revert_token
from identity.accounts.models import User
from identity.accounts.queries import is_taken_back, user_by_id
from identity.kernel import clock
from identity.kernel.errors import Conflict, Invalid, NotFound, RateLimited
from identity.mfa.errors import WrongCode
from identity.mfa.models import FactorKind
from identity.mfa.queries import factors_of
from identity.signin.commands import (
    confirm_phone_change,
    remove_phone,
    request_phone_change,
    revert_phone_change,
)
from identity.signin.queries import may_have_number
from identity.signin.requests import actor_of, realm_of
from identity.signin.stepup import fresh_sign_in_required
from identity.signin.views.addresses import AddressLinkView
from identity.signin.views.entrance import Entrance, secret_fields

WAITING_KEY = "number_change"
"""Session key: the number that waits for its code, the code's id, and until when it works."""
KEPT = gettext_lazy(
    "No other code can be sent there for now: only a few are sent in an hour. The last one still works until its 10 "
    "minutes are over."
)


@secret_fields
@method_decorator(fresh_sign_in_required, name="dispatch")
class ChangeNumberView(Entrance, View):
    """The own number: ask for another one, type the code that went there, or have none."""

    http_method_names = ["get", "post"]
    person: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whose it is."""
        self.person = request.user  # type: ignore[assignment]  # login is required
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """The present number and the one that waits."""
        if not may_have_number(realm_of(request), self.person):
            raise NotFound
        return self.page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """One of three forms, or one of three buttons."""
        try:
            if "action_remove" in request.POST:
                remove_phone(actor_of(request), realm=realm_of(request), user_id=self.person.pk)
                messages.success(request, _("Your phone number is removed."))
            elif "action_cancel" in request.POST:
                messages.success(request, _("Your phone number stays as it is."))
            elif "code" in request.POST:
                return self.checked(request.POST["code"][:60])
            else:
                return self.asked(request.POST.get("phone", "")[:60])
        except Conflict as error:
            messages.error(request, str(error.message))
        request.session.pop(WAITING_KEY, None)
        return redirect("account_phone")

    def asked(self, typed: str) -> HttpResponse:
        """Answered alike, whoever has the number."""
        request, waiting = self.request, self.waiting
        before = UUID(waiting["id"]) if waiting is not None and waiting["to"] == typed else None
        try:
            number, code_id = request_phone_change(
                actor_of(request), realm=realm_of(request), user_id=self.person.pk, phone=typed, before=before
            )
        except Invalid as error:
            return self.page(error=str(error.message), typed=typed, status=422)
        except RateLimited as error:
            return self.page(error=str(error.message), typed=typed, status=429)
        if code_id == before:
            messages.warning(request, KEPT)
            return redirect("account_phone")
        until = (clock.now() + LIFETIME).timestamp()
        request.session[WAITING_KEY] = {"to": number, "id": code_id.hex, "until": until}
        return redirect("account_phone")

    def checked(self, text: str) -> HttpResponse:
        """The digits."""
        request, waiting = self.request, self.waiting
        if waiting is None:
            return redirect("account_phone")
        had = bool(self.person.phone)
        try:
            confirm_phone_change(
                actor_of(request),
                realm=realm_of(request),
                user_id=self.person.pk,
                phone=waiting["to"],
                code_id=UUID(waiting["id"]),
                text=text,
            )
        except WrongCode:
            return self.page(code_error=_("That code didn’t work. Check it, or ask for a new one."), status=422)
        except RateLimited as error:
            return self.page(code_error=str(error.message), status=429)
        request.session.pop(WAITING_KEY, None)
        if self.person.phone == waiting["to"]:
            messages.success(request, _("Your phone number is confirmed."))
        elif had:
            messages.success(request, _("Your phone number is changed."))
        else:
            messages.success(request, _("Your phone number is added."))
        return redirect("account_phone")

    @property
    def waiting(self) -> dict[str, Any] | None:
        """What waits in this browser, while its code works."""
        waiting: dict[str, Any] | None = self.request.session.get(WAITING_KEY)
        return waiting if waiting is not None and waiting["until"] > clock.now().timestamp() else None

    def page(self, *, error: str = "", typed: str = "", code_error: str = "", status: int = 200) -> HttpResponse:
        """The page."""
        waiting = self.waiting
        by_message = [factor.hint for factor in factors_of(self.person.pk) if factor.kind == FactorKind.SMS]
        context = self.get_context_data(
            section="details",
            person=self.person,
            waiting=waiting["to"] if waiting is not None else "",
            second_step=by_message[0] if by_message else "",
            may_remove="phone" not in realm_of(self.request).setting("sign_up_identifiers"),
            error=error,
            typed=typed,
            code_error=code_error,
        )
        return render(self.request, "account/phone_change.html", context, status=status)


class RevertNumberView(AddressLinkView[AboutNumber]):
    """Take a change of number back."""

    template_name = "account/phone_revert.html"

    def about(self) -> AboutNumber | None:
        """Only until the account has the number of then again."""
        about = read_number_revert_token(self.kwargs["token"])
        user = user_by_id(about.user_id) if about is not None else None
        if about is None or user is None or (user.phone or "") == about.phone:
            return None
        if is_taken_back(about, realm_id=user.realm_id):
            return None
        return replace(about, other_phone=user.phone or "")

    def context_of(self, about: AboutNumber | None) -> dict[str, Any]:
        """By their ends: who holds the link need not learn the other number."""
        if about is None:
            return {"about": None}
        return {"about": about, "former": about.phone[-3:], "present": about.other_phone[-3:]}

    def act(self, about: AboutNumber) -> HttpResponse:
        """Take it back, then say what was done and where a new password is chosen."""
        had_password = self._has_password(about)
        user = revert_phone_change(actor_of(self.request), realm=realm_of(self.request), about=about)
        voided = had_password and not user.has_usable_password()
        context = {
            **self.get_context_data(),
            **self.context_of(about),
            "done": True,
            "voided": voided,
            "mailed": voided and user.email_verified,
        }
        return self.render_to_response(context)

    def _has_password(self, about: AboutNumber) -> bool:
        user = user_by_id(about.user_id)
        return user is not None and user.has_usable_password()
