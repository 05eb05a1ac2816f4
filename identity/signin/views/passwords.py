"""Passwords: ask for a link, choose a new one, change the own one."""

from typing import Any

from allauth.account import views as upstream
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.generic import FormView, View

from identity.accounts.commands import set_password, use_reset_link
from identity.accounts.links import reset_tokens
from identity.accounts.models import User
from identity.accounts.rules import Identifier, kind_of_identifier
from identity.gate.ratelimits import rate_limited
from identity.kernel.errors import Conflict, Invalid
from identity.signin.commands import end_pauses_after_reset, use_reset_code, wish_for_reset_code
from identity.signin.devices import known_device, known_device_of
from identity.signin.errors import NotLetIn, Paused
from identity.signin.forms import CodeForm, NewPasswordForm, RealmUserTokenForm, said
from identity.signin.notes import Note, read_note, write_note
from identity.signin.requests import actor_of, next_of, realm_of
from identity.signin.stages import NewPasswordStage, SecondFactorStage, note_begun, password_due
from identity.signin.stepup import fresh_factor_required, fresh_sign_in_required
from identity.signin.views.entrance import Entrance, secret_fields
from identity.signin.views.guarded import BotGuard
from identity.signin.views.second import InStage
from identity.signin.ways import may_reset_by_phone


def chosen(request: HttpRequest, form: Any) -> User | None:
    """The person with the new password; None when it was refused, which the form then says."""
    try:
        return set_password(actor_of(request), user_id=form.user.pk, password=form.cleaned_data["password1"])
    except Invalid as error:
        form.add_error("password1", said(error))
        return None


class _WithPasswords:
    """Where nobody signs in with a password nobody chooses a new one either, whoever asks."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Back to the ways in that there are."""
        if not realm_of(request).setting("password_sign_in"):
            messages.info(request, _("You sign in without a password here."))
            return redirect("account_login")
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response


