"""Adding factors: on the account's pages after a fresh sign-in, or in the middle of one where the realm demands it."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.generic import View

from identity.accounts.models import User
from identity.kernel.actor import Actor
from identity.kernel.crypto import SealBroken
from identity.kernel.errors import Conflict, Invalid, NotFound, RateLimited, RealmkeepError
from identity.mfa import commands
from identity.mfa.errors import WrongCode
from identity.mfa.models import FactorKind
from identity.mfa.passkeys import creation_options, parsed
from identity.mfa.qr import grouped, key_uri, picture
from identity.mfa.queries import (
    Factor,
    authenticator_devices,
    has_second_factor,
    methods_offered,
    registration_amr,
)
from identity.mfa.rules import Step
from identity.mfa.sealing import open_secret, seal_secret
from identity.signin.challenges import keep_challenge, take_challenge
from identity.signin.requests import actor_of, next_of, realm_of
from identity.signin.stages import step_of
from identity.signin.stepup import fresh_sign_in_required, note_shown
from identity.signin.views.entrance import Entrance, secret_fields
from identity.signin.views.factors import ICONS, TITLES, Choice, Proof
from identity.signin.views.second import InStage

SECRET_KEY = "totp_secret"
WAITING_KEY = "message_device"
PURPOSE = "add"


class Adding(View):
    """What both places share. `place` is part of the pages' URL names."""

    http_method_names = ["get", "post"]
    place = ""
    person: User
    acting: Actor
    get_context_data: Callable[..., dict[str, Any]]

    def added(self, factor: Factor, *, first: bool) -> HttpResponse:
        """Where to go on."""
        raise NotImplementedError

    def page(self, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
        """A page with what both places need."""
        values = {"person": self.person, "place": self.place, **context}
        return render(self.request, f"account/{template}.html", self.get_context_data(**values), status=status)


class OnAccount(Entrance):
    """On the account's pages."""

    place = "account"

    @method_decorator(fresh_sign_in_required)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """For the signed-in person whose sign-in is fresh."""
        self.person: User = request.user  # type: ignore[assignment]
        self.acting = actor_of(request)
        return super().dispatch(request, *args, **kwargs)

    def added(self, factor: Factor, *, first: bool) -> HttpResponse:
        """The session knows of it; after the first one there are codes to save."""
        note_shown(
            self.request,
            self.person,
            method="mfa",
            kind=factor.kind,
            device=factor.device,
            amr=registration_amr(factor),
        )
        wanted = next_of(self.request)
        if wanted:
            return redirect(wanted)
        messages.success(self.request, _("Added. We’ve told you by email, too."))
        return redirect("recovery_codes" if first else "selfservice:security")


class InSignIn(InStage):
    """In the middle of a sign-in that needs a factor which nobody has added yet."""

    place = "enroll"

    def is_due(self) -> bool:
        """Whether the sign-in waits for a factor to be added; who holds one shows it (LG-01)."""
        return step_of(self.request, self.person) in (Step.ENROL, Step.OFFER)

    def added(self, factor: Factor, *, first: bool) -> HttpResponse:
        """Adding it showed it. The codes are shown before the sign-in goes on."""
        proof = Proof(factor.kind, factor.device, registration_amr(factor))
        self.person.refresh_from_db(fields=["second_factor_since", "factor_grace_until"])
        return self.pass_on(proof)


def _guarded(view: Any) -> Any:
    """In a sign-in, only while a factor is due."""

    def guarded(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(self, InSignIn) and not self.is_due():
            return redirect("mfa_authenticate")
        try:
            answer: HttpResponse = view(self, request, *args, **kwargs)
        except NotFound:
            return redirect(f"{self.place}_add")
        return answer

    return guarded


class ChooseView(Adding):
    """Which kind to add; in a sign-in with grace, also not today."""

    @_guarded
    def get(self, request: HttpRequest) -> HttpResponse:
        """What the realm offers, the strongest first."""
        texts = {
            FactorKind.PASSKEY: _("Fingerprint, face, screen lock or security key"),
            FactorKind.TOTP: _("A 6-digit code from an app on your phone"),
            FactorKind.SMS: _("A code to your phone. Weaker than the ones above"),
            FactorKind.EMAIL: _("A code to another address of yours"),
        }
        pages = {
            FactorKind.PASSKEY: "passkey",
            FactorKind.TOTP: "app",
            FactorKind.SMS: "number",
            FactorKind.EMAIL: "email",
        }
        choices = [
            (Choice("", kind, str(TITLES[kind]), texts[kind], ICONS[kind]), f"{self.place}_add_{pages[kind]}")
            for kind in methods_offered(realm_of(request))
        ]
        due = isinstance(self, InSignIn)
        grace = self.person.factor_grace_until if due and step_of(request, self.person) is Step.OFFER else None
        return self.page("factor_add", choices=choices, due=due, grace=grace)

    @_guarded
    def post(self, request: HttpRequest) -> HttpResponse:
        """Not today: only in a sign-in, only while the grace runs."""
        if isinstance(self, InSignIn) and step_of(request, self.person) is Step.OFFER:
            self.stage.note("later")
            self.keep()
            response: HttpResponse = self.stage.exit()
            return response
        return self.get(request)


@secret_fields
class AppView(Adding):
    """An authenticator app: its key as a picture and as text, then the first code."""

    @_guarded
    def get(self, request: HttpRequest) -> HttpResponse:
        """A new key; it waits in the session, sealed."""
        secret = generate_totp_secret()
        request.session[SECRET_KEY] = seal_secret(secret, user_id=self.person.pk)
        return self.form(secret)

    @_guarded
    def post(self, request: HttpRequest) -> HttpResponse:
        """The first code."""
        try:
            secret = open_secret(str(request.session.get(SECRET_KEY, "")), user_id=self.person.pk)
        except SealBroken:
            return self.get(request)
        first = not has_second_factor(self.person)
        try:
            factor = commands.confirm_totp(
                self.acting, user_id=self.person.pk, secret=secret, code=request.POST.get("code", "")
            )
        except WrongCode:
            text = _("That code didn’t work. Check that your phone’s time is right, then type the next code.")
            return self.form(secret, error=text)
        request.session.pop(SECRET_KEY, None)
        return self.added(factor, first=first)

    def form(self, secret: str, error: str = "") -> HttpResponse:
        """The page."""
        size, path = picture(key_uri(realm_of(self.request), self.person, secret))
        return self.page("factor_app", size=size, path=path, secret=grouped(secret), error=error)


@secret_fields
class PasskeyView(Adding):
    """A passkey or security key."""

    @_guarded
    def get(self, request: HttpRequest) -> HttpResponse:
        """The question for the browser."""
        return self.form()

    @_guarded
    def post(self, request: HttpRequest) -> HttpResponse:
        """What it made."""
        first = not has_second_factor(self.person)
        try:
            state = take_challenge(request, PURPOSE, self.person.pk)
            factor = commands.add_passkey(
                self.acting,
                user_id=self.person.pk,
                state=state,
                credential=parsed(request.POST.get("credential", "")),
                name=request.POST.get("name", ""),
            )
        except WrongCode:
            return self.form(error=_("That passkey couldn’t be added. Try again."))
        except Invalid as error:
            return self.form(error=str(error.message))
        return self.added(factor, first=first)

    def form(self, error: str = "") -> HttpResponse:
        """The page."""
        realm = realm_of(self.request)
        held = list(authenticator_devices(self.person.pk, FactorKind.PASSKEY))
        options, state = creation_options(realm, self.person, held)
        keep_challenge(self.request, PURPOSE, self.person.pk, state)
        return self.page("factor_passkey", options=options, error=error)


@secret_fields
class MessageView(Adding):
    """A number or an address that gets codes."""

    kind = FactorKind.SMS

    @_guarded
    def get(self, request: HttpRequest) -> HttpResponse:
        """Where to."""
        return self.form()

    @_guarded
    def post(self, request: HttpRequest) -> HttpResponse:
        """Send the first code, or check it."""
        if "code" in request.POST:
            return self.confirm(request)
        try:
            device = commands.add_message_device(
                self.acting, user_id=self.person.pk, kind=self.kind, to=request.POST.get("to", "")
            )
        except RateLimited as error:
            return self.form(error=str(error.message), status=429)
        except RealmkeepError as error:
            return self.form(error=str(error.message), to=request.POST.get("to", ""), status=422)
        request.session[WAITING_KEY] = device.pk
        return self.form(waiting=True, hint=device.hint)

    def confirm(self, request: HttpRequest) -> HttpResponse:
        """The first code came back."""
        first = not has_second_factor(self.person)
        try:
            factor = commands.confirm_message_device(
                self.acting,
                user_id=self.person.pk,
                device_id=int(request.session.get(WAITING_KEY) or 0),
                code=request.POST["code"][:40],
            )
        except WrongCode:
            return self.form(waiting=True, error=_("That code didn’t work. Check the message, then try again."))
        except RateLimited as error:
            return self.form(waiting=True, error=str(error.message), status=429)
        except Conflict:
            return self.form()
        request.session.pop(WAITING_KEY, None)
        return self.added(factor, first=first)

    def form(self, *, status: int = 200, **context: Any) -> HttpResponse:
        """The page."""
        return self.page("factor_message", status=status, kind=self.kind, **context)


class EmailView(MessageView):
    """An address."""

    kind = FactorKind.EMAIL


class AccountChoose(OnAccount, ChooseView):
    """On the account's pages."""


class AccountApp(OnAccount, AppView):
    """On the account's pages."""


class AccountPasskey(OnAccount, PasskeyView):
    """On the account's pages."""


class AccountNumber(OnAccount, MessageView):
    """On the account's pages."""


class AccountEmail(OnAccount, EmailView):
    """On the account's pages."""


class EnrollChoose(InSignIn, ChooseView):
    """In a sign-in."""


class EnrollApp(InSignIn, AppView):
    """In a sign-in."""


class EnrollPasskey(InSignIn, PasskeyView):
    """In a sign-in."""


class EnrollNumber(InSignIn, MessageView):
    """In a sign-in."""


class EnrollEmail(InSignIn, EmailView):
    """In a sign-in."""
