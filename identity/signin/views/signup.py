"""A new account: the form, the code that proves a number or address, and what comes after."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from allauth.account import views as upstream
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from identity.accounts.commands import new_password_hash
from identity.accounts.models import User
from identity.accounts.sign_up_rules import policy_of
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.mfa.errors import WrongCode
from identity.mfa.models import FactorKind
from identity.mfa.passkeys import creation_options, parsed
from identity.mfa.queries import factors_of, registration_amr
from identity.signin import limits
from identity.signin.challenges import keep_challenge, take_challenge
from identity.signin.commands import NewPasskey, check_sign_up_code, send_sign_up_code, sign_up
from identity.signin.errors import NotLetIn
from identity.signin.forms import RETURN_KEY, CodeForm, NewPasswordForm, said
from identity.signin.requests import actor_of, asking_id, realm_of
from identity.signin.signing_up import SignUpForm
from identity.signin.views.entrance import Entrance, login_url, secret_fields
from identity.signin.views.guarded import BotGuard
from identity.signin.wishes import SignUpWish, read_wish, write_wish

PURPOSE = "sign-up"


@secret_fields
class SignUpView(BotGuard, Entrance, upstream.SignupView):
    """A new account, where the realm lets people make one."""

    guards = "signup"

    def get_form_class(self) -> type[SignUpForm]:
        """By the realm's policy."""
        return SignUpForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """The policy is the request's realm's."""
        return {**super().get_form_kwargs(), "request": self.request}

    def get_initial(self) -> dict[str, Any]:
        """Nothing from the address."""
        return {}

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        """Send a code first, or make the account; the same page for every name (LG-23)."""
        if not self.passes(form):
            return self.form_invalid(form)  # type: ignore[no-any-return]
        # Before the password is hashed and looked for among stolen ones: neither is free (RL-07).
        limits.require_sign_up(actor_of(self.request).origin.ip)
        try:
            wish = form.wish()
            if wish.proves:
                return code_sent(self.request, wish)
            return signed_up(self.request, wish)
        except Invalid as error:
            field = "password1" if error.field == "password" else error.field
            form.add_error(field if field in form.fields else None, said(error))
            response: HttpResponse = self.form_invalid(form)
            return response


def code_sent(request: HttpRequest, wish: SignUpWish, *, again: bool = False) -> HttpResponse:
    """Where to type the code."""
    if not policy_of(realm_of(request)).is_open:
        raise NotFound
    code_id = send_sign_up_code(actor_of(request), realm=realm_of(request), wish=wish)
    kept = code_id.hex == wish.code_id
    return code_page(request, wish.waiting_for(code_id), again=again and not kept, kept=kept)


def code_page(
    request: HttpRequest, wish: SignUpWish | None, *, error: str = "", again: bool = False, kept: bool = False
) -> HttpResponse:
    """The field for the digits; without a wish, the way back to the beginning."""
    view = SignUpCodeView()
    view.setup(request)
    context = view.get_context_data(
        wish=wish,
        note=write_wish(realm_of(request), wish) if wish else "",
        error=error,
        again=again,
        kept=kept,
        signup_page=reverse("account_signup"),
        code_url=reverse("account_signup_code"),
    )
    return render(request, "account/signup_code.html", context)


def signed_up(request: HttpRequest, wish: SignUpWish) -> HttpResponse:
    """Make the account, or let its owner know. Raises Invalid (a taken username), Conflict, RateLimited."""
    user = sign_up(actor_of(request), realm=realm_of(request), wish=wish, application_id=asking_id(request))
    return go_on(request, wish, user)


def go_on(request: HttpRequest, wish: SignUpWish, user: User | None) -> HttpResponse:
    """An unproven address: "Check your email", whoever has it. Else in, or wait for an admin."""
    if wish.email and not (wish.proven and wish.proves == "email"):
        if wish.next_url:
            request.session[RETURN_KEY] = wish.next_url
        waits = "?approval=1" if policy_of(realm_of(request)).approval else ""
        return redirect(f"{reverse('account_email_verification_sent')}{waits}")
    if user is None:
        # Taken between the code and this: as little is said as of any other name.
        return redirect(login_url(wish.next_url))
    if not user.is_active:
        return redirect("account_signup_waiting")
    if wish.passkey:
        factor = next(each for each in factors_of(user.pk) if each.kind == FactorKind.PASSKEY)
        amr = list(registration_amr(factor))
        record_authentication(request, user, method="mfa", type=factor.kind, id=factor.device, amr=amr)
    elif wish.proven:
        proven = {"phone": user.phone} if wish.by_phone else {"email": user.email}
        record_authentication(request, user, method="code", **proven)
    else:
        record_authentication(request, user, method="password")
    response: HttpResponse = perform_login(
        request, Login(user=user, email=user.email, redirect_url=wish.next_url or None)
    )
    return response


