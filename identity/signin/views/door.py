"""Sign in, sign up, sign out, confirm, accept an invitation: allauth's views where they fit, with our commands."""

from typing import Any
from urllib.parse import urlencode

from allauth.account import views as upstream
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView, View

from identity.accounts.commands import accept_invitation
from identity.accounts.models import User
from identity.accounts.queries import find_invitation_by_token, is_open_invitation
from identity.kernel.errors import Invalid, NotFound
from identity.sessions.commands import end_sessions_of_user
from identity.signin.commands import resume_invitation
from identity.signin.forms import MAX_TYPED, InvitationForm, WhoForm, said
from identity.signin.phone_first import NumberForm, is_phone_first, other_name_label, wants_number
from identity.signin.queries import may_resume
from identity.signin.requests import actor_as, actor_of, asking, next_of, realm_of
from identity.signin.room import take_room_wish
from identity.signin.social import provider_for_identifier
from identity.signin.views import codes, providers
from identity.signin.views.entrance import Entrance, login_url, secret_fields
from identity.signin.ways import may_send_codes, may_use_password, method_of, takes_names, way_after_invitation


class Door(View):
    """The realm's bare address leads to the own account, which asks to sign in first."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """To the account."""
        return redirect(settings.LOGIN_REDIRECT_URL)


@secret_fields
class SignInView(Entrance, upstream.LoginView):
    """Name and password."""

    def get_initial(self) -> dict[str, Any]:
        """Whom the application expects (OpenID Connect Core 1.0, 3.1.2.1: login_hint)."""
        found = asking(self.request)
        return {**super().get_initial(), **({"login": found.login_hint} if found and found.login_hint else {})}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A name alone leads to the next step, the same for every name; a name with a password is a try."""
        if "password" in request.POST:
            return super().post(request, *args, **kwargs)
        if "number" in request.POST and is_phone_first(realm_of(request)):
            number = NumberForm(request.POST, realm=realm_of(request))
            return self.second_step(number.cleaned_data["login"]) if number.is_valid() else self.number_page(number)
        form = WhoForm(request.POST, realm=realm_of(request))
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        return self.second_step(form.cleaned_data["login"])

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The number first, where the realm wants that; unless somebody is expected by another name."""
        found = asking(request)
        if wants_number(request, realm_of(request)) and not (found and found.login_hint):
            return self.number_page(NumberForm(realm=realm_of(request)))
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def number_page(self, form: NumberForm) -> HttpResponse:
        """Country and number, and the way to another name."""
        realm = realm_of(self.request)
        query = {"name": "1", **({REDIRECT_FIELD_NAME: wanted} if (wanted := next_of(self.request)) else {})}
        context = self.get_context_data(
            form=self.get_form_class()(request=self.request),
            number=form,
            by_code=bool(realm.setting("sms_code_sign_in")) and not realm.setting("phone_sign_in"),
            other_url=f"{reverse('account_login')}?{urlencode(query)}",
            other_name=other_name_label(realm),
        )
        return self.response_class(self.request, "account/login_phone.html", context)

    def second_step(self, login: str) -> HttpResponse:
        """How this person goes on: where the domain signs in, by a password, or at once by a code.

        `here` is the button of who doesn't want to go elsewhere: an owner must get in when the provider is away.
        """
        realm = realm_of(self.request)
        elsewhere = provider_for_identifier(realm, login) if "here" not in self.request.POST else None
        if elsewhere is not None:
            return providers.domain_page(self.request, elsewhere, login)
        if not takes_names(realm):
            # Said of every name: a password page would ask for what can't be right here.
            who = WhoForm({"login": login}, realm=realm)
            who.add_error("login", _("No passwords or codes are used here. Use your passkey, or a button below."))
            return self.render_to_response(self.get_context_data(form=who))
        if may_use_password(realm, login) or not may_send_codes(realm, login):
            form = self.get_form_class()(initial={"login": login}, request=self.request)
            return self.password_page(form, login)
        return codes.CodeView.sent(self.request, login)

    def password_page(self, form: Any, login: str, status: int = 200) -> HttpResponse:
        """The second step. The name is shown, and goes along in a field that password managers see."""
        context = self.get_context_data(
            form=form,
            login=login,
            may_send_codes=may_send_codes(realm_of(self.request), login),
            by_phone=method_of(login) == "sms_code",
        )
        return self.response_class(self.request, "account/login_password.html", context, status=status)

    def form_invalid(self, form: Any) -> HttpResponse:
        """429 while paused; else the page again with 200, which password managers expect."""
        login = str(form.data.get("login", ""))[:MAX_TYPED]
        if not login.strip():
            return super().form_invalid(form)
        return self.password_page(form, login, 429 if form.paused_until is not None else 200)


class SignOutView(Entrance, upstream.LogoutView):
    """Asks first; only a POST signs out."""


class AccountUnusableView(Entrance, upstream.AccountInactiveView):
    """For somebody who became unusable between two steps of coming in."""


class MakeRoomView(Entrance, View):
    """For somebody who was refused a moment ago because he is signed in at too many places: end the other sessions."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Then he signs in once more."""
        user = take_room_wish(request)
        if user is None:
            messages.error(request, _("That took too long. Sign in again."))
        else:
            end_sessions_of_user(actor_as(request, user, None), user_id=user.pk)
            messages.success(request, _("You are signed out everywhere. Sign in again."))
        return redirect(login_url(next_of(request)))


