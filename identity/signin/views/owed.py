"""Pages in the middle of a sign-in: confirm the number, accept the terms."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.generic import View

from identity.accounts.commands import accept_terms, confirm_phone, give_up_phone, spend_code
from identity.accounts.models import CodePurpose
from identity.gate.ratelimits import forget_rate, require_rate
from identity.kernel.errors import Conflict, Invalid, RateLimited
from identity.signin.owed import NumberStage, TermsStage, owes_number, owes_terms
from identity.signin.requests import realm_of
from identity.signin.views.entrance import secret_fields
from identity.signin.views.second import InStage


@secret_fields
class NumberView(InStage, View):
    """The code that was sent to the number; or: it isn't mine."""

    http_method_names = ["get", "post"]
    waits_in = NumberStage
    stage: NumberStage

    def get(self, request: HttpRequest) -> HttpResponse:
        """The field for the digits."""
        return self.page() if owes_number(realm_of(request), self.person) else self.passed()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Send again, give the number up, or check the code."""
        if not owes_number(realm_of(request), self.person):
            return self.passed()
        if "send" in request.POST:
            is_new = self.stage.send(request, self.person)
            self.keep()
            return self.page(again=is_new, kept=not is_new)
        try:
            if "not_mine" in request.POST:
                self.stage.login.user = give_up_phone(self.acting, user_id=self.person.pk)
                return self.passed()
            return self.checked(request.POST.get("code", "")[:60])
        except (Invalid, Conflict) as error:
            return self.page(error=str(error.message))
        except RateLimited as error:
            return self.page(error=str(error.message), status=429)

    def checked(self, text: str) -> HttpResponse:
        """Spend the code: it was made for this number, this person and this purpose (LG-01).

        Counted for the person, since each new sign-in and each wish makes another code: nobody guesses his way to a
        number that isn't his (RL-07).
        """
        require_rate(self.acting, policy="reauthentication")
        number, code_id = self.person.phone or "", UUID(self.stage.state["code_id"])
        spent = spend_code(self.acting, code_id=code_id, purpose=CodePurpose.VERIFY, address=number, text=text)
        if spent is None or spent.user_id != self.person.pk:
            return self.page(error=_("That code didn’t work. Check it, or ask for a new one."))
        forget_rate(self.acting, policy="reauthentication")
        self.stage.login.user = confirm_phone(self.acting, user_id=self.person.pk, phone=number)
        return self.passed()

    def passed(self) -> HttpResponse:
        """On with the sign-in."""
        response: HttpResponse = self.stage.exit()
        return response

    def page(self, *, error: str = "", again: bool = False, kept: bool = False, status: int = 200) -> HttpResponse:
        """The number is shown by its end alone: whoever has only the password learns no more."""
        context = self.get_context_data(
            person=self.person,
            ending=(self.person.phone or "")[-3:],
            error=error,
            again=again,
            kept=kept,
            may_give_up=bool(self.person.email or self.person.username),
        )
        return render(self.request, "account/number_proof.html", context, status=status)


class TermsView(InStage, View):
    """Accept the terms in force."""

    http_method_names = ["get", "post"]
    waits_in = TermsStage

    def get(self, request: HttpRequest) -> HttpResponse:
        """What they are."""
        if owes_terms(realm_of(request), self.person):
            return self.page()
        response: HttpResponse = self.stage.exit()
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        """Only a tick accepts, and only the version that was shown."""
        if not request.POST.get("terms"):
            return self.page(error=_("Accept the terms to go on."))
        try:
            self.stage.login.user = accept_terms(
                self.acting, user_id=self.person.pk, version=request.POST.get("version", "")
            )
        except Conflict:
            return self.page(error=_("The terms changed a moment ago. Look at them again."))
        response: HttpResponse = self.stage.exit()
        return response

    def page(self, *, error: str = "") -> HttpResponse:
        """With the way to the text, and which version it is."""
        realm = realm_of(self.request)
        context = self.get_context_data(
            person=self.person,
            terms_uri=realm.setting("terms_uri"),
            version=realm.setting("terms_version"),
            is_new=bool(self.person.terms_version),
            error=error,
        )
        return render(self.request, "account/terms.html", context)
