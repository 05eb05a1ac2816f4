"""Once more, before something important: by the password, a factor, or a code to a confirmed address.

People without a password confirm like everybody else; who has nothing at all to confirm with signs in again.
"""

from typing import Any

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.generic import View

from identity.accounts.models import User
from identity.kernel.errors import RateLimited
from identity.mfa.commands import send_message_code
from identity.mfa.errors import WrongCode
from identity.mfa.models import FactorKind
from identity.mfa.queries import Factor, factors_of, has_second_factor, shown_in_session
from identity.mfa.rules import BY_FACTOR, level_after, level_of_acr
from identity.signin.commands import send_confirm_code, use_confirm_code
from identity.signin.forms import ConfirmForm
from identity.signin.notes import Note, read_note, write_note
from identity.signin.requests import actor_of, next_of, realm_of
from identity.signin.stages import MESSAGES
from identity.signin.stepup import has_reached, note_shown
from identity.signin.views.entrance import Entrance, login_url, secret_fields
from identity.signin.views.factors import (
    ICONS,
    TITLES,
    Choice,
    check_factor,
    choices_of,
    chosen,
    passkey_question,
    wrong_text,
)

PURPOSE = "confirm"
PASSWORD, MAILED = "password", "mailed"


@secret_fields
class ConfirmView(Entrance, View):
    """`signin/again`: `next` is where to go on, `acr` what the page there asks for, `by` whether a password will do."""

    http_method_names = ["get", "post"]
    person: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Only for who is signed in."""
        if not request.user.is_authenticated:
            return redirect(login_url(next_of(request)))
        self.person = request.user  # type: ignore[assignment]
        return super().dispatch(request, *args, **kwargs)

    @property
    def wanted(self) -> str:
        """The class that the page behind wants; one that we don't know is none."""
        acr = self.request.POST.get("acr") or self.request.GET.get("acr") or ""
        return acr if level_of_acr(acr) else ""

    @property
    def by_factor(self) -> bool:
        """Whether the page behind takes nothing but a second factor; it checks that itself."""
        asked = self.request.POST.get("by") or self.request.GET.get("by")
        return asked == BY_FACTOR and has_second_factor(self.person)

    def factors(self) -> list[Factor]:
        """What the person could show; for a class, what reaches it.

        Recovery codes are for getting in, and for who has to replace the factor that he lost.
        """
        found = [
            factor
            for factor in factors_of(self.person.pk)
            if factor.is_second_factor or (self.by_factor and factor.kind == FactorKind.RECOVERY_CODES)
        ]
        level = level_of_acr(self.wanted)
        if level < 2 or has_reached(self.request, self.wanted):
            return found
        row = getattr(self.request.session, "row", None)
        shown = shown_in_session(
            get_authentication_records(self.request, self.person), row.amr if row is not None else ()
        )
        return [factor for factor in found if level_after(factor.kind, shown) >= level]

    def choices(self) -> list[Choice]:
        """Factors by strength, then the password; without either, a code to the confirmed address or number."""
        rows = choices_of(self.factors())
        if self.by_factor or (level_of_acr(self.wanted) > 1 and not has_reached(self.request, self.wanted)):
            return rows
        if self.person.has_usable_password():
            rows.append(Choice(PASSWORD, PASSWORD, str(TITLES[PASSWORD]), "", ICONS[PASSWORD]))
        if not rows and (self.person.email_verified_at or self.person.phone_verified_at):
            kind = FactorKind.EMAIL if self.person.email_verified_at else FactorKind.SMS
            rows.append(Choice(MAILED, kind, str(TITLES[kind]), "", ICONS[kind]))
        return rows

    def get(self, request: HttpRequest) -> HttpResponse:
        """The first way, or the one that was chosen; with `choose`, all of them."""
        choices = self.choices()
        if not choices:
            if not self.wanted:
                return redirect("account_logout")
            # Nothing that he holds reaches it: what he adds may, and then it goes on.
            return redirect_to_login(next_of(request), reverse("account_add"), REDIRECT_FIELD_NAME)
        if "choose" in request.GET and len(choices) > 1:
            return render(request, "account/confirm_choose.html", self.context(choices=choices))
        wanted = request.GET.get("method", "")
        return self.page(next((c for c in choices if wanted in (c.id, c.kind)), self._default(choices)))

    def _default(self, choices: list[Choice]) -> Choice:
        """The strongest; but a message costs money and time, so the password goes before it."""
        return next((choice for choice in choices if choice.kind not in MESSAGES), choices[0])

    def post(self, request: HttpRequest) -> HttpResponse:
        """Check it."""
        choices = self.choices()
        wanted = request.POST.get("factor") or (PASSWORD if "password" in request.POST else "")
        choice = next((each for each in choices if wanted in (each.id, each.kind)), None)
        if choice is None:
            return redirect(f"{request.path}?{request.GET.urlencode()}")
        if choice.id == PASSWORD:
            form = ConfirmForm(request.POST, request=request)
            if not form.is_valid():
                return self.page(choice, form=form)
            note_shown(request, self.person, method="password")
            return self.done()
        try:
            return self.mailed(choice) if choice.id == MAILED else self.shown(choice)
        except WrongCode:
            return self.page(choice, error=wrong_text(choice.kind), sent=True)
        except RateLimited as error:
            return self.page(choice, error=str(error.message), sent=True, status=429)

    def shown(self, choice: Choice) -> HttpResponse:
        """A factor: send its code, or check what came."""
        request = self.request
        factor = chosen(self.factors(), choice.id)
        if "send" in request.POST:
            send_message_code(actor_of(request), user_id=self.person.pk, factor_id=factor.id)
            return self.page(choice, sent=True)
        proof = check_factor(request, actor_of(request), self.person, factor, PURPOSE)
        note_shown(request, self.person, method="mfa", kind=proof.kind, device=proof.device, amr=proof.amr)
        return self.done()

    def mailed(self, choice: Choice) -> HttpResponse:
        """A code to the confirmed address or number, for people who have nothing else."""
        request, realm = self.request, realm_of(self.request)
        by_phone = choice.kind == FactorKind.SMS
        if "send" in request.POST:
            code_id = send_confirm_code(actor_of(request), realm=realm, user_id=self.person.pk, by_phone=by_phone)
            note = write_note(realm, Note(self.person.pk.hex, code_id))
            return self.page(choice, sent=True, note=note)
        note = read_note(realm, request.POST.get("note", ""))
        if note is None or note.login != self.person.pk.hex:
            raise WrongCode
        use_confirm_code(
            actor_of(request),
            user_id=self.person.pk,
            code_id=note.code_id,
            text=request.POST.get("code", ""),
            by_phone=by_phone,
        )
        note_shown(request, self.person, method="code", address="phone" if by_phone else "email")
        return self.done()

    def done(self) -> HttpResponse:
        """Back to where it was asked."""
        return redirect(next_of(self.request) or settings.LOGIN_REDIRECT_URL)

    def context(self, **values: Any) -> dict[str, Any]:
        """What every page of this has."""
        by = BY_FACTOR if self.by_factor else ""
        return self.get_context_data(person=self.person, acr=self.wanted, by=by, **values)

    def page(
        self,
        choice: Choice,
        *,
        form: ConfirmForm | None = None,
        error: str = "",
        sent: bool = False,
        note: str = "",
        status: int = 200,
    ) -> HttpResponse:
        """One way's form."""
        options = passkey_question(self.request, self.person, PURPOSE) if choice.kind == FactorKind.PASSKEY else None
        if choice.id == PASSWORD and form is None:
            form = ConfirmForm(request=self.request)
        context = self.context(
            choice=choice,
            form=form,
            options=options,
            error=error,
            sent=sent,
            note=note or self.request.POST.get("note", ""),
            others=len(self.choices()) > 1,
        )
        return render(self.request, "account/reauthenticate.html", context, status=status)