class CheckEmailView(Entrance, upstream.EmailVerificationSentView):
    """Says the same to everybody."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether an admin looks at the account as well: by the realm's policy, not by the account."""
        waits = "approval" in self.request.GET and bool(realm_of(self.request).setting("sign_up_approval"))
        return super().get_context_data(waits=waits, **kwargs)


@secret_fields
class InvitationView(Entrance, FormView):  # type: ignore[type-arg]
    """Accept an invitation: choose a first password, and be signed in; else go on to the way in that there is."""

    template_name = "account/invitation.html"
    form_class = InvitationForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Only with a link that works."""
        found = find_invitation_by_token(kwargs["token"])
        self.resumes = found is not None and may_resume(realm_of(request), found)
        self.invitation = found if found is not None and (self.resumes or is_open_invitation(found)) else None
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form, or why there is none."""
        if self.invitation is None:
            return self._refused()
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As above."""
        return super().post(request, *args, **kwargs) if self.invitation else self._refused()

    def _refused(self) -> HttpResponse:
        return render(self.request, self.template_name, {"refused": True}, status=410)

    def get_form_kwargs(self) -> dict[str, Any]:
        """The rules look at whose password it is."""
        assert self.invitation is not None  # noqa: S101 - get and post have asked; for the type checker
        return {**super().get_form_kwargs(), "user": self.invitation.user, "with_password": self.way == "password"}

    @property
    def way(self) -> str:
        """What the person will sign in with."""
        return way_after_invitation(realm_of(self.request))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """For whom it is."""
        return super().get_context_data(invitation=self.invitation, way=self.way, **kwargs)

    def form_valid(self, form: InvitationForm) -> HttpResponse:
        """Accept, then come in by the same way as everybody: stages, guard and event."""
        try:
            user = self._resumed() if self.resumes else self._accepted(form)
        except NotFound:
            return self._refused()
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else "password1", said(error))
            return self.form_invalid(form)
        if self.way == "password":
            record_authentication(self.request, user, method="password", email=user.email)
        else:
            # The link has proven the address, as a code would.
            record_authentication(self.request, user, method="code", email=user.email)
        pages = {"passkey": "account_add_passkey", "": "selfservice:security"}
        to = reverse(pages[self.way]) if self.way in pages else None
        response: HttpResponse = perform_login(self.request, Login(user=user, email=user.email, redirect_url=to))
        return response

    def _accepted(self, form: InvitationForm) -> User:
        return accept_invitation(
            actor_of(self.request),
            token=self.kwargs["token"],
            password=form.cleaned_data.get("password1", ""),
            name=form.cleaned_data.get("name", ""),
        )

    def _resumed(self) -> User:
        return resume_invitation(actor_of(self.request), realm=realm_of(self.request), token=self.kwargs["token"])