@secret_fields
class SignUpCodeView(Entrance, View):
    """Type the code that was sent. What was asked for comes along, sealed: nothing is kept for who never comes back."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """It begins with the form."""
        return redirect("account_signup")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Send the code again, or try one."""
        wish = read_wish(realm_of(request), request.POST.get("note", ""))
        if wish is not None and wish.provider:
            wish = None
        if wish is not None and wish.proven and wish.passkey:
            return self.with_passkey(request, wish)
        if wish is not None and wish.proven and wish.lacks_password:
            return self.with_password(request, wish)
        if wish is None or not wish.code_id or wish.proven:
            return code_page(request, None)
        if "again" in request.POST:
            limits.require_sign_up(actor_of(request).origin.ip)
            return code_sent(request, wish, again=True)
        form = CodeForm(request.POST)
        if not form.is_valid():
            return code_page(request, wish, error=_("Type the 6 digits of the message."))
        try:
            proven = check_sign_up_code(
                actor_of(request), realm=realm_of(request), wish=wish, text=form.cleaned_data["code"]
            )
        except NotLetIn:
            return code_page(request, wish, error=_("That code didn’t work. Check it, or ask for a new one."))
        if proven.passkey:
            return passkey_page(request, proven)
        if proven.lacks_password:
            return password_page(request, proven, NewPasswordForm(user=person_of(proven)))
        return self.made(request, proven)

    @staticmethod
    def made(request: HttpRequest, wish: SignUpWish) -> HttpResponse:
        """The account, unless the policy or a username changed hands while the code was on its way."""
        try:
            return signed_up(request, wish)
        except (Invalid, Conflict) as error:
            messages.error(request, str(error.message))
            return redirect("account_signup")

    def with_password(self, request: HttpRequest, wish: SignUpWish) -> HttpResponse:
        """The password of who proved the number first. Raises RateLimited: hashing isn't free (RL-07)."""
        form = NewPasswordForm(request.POST, user=person_of(wish))
        if not form.is_valid():
            return password_page(request, wish, form)
        limits.require_sign_up(actor_of(request).origin.ip)
        names = {"email": wish.email, "phone": wish.phone, "username": wish.username, "name": wish.name}
        try:
            encoded = new_password_hash(form.cleaned_data["password1"], **names)
        except Invalid as error:
            form.add_error("password1", said(error))
            return password_page(request, wish, form)
        return self.made(request, replace(wish, encoded=encoded))

    @staticmethod
    def with_passkey(request: HttpRequest, wish: SignUpWish) -> HttpResponse:
        """What the browser made: account and passkey together."""
        again = _("That passkey couldn’t be added. Try again.")
        try:
            made = NewPasskey(
                state=take_challenge(request, PURPOSE, UUID(wish.user_id)),
                credential=parsed(request.POST.get("credential", "")),
                name=request.POST.get("name", ""),
            )
            user = sign_up(
                actor_of(request), realm=realm_of(request), wish=wish, application_id=asking_id(request), passkey=made
            )
        except WrongCode:
            return passkey_page(request, wish, error=again)
        except (Invalid, Conflict) as error:
            if error.field == "name":
                return passkey_page(request, wish, error=str(error.message))
            messages.error(request, str(error.message))
            return redirect("account_signup")
        return go_on(request, wish, user)


def person_of(wish: SignUpWish) -> User:
    """Who the account will be of; it isn't there yet."""
    person = User(email=wish.email or None, phone=wish.phone or None, username=wish.username or None, name=wish.name)
    if wish.user_id:
        person.pk = UUID(wish.user_id)
    return person


def password_page(request: HttpRequest, wish: SignUpWish, form: NewPasswordForm) -> HttpResponse:
    """The last step of who began with the number."""
    view = SignUpCodeView()
    view.setup(request)
    context = view.get_context_data(form=form, wish=wish, note=write_wish(realm_of(request), wish))
    return render(request, "account/signup_password.html", context)


def passkey_page(request: HttpRequest, wish: SignUpWish, *, error: str = "") -> HttpResponse:
    """The question for the browser. The account that the passkey is bound to isn't there yet."""
    realm = realm_of(request)
    person = person_of(wish)
    options, state = creation_options(realm, person, [], passkey=True)
    keep_challenge(request, PURPOSE, person.pk, state)
    view = SignUpCodeView()
    view.setup(request)
    context = view.get_context_data(options=options, note=write_wish(realm, wish), error=error)
    return render(request, "account/signup_passkey.html", context)


class SignUpWaitingView(Entrance, TemplateView):
    """The account is made, and an admin looks at it first."""

    template_name = "account/signup_waiting.html"
