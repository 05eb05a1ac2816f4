"""A sign-in that is unlike the person waits here for a code to his confirmed address or number."""

from allauth.account.internal.flows.login import record_authentication
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.generic import View

from identity.kernel.errors import RateLimited
from identity.mfa.errors import WrongCode
from identity.mfa.rules import Step, hint_of
from identity.signin.commands import send_confirm_code, use_confirm_code
from identity.signin.notes import Note, read_note, write_note
from identity.signin.requests import realm_of
from identity.signin.stages import proofs_of, step_of
from identity.signin.views.entrance import secret_fields
from identity.signin.views.second import InStage


@secret_fields
class ProveView(InStage, View):
    """For a person without a factor of his own. Who has neither a confirmed address nor a number can't get in here."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Where a code can go."""
        if step_of(request, self.person) is not Step.PROVE:
            return redirect("mfa_authenticate")
        return self.page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Send a code, or check one."""
        if step_of(request, self.person) is not Step.PROVE:
            return redirect("mfa_authenticate")
        ways = proofs_of(request, self.person)
        way = request.POST.get("way", "")
        if way not in ways:
            return self.page()
        try:
            if "send" in request.POST:
                code_id = send_confirm_code(
                    self.acting, realm=realm_of(request), user_id=self.person.pk, by_phone=way == "phone"
                )
                return self.page(way=way, note=write_note(realm_of(request), Note(self.person.pk.hex, code_id)))
            return self.checked(request, way)
        except WrongCode:
            note = request.POST.get("note", "")
            return self.page(way=way, note=note, error=_("That code didn’t work. Check it, or ask for a new one."))
        except RateLimited as error:
            return self.page(way=way, note=request.POST.get("note", ""), error=str(error.message), status=429)

    def checked(self, request: HttpRequest, way: str) -> HttpResponse:
        """The code came back: recorded in this flow, for this person, as what confirmed it."""
        note = read_note(realm_of(request), request.POST.get("note", ""))
        if note is None or note.login != self.person.pk.hex:
            raise WrongCode
        use_confirm_code(
            self.acting,
            user_id=self.person.pk,
            code_id=note.code_id,
            text=request.POST.get("code", "")[:60],
            by_phone=way == "phone",
        )
        proven = {"phone": self.person.phone} if way == "phone" else {"email": self.person.email}
        record_authentication(request, self.person, method="code", for_hold=True, **proven)
        if self.stage.next_step(self.person) is not Step.PASS:
            return redirect("mfa_authenticate")
        response: HttpResponse = self.stage.exit()
        return response

    def page(self, *, way: str = "", note: str = "", error: str = "", status: int = 200) -> HttpResponse:
        """The choice of where to, or the field for the digits."""
        ways = [
            (each, hint_of("sms" if each == "phone" else "email", str(getattr(self.person, each))))
            for each in proofs_of(self.request, self.person)
        ]
        context = self.get_context_data(
            person=self.person, ways=ways, way=way, hint=dict(ways).get(way, ""), note=note, error=error
        )
        return render(self.request, "account/prove_sign_in.html", context, status=status)
