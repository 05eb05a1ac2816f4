"""Factors that a person has: recovery codes, renaming, removing; browsers that stand for the second step."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.generic import View

from identity.kernel.errors import Conflict, Invalid
from identity.mfa import commands
from identity.mfa.queries import factor_by_id, factors_of, why_kept
from identity.signin.requests import realm_of
from identity.signin.views.adding import OnAccount
from identity.signin.views.entrance import secret_fields


@secret_fields
class RecoveryCodesView(OnAccount, View):
    """Ten codes, shown once, on the answer to the request that made them: no address ever shows them again."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """What they are for; how many are left."""
        left = next((f.left for f in factors_of(self.person.pk) if f.kind == "recovery_codes"), None)
        return render(request, "account/recovery_codes.html", self.get_context_data(left=left, person=self.person))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make them."""
        if "saved" in request.POST:
            messages.success(request, _("Good. Keep them where you’ll find them."))
            return redirect("selfservice:security")
        try:
            codes = commands.generate_recovery_codes(self.acting, user_id=self.person.pk)
        except Conflict as error:
            messages.error(request, str(error.message))
            return redirect("selfservice:security")
        context = self.get_context_data(codes=codes, text="\n".join(codes), person=self.person)
        return render(request, "account/recovery_codes.html", context)


class FactorView(OnAccount, View):
    """One of the own factors."""

    http_method_names = ["get", "post"]
    template_name = ""

    def get(self, request: HttpRequest, factor_id: str) -> HttpResponse:
        """The page that asks."""
        return self.page(factor_id)

    def page(self, factor_id: str, **context: Any) -> HttpResponse:
        """With what would be lost."""
        factor = factor_by_id(self.person.pk, factor_id)
        values = {"factor": factor, "person": self.person, "why": why_kept(realm_of(self.request), self.person, factor)}
        return render(self.request, self.template_name, self.get_context_data(**values, **context))


class RenameView(FactorView):
    """Another name for a passkey."""

    template_name = "account/factor_rename.html"

    def post(self, request: HttpRequest, factor_id: str) -> HttpResponse:
        """Rename it."""
        name = request.POST.get("name", "")
        try:
            commands.rename_factor(self.acting, user_id=self.person.pk, factor_id=factor_id, name=name)
        except Invalid as error:
            return self.page(factor_id, error=str(error.message))
        messages.success(request, _("Renamed."))
        return redirect("selfservice:security")


class RemoveView(FactorView):
    """Asks, says what it means, removes."""

    template_name = "account/factor_remove.html"

    def post(self, request: HttpRequest, factor_id: str) -> HttpResponse:
        """Remove it."""
        try:
            commands.remove_factor(self.acting, user_id=self.person.pk, factor_id=factor_id)
        except Conflict as error:
            messages.error(request, str(error.message))
        else:
            messages.success(request, _("Removed. We’ve told you by email, too."))
        return redirect("selfservice:security")


class UntrustView(OnAccount, View):
    """A browser is asked for the second step again."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, device_id: UUID) -> HttpResponse:
        """Take the trust."""
        commands.untrust_device(self.acting, user_id=self.person.pk, device_id=device_id)
        messages.success(request, _("We’ll ask for the second step there again."))
        return redirect("selfservice:security")
