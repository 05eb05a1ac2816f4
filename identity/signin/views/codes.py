"""Sign in with digits that were sent."""

from datetime import datetime

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.generic import View

from identity.kernel.errors import Invalid
from identity.signin.commands import check_sign_in_code, wish_for_code
from identity.signin.devices import known_device, known_device_of
from identity.signin.errors import NotLetIn, Paused
from identity.signin.forms import CodeForm, WhoForm
from identity.signin.notes import Note, read_note, write_note
from identity.signin.requests import actor_of, asking_id, next_of, realm_of
from identity.signin.views.entrance import Entrance, login_url, secret_fields
from identity.signin.ways import may_use_password, method_of


@secret_fields
class CodeView(Entrance, View):
    """Sign in with digits that were sent. Who asks carries a signed note; the server keeps nothing but the code."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """The way in begins with a name."""
        return redirect(login_url(next_of(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Send one, or try one."""
        note = read_note(realm_of(request), request.POST.get("note", ""))
        if "code" not in request.POST:
            form = WhoForm(request.POST, realm=realm_of(request))
            if not form.is_valid():
                return redirect(login_url(next_of(request)))
            return self.sent(request, form.cleaned_data["login"], note)
        if note is None:
            return self.page(request, "", "", error=_("This page is too old. Ask for a new code."), over=True)
        return self.tried(request, note)

    def tried(self, request: HttpRequest, note: Note) -> HttpResponse:
        """Check the digits, then come in by the same way as everybody: stages, guard and event."""
        form = CodeForm(request.POST)
        again = request.POST.get("note", "")
        if not form.is_valid():
            return self.page(request, note.login, again, error=_("Type the 6 digits of the message."))
        try:
            user = check_sign_in_code(
                actor_of(request),
                realm=realm_of(request),
                identifier=note.login,
                code_id=note.code_id,
                text=form.cleaned_data["code"],
                device_of=known_device(request),
                application_id=asking_id(request),
            )
        except Paused as error:
            return self.page(request, note.login, again, error=str(error.message), paused_until=error.until, status=429)
        except NotLetIn:
            return self.page(
                request, note.login, again, error=_("That code didn’t work. Check it, or ask for a new one.")
            )
        by_phone = method_of(note.login) == "sms_code"
        proven = {"phone": user.phone} if by_phone else {"email": user.email}
        record_authentication(request, user, method="code", **proven)
        response: HttpResponse = perform_login(
            request, Login(user=user, email=user.email, redirect_url=next_of(request) or None)
        )
        return response

    @staticmethod
    def sent(request: HttpRequest, login: str, note: Note | None = None) -> HttpResponse:
        """Ask for a code, then show where to type it; the same for every name. note: of the page that asks again."""
        realm = realm_of(request)
        before = note.code_id if note is not None and note.login == login else None
        try:
            device = known_device_of(request, login)
            code_id = wish_for_code(actor_of(request), realm=realm, identifier=login, device=device, before=before)
        except Invalid:
            return redirect(login_url(next_of(request)))
        view = CodeView()
        view.setup(request)
        if code_id == before:
            # The note that there is: a fresh one would outlive its code.
            return view.page(request, login, request.POST["note"], kept=True)
        return view.page(request, login, write_note(realm, Note(login, code_id)), again=before is not None)

    def page(
        self,
        request: HttpRequest,
        login: str,
        note: str,
        *,
        error: str = "",
        over: bool = False,
        paused_until: datetime | None = None,
        status: int = 200,
        **said: bool,
    ) -> HttpResponse:
        """The field for the digits. said: `again` or `kept`, what came of asking once more."""
        context = {
            **said,
            "login": login,
            "note": note,
            "by_phone": bool(login) and method_of(login) == "sms_code",
            "error": error,
            "over": over,
            "paused_until": paused_until,
            "may_use_password": bool(login) and may_use_password(realm_of(request), login),
        }
        return render(request, "account/login_code.html", self.get_context_data(**context), status=status)
