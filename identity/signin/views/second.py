"""The second step of a sign-in: the strongest factor first, the others one tap away."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.stages import LoginStage, LoginStageController
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import View

from identity.accounts.models import User
from identity.gate.usable import is_usable
from identity.kernel.actor import Actor
from identity.kernel.errors import RateLimited
from identity.mfa.commands import send_message_code
from identity.mfa.errors import WrongCode
from identity.mfa.models import FactorKind
from identity.mfa.queries import seconds_to_wait
from identity.mfa.rules import Step
from identity.signin.requests import actor_as, next_of, realm_of
from identity.signin.stages import MESSAGES, TRUST_KEY, SecondFactorStage, is_superseded, offered_factors, step_of
from identity.signin.views.entrance import Entrance, login_url, secret_fields
from identity.signin.views.factors import Proof, check_factor, choices_of, chosen, passkey_question, wrong_text

PURPOSE = "second"


class InStage(Entrance):
    """For somebody whose sign-in waits in this stage; everybody else begins at the beginning (LG-01)."""

    waits_in: type[LoginStage] = SecondFactorStage
    stage: Any
    person: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Finds the sign-in that waits. One that waits elsewhere, is over, or is of another realm is none.

        So is one whose password was changed or voided meanwhile: it begins anew.
        """
        stage = None if request.user.is_authenticated else LoginStageController.enter(request, self.waits_in.key)
        user = stage.login.user if stage is not None else None
        if stage is None or user is None or not is_usable(realm_of(request), user=user):
            return redirect(login_url(next_of(request)))
        if is_superseded(request, user):
            stage.abort()
            return redirect(login_url(next_of(request)))
        self.stage, self.person = stage, user
        return super().dispatch(request, *args, **kwargs)

    @property
    def acting(self) -> Actor:
        """The person himself: he holds nothing yet."""
        return actor_as(self.request, self.person, None)

    def keep(self) -> None:
        """Store what the stage remembers: allauth peeks at the sign-in that waits."""
        self.request.session["account_login"] = self.stage.login.serialize()

    def pass_on(self, proof: Proof) -> HttpResponse:
        """A factor was shown, in this flow, by this person: record it and go on."""
        record_authentication(
            self.request, self.person, method="mfa", type=proof.kind, id=proof.device, amr=list(proof.amr)
        )
        if step_of(self.request, self.person) is not Step.PASS:
            return redirect("mfa_authenticate")
        response: HttpResponse = self.stage.exit()
        return response


@secret_fields
class SecondStepView(InStage, View):
    """Show a factor."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """The factor that was chosen, or the strongest; with `choose`, all of them."""
        factors = offered_factors(request, self.person)
        step = step_of(request, self.person)
        if step is Step.ENROL or (step is Step.OFFER and not self.stage.state.get("later")):
            return redirect("enroll_add")
        if step is Step.PROVE:
            return redirect("prove_sign_in")
        if step is not Step.CHALLENGE or not factors:
            response: HttpResponse = self.stage.exit()
            return response
        if "choose" in request.GET:
            context = self.get_context_data(choices=choices_of(factors), person=self.person)
            return render(request, "account/second_step_choose.html", context)
        return self.page(request.GET.get("method", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Send a code, or check one."""
        factors = offered_factors(request, self.person)
        if step_of(request, self.person) is not Step.CHALLENGE or not factors:
            return redirect("mfa_authenticate")
        factor = chosen(factors, request.POST.get("factor", ""))
        try:
            if "send" in request.POST:
                return self.send(factor.id)
            proof = check_factor(request, self.acting, self.person, factor, PURPOSE)
        except WrongCode:
            return self.page(factor.id, error=wrong_text(factor.kind))
        except RateLimited as error:
            return self.page(factor.id, error=str(error.message), status=429)
        if request.POST.get("trust") and realm_of(request).setting("trusted_device_lifetime"):
            request.session[TRUST_KEY] = self.person.pk.hex
        return self.pass_on(proof)

    def send(self, factor_id: str) -> HttpResponse:
        """A new code; too soon is said on the page."""
        send_message_code(self.acting, user_id=self.person.pk, factor_id=factor_id)
        self.stage.note("sent", factor_id)
        self.keep()
        return self.page(factor_id)

    def page(self, wanted: str, *, error: str = "", status: int = 200) -> HttpResponse:
        """One factor's form."""
        factors = offered_factors(self.request, self.person)
        factor = chosen(factors, wanted)
        options = passkey_question(self.request, self.person, PURPOSE) if factor.kind == FactorKind.PASSKEY else None
        sent = factor.kind in MESSAGES and self.stage.state.get("sent") == factor.id
        context = self.get_context_data(
            factor=factor,
            person=self.person,
            options=options,
            error=error,
            sent=sent,
            again_in=seconds_to_wait(self.person.pk, factor) if sent else 0,
            others=len(choices_of(factors)) > 1,
            trust_days=int(realm_of(self.request).setting("trusted_device_lifetime")) // 86400,
        )
        return render(self.request, "account/second_step.html", context, status=status)