class WishView(_WithPasswords, BotGuard, Entrance, upstream.PasswordResetView):
    """Asks for a link to choose a new password; where numbers are names, or for a code."""

    guards = "reset"

    @rate_limited("password_reset")
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Counted for the network, whatever was typed. Who waits for a code begins again with the name and its note."""
        if "again" not in request.POST:
            return super().post(request, *args, **kwargs)
        note = self.note
        form = self.get_form_class()(realm=realm_of(request), initial={"email": note.login if note else ""})
        return self.render_to_response(self.get_context_data(form=form))

    @property
    def note(self) -> Note | None:
        """Of the code that this browser waits for already."""
        return read_note(realm_of(self.request), self.request.POST.get("note", ""))

    def get_form_kwargs(self) -> dict[str, Any]:
        """What can be typed is the realm's."""
        return {**super().get_form_kwargs(), "realm": realm_of(self.request)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether there is a choice."""
        note = self.request.POST["note"] if self.note is not None else ""
        return super().get_context_data(by_phone=may_reset_by_phone(realm_of(self.request)), note=note, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """By what was chosen, else by what was typed; from nobody who is a bot: each wish may become a message."""
        if not self.passes(form):
            return self.form_invalid(form)
        typed = form.cleaned_data["email"]
        by = self.request.POST.get("by") or ("phone" if kind_of_identifier(typed) is Identifier.PHONE else "email")
        if by == "phone" and may_reset_by_phone(realm_of(self.request)):
            return ResetCodeView.sent(self.request, typed, self.note)
        response: HttpResponse = super().form_valid(form)
        return response


@secret_fields
class ResetCodeView(_WithPasswords, Entrance, View):
    """The digits that were texted lead to the page that a mailed link leads to."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """It begins with a name."""
        return redirect("account_reset_password")

    @staticmethod
    def sent(request: HttpRequest, login: str, note: Note | None = None) -> HttpResponse:
        """Ask for a code, then show where to type it; the same for every name. note: of the page that asks again."""
        realm = realm_of(request)
        before = note.code_id if note is not None and note.login == login else None
        device = known_device_of(request, login)
        code_id = wish_for_reset_code(actor_of(request), realm=realm, identifier=login, device=device, before=before)
        view = ResetCodeView()
        view.setup(request)
        if code_id == before:
            # The note that there is: a fresh one would outlive its code.
            return view.page(login, request.POST["note"], kept=True)
        return view.page(login, write_note(realm, Note(login, code_id)), again=before is not None)

    @rate_limited("password_reset")
    def post(self, request: HttpRequest) -> HttpResponse:
        """Try the digits."""
        realm, again = realm_of(request), request.POST.get("note", "")
        note = read_note(realm, again)
        if note is None or not may_reset_by_phone(realm):
            return self.page("", "", error=_("This page is too old. Ask for a new code."), over=True)
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self.page(note.login, again, error=_("Type the 6 digits of the message."))
        try:
            user = use_reset_code(
                actor_of(request),
                realm=realm,
                identifier=note.login,
                code_id=note.code_id,
                text=form.cleaned_data["code"],
                device_of=known_device(request),
            )
        except Paused as error:
            return self.page(note.login, again, error=str(error.message), paused_until=error.until, status=429)
        except NotLetIn:
            return self.page(note.login, again, error=_("That code didn’t work. Check it, or ask for a new one."))
        return redirect("account_reset_password_from_key", uidb36=user.pk.hex, key=reset_tokens.make_token(user))

    def page(self, login: str, note: str, *, status: int = 200, **context: Any) -> HttpResponse:
        """The field for the digits."""
        values = self.get_context_data(login=login, note=note, **context)
        return render(self.request, "account/password_reset_code.html", values, status=status)


class WishNotedView(Entrance, upstream.PasswordResetDoneView):
    """Says the same to everybody."""


@secret_fields
class NewPasswordView(_WithPasswords, Entrance, FormView):  # type: ignore[type-arg]
    """Choose a new password with a mailed link. The token stays in the address and goes into no session."""

    template_name = "account/password_reset_from_key.html"
    form_class = NewPasswordForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Only with a link that works."""
        token = RealmUserTokenForm(data={"uidb36": kwargs["uidb36"], "key": kwargs["key"]})
        self.reset_user = token.reset_user if token.is_valid() else None
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form, or why there is none."""
        return self.render_to_response(self.get_context_data())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A link that was used meanwhile is refused like one that never was."""
        return super().post(request, *args, **kwargs) if self.reset_user else self.get(request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Without a person there is no form."""
        if self.reset_user is None:
            return {"token_fail": True, "view": self}
        return super().get_context_data(action_url=self.request.path, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """The rules look at whose password it is."""
        return {**super().get_form_kwargs(), "user": self.reset_user}

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:
        """Use the link."""
        try:
            use_reset_link(
                actor_of(self.request),
                user_id=form.user.pk,
                token=self.kwargs["key"],
                password=form.cleaned_data["password1"],
            )
        except Conflict:
            self.reset_user = None
            return self.get(self.request)
        except Invalid as error:
            form.add_error("password1", said(error))
            return self.form_invalid(form)
        end_pauses_after_reset(actor_of(self.request), user_id=form.user.pk)
        return redirect("account_reset_password_from_key_done")


@secret_fields
class RenewPasswordView(InStage, FormView):  # type: ignore[type-arg]
    """A sign-in that is held until its person has chosen a new password: too old, or voided by somebody."""

    waits_in = NewPasswordStage
    template_name = "account/password_renew.html"
    form_class = NewPasswordForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form; on, if it was chosen meanwhile."""
        return super().get(request, *args, **kwargs) if self.is_due else self.go_on()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As above."""
        return super().post(request, *args, **kwargs) if self.is_due else self.go_on()

    @property
    def is_due(self) -> bool:
        """Whether there still is something to choose."""
        return password_due(self.request, self.person) is not None

    def go_on(self) -> HttpResponse:
        """To the session. The factors are asked once more: a browser that stood for one does so no longer now."""
        self.stage.controller.state.get(SecondFactorStage.key, {})["handled"] = False
        response: HttpResponse = self.stage.exit()
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        """The rules look at whose password it is."""
        return {**super().get_form_kwargs(), "user": self.person}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Why it is asked."""
        return super().get_context_data(why=password_due(self.request, self.person), person=self.person, **kwargs)

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:
        """Save it; what the old one opened ends, and this sign-in goes on."""
        try:
            person = self.stage.login.user = set_password(
                self.acting, user_id=self.person.pk, password=form.cleaned_data["password1"], how="renewed"
            )
        except Invalid as error:
            form.add_error("password1", said(error))
            return self.form_invalid(form)
        note_begun(self.request, person)
        return self.go_on()


class NewPasswordSavedView(Entrance, upstream.PasswordResetFromKeyDoneView):
    """Sign in with it."""


@secret_fields
@method_decorator(fresh_factor_required, name="dispatch")
class ChangePasswordView(Entrance, upstream.PasswordChangeView):
    """The own password."""

    def form_valid(self, form: Any) -> HttpResponse:
        """This session goes on, under a new key; all others ended in the command."""
        user = chosen(self.request, form)
        if user is None:
            return self.form_invalid(form)
        update_session_auth_hash(self.request, user)
        messages.success(self.request, _("Your password is changed. Other devices are signed out."))
        return redirect(next_of(self.request) or "selfservice:security")


@secret_fields
@method_decorator(fresh_sign_in_required, name="dispatch")
class FirstPasswordView(Entrance, upstream.PasswordSetView):
    """A password for somebody who has another way in."""

    def form_valid(self, form: Any) -> HttpResponse:
        """As above."""
        user = chosen(self.request, form)
        if user is None:
            return self.form_invalid(form)
        update_session_auth_hash(self.request, user)
        messages.success(self.request, _("Your password is set."))
        return redirect(next_of(self.request) or "selfservice:security")
