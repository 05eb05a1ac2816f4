"""Coming in through an identity provider: the way there, the one way back, first sign-ins, and own links."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from allauth.socialaccount.providers.base import AuthProcess
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from identity.accounts.queries import realm_attributes
from identity.gate.ratelimits import rate_limited
from identity.kernel.errors import Conflict
from identity.realms.models import IdentityProvider
from identity.realms.queries import enabled_provider
from identity.signin import commands, social, social_protocol, social_state
from identity.signin.forms import RETURN_KEY
from identity.signin.requests import actor_of, asking, asking_id, next_of, realm_of
from identity.signin.social_checks import Outcome, trip_steps
from identity.signin.social_claims import Upstream
from identity.signin.social_state import LINK, LOGIN, TEST, Asked, Waiting
from identity.signin.stepup import ask_again, fresh_sign_in_required, is_fresh
from identity.signin.views.entrance import Entrance, login_url

CANCELLED = frozenset({"access_denied", "user_cancelled_login", "user_cancelled_authorize", "interaction_required"})
"""What providers say when the person turned back."""
POSTED = ("code", "state", "error", "iss", "user")
MOST_POSTED = 4000


@rate_limited("provider_start", methods=("GET", "POST"))
def start(request: HttpRequest, provider: IdentityProvider, *, process: str, next_url: str) -> HttpResponse:
    """Send the browser there, remembering in its session what was asked. Raises RateLimited."""
    realm = realm_of(request)
    try:
        endpoints = social_protocol.endpoints_of(provider)
    except social_protocol.UpstreamFailed as error:
        return trouble(
            request, "away", provider, next_url, process=process, step=error.reason, status=HTTPStatus.BAD_GATEWAY
        )
    state = social_state.new_state(realm, provider)
    question = social_state.stash(
        request, social.provider_for(request, provider), state, process=process, next_url=next_url
    )
    hint = request.GET.get("hint", "")
    url = social_protocol.authorization_url(
        provider, endpoints, question, state=state, hint=hint if len(hint) <= 254 and hint.isprintable() else ""
    )
    response = HttpResponseRedirect(url)
    # The provider learns which application somebody uses from its own client id, not from our addresses.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def came_from_elsewhere(request: HttpRequest) -> bool:
    """Whether another site sent the browser here: it must not begin a sign-in in somebody's name (login CSRF)."""
    return request.headers.get("Sec-Fetch-Site", "") == "cross-site"


def trouble(
    request: HttpRequest,
    what: str,
    provider: IdentityProvider | None = None,
    next_url: str = "",
    *,
    process: str = LOGIN,
    step: str = "",
    status: HTTPStatus,
) -> HttpResponse:
    """What happened, what is unaffected, one way on. what: cancelled, failed, away or lost; never more (IN-05).

    step: where it failed; only an admin who tests the provider is shown it.
    """
    again = ""
    if provider is not None and process != TEST:
        kind = AuthProcess.CONNECT if process == LINK else AuthProcess.LOGIN
        again = social.provider_for(request, provider).get_login_url(
            request, process=kind, **{REDIRECT_FIELD_NAME: next_url}
        )
    context = {
        "what": what,
        "provider": provider,
        "process": process,
        "steps": trip_shown(provider, wrong=step) if provider is not None and process == TEST and step else (),
        "again_url": again,
        "back_url": next_url if process == TEST else reverse("selfservice:security"),
        "login_url": login_url(next_url),
        # This address holds what the provider said; it is good once and never repeated.
        "language_next": login_url(next_url),
        "support_code": getattr(request, "request_id", ""),
    }
    return render(request, "account/provider_trouble.html", context, status=status)


def domain_page(request: HttpRequest, provider: IdentityProvider, identifier: str) -> HttpResponse:
    """For a name whose domain signs in elsewhere: says where one goes. A link, since a form may not lead away (CSP)."""
    wanted = next_of(request)
    own = social.provider_for(request, provider)
    context = {
        "provider": provider,
        "login": identifier,
        "go_url": own.get_login_url(request, **{REDIRECT_FIELD_NAME: wanted, "hint": identifier}),
        "login_url": login_url(wanted),
        "redirect_field_value": wanted,
        "asking_application": asking(request),
    }
    return render(request, "account/provider_where.html", context)


TRIP_LABELS = {
    "discovery": gettext_lazy("Its addresses are known"),
    "answer": gettext_lazy("It sent you back with a code"),
    "token": gettext_lazy("It took the code, the client ID and the secret"),
    "keys": gettext_lazy("Its keys can be read"),
    "id_token": gettext_lazy("Its ID token is signed, for us and of now"),
    "userinfo": gettext_lazy("It says who it is"),
}
OUTCOMES = {
    Outcome.RIGHT: ("check_circle", gettext_lazy("Right")),
    Outcome.WRONG: ("error", gettext_lazy("Not right")),
    Outcome.SKIPPED: ("remove", gettext_lazy("Not reached")),
}


def trip_shown(provider: IdentityProvider, *, wrong: str = "") -> list[dict[str, Any]]:
    """Each step of a test, and what came of it: our own words, nothing of what the other side said (IN-05)."""
    return [
        {"label": TRIP_LABELS[step.name], "icon": OUTCOMES[step.outcome][0], "word": OUTCOMES[step.outcome][1]}
        for step in trip_steps(provider, wrong=wrong)
    ]


LABELS = {
    "name": gettext_lazy("Name"),
    "given_name": gettext_lazy("Given name"),
    "family_name": gettext_lazy("Family name"),
    "username": gettext_lazy("Username"),
    "language": gettext_lazy("Language"),
    "time_zone": gettext_lazy("Time zone"),
}


def tested(request: HttpRequest, provider: IdentityProvider, upstream: Upstream, back_url: str) -> HttpResponse:
    """The end of a test: what would be known, and what would become of it. Nobody is signed in or linked."""
    labels = {**LABELS, **dict(realm_attributes())}
    known = {**upstream.profile, **upstream.attributes}
    context = {
        "provider": provider,
        "upstream": upstream,
        "steps": trip_shown(provider),
        "known": [(labels.get(name, name), value) for name, value in known.items()],
        "linked": social.is_linked(provider, upstream),
        "back_url": back_url,
    }
    return render(request, "account/provider_tested.html", context)


class StartView(Entrance, View):
    """The button of a provider."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, alias: str) -> HttpResponse:
        """There, unless another site wanted it: then the person decides."""
        provider = enabled_provider(alias)
        if came_from_elsewhere(request):
            return domain_page(request, provider, "")
        return start(request, provider, process=LOGIN, next_url=next_of(request))


@method_decorator(fresh_sign_in_required, name="dispatch")
class LinkStartView(Entrance, View):
    """Link an account elsewhere with the own one: only for who signed in just now."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, alias: str) -> HttpResponse:
        """There; nothing is linked before the person says so on the way back."""
        provider = enabled_provider(alias)
        if came_from_elsewhere(request):
            return redirect("selfservice:security")
        return start(request, provider, process=LINK, next_url=next_of(request))


@method_decorator(csrf_exempt, name="dispatch")
class CallbackView(Entrance, View):
    """The one address that every provider of the realm sends people back to. What belongs to no question is refused."""

    http_method_names = ["get", "post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Apple posts from its own site, so without our cookies: the same as a GET brings them along."""
        posted = {name: request.POST.get(name, "")[:MOST_POSTED] for name in POSTED}
        query = urlencode({name: value for name, value in posted.items() if value})
        response = HttpResponse(status=HTTPStatus.SEE_OTHER)
        response.headers["Location"] = f"{reverse('provider_callback')}?{query}"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def get(self, request: HttpRequest) -> HttpResponse:
        """Find the question, then the person."""
        realm = realm_of(request)
        state = request.GET.get("state", "")
        alias = social_state.alias_in(realm, state)
        provider = social.find_provider(alias)
        asked = social_state.unstash(request, provider, state) if provider is not None else None
        if provider is None or asked is None or not (provider.enabled or asked.process == TEST):
            return trouble(request, "lost", status=HTTPStatus.BAD_REQUEST)
        if asked.next_url:
            # The pages on the way say who asks.
            request.session[RETURN_KEY] = asked.next_url
        return self.answered(request, provider, asked)

    def answered(self, request: HttpRequest, provider: IdentityProvider, asked: Asked) -> HttpResponse:
        """Refuse, or let in."""
        error = request.GET.get("error", "")
        if error in CANCELLED:
            self.say_refused(request, asked, provider, "provider_cancelled")
            return trouble(request, "cancelled", provider, asked.next_url, process=asked.process, status=HTTPStatus.OK)
        code = request.GET.get("code", "")
        try:
            endpoints = social_protocol.endpoints_of(provider)
            social_protocol.check_iss(provider, endpoints, request.GET.get("iss"))
            if error or not 0 < len(code) <= MOST_POSTED:
                raise social_protocol.failed("answer", "an error instead of a code", provider)
            upstream = social_protocol.who_came(
                provider, endpoints, asked.question, code=code, posted_user=request.GET.get("user", "")
            )
        except social_protocol.UpstreamFailed as error:
            self.say_refused(request, asked, provider, "provider_failed")
            return trouble(
                request,
                "failed",
                provider,
                asked.next_url,
                process=asked.process,
                step=error.reason,
                status=HTTPStatus.BAD_GATEWAY,
            )
        if asked.process == TEST:
            return tested(request, provider, upstream, asked.next_url)
        if asked.process == LINK:
            if not request.user.is_authenticated or str(request.user.pk) != asked.user:
                return trouble(request, "lost", status=HTTPStatus.BAD_REQUEST)
            social_state.keep_waiting(request, Waiting(provider.alias, upstream, asked.next_url, "asked"))
            return redirect("provider_link")
        return social.come_in(request, provider, upstream, asked.next_url)

    @staticmethod
    def say_refused(request: HttpRequest, asked: Asked, provider: IdentityProvider, reason: str) -> None:
        """Into the trail: this was a real question of this browser. A test or a new link is nobody's sign-in."""
        if asked.process != LOGIN:
            return
        commands.refuse_upstream(
            actor_of(request), alias=provider.alias, reason=reason, application_id=asking_id(request)
        )


class LinkView(Entrance, View):
    """Somebody came from a provider and isn't linked yet: sign in to the own account, then say yes (OA-28)."""

    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Only while somebody waits in this browser; and only a fresh sign-in links."""
        self.waiting = social_state.who_waits(request)
        self.provider = social.find_waiting_provider(self.waiting)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Sign in first; or the question."""
        if self.waiting is None or self.provider is None:
            return trouble(request, "lost", status=HTTPStatus.BAD_REQUEST)
        if request.user.is_authenticated and not is_fresh(request):
            return ask_again(request)
        context = {
            "provider": self.provider,
            "waiting": self.waiting,
            "label": self.waiting.upstream.label,
            "login_url": login_url(request.path),
            "sign_up_open": realm_of(request).setting("sign_up_open"),
            "signup_url": f"{reverse('account_signup')}?{urlencode({'next': request.path})}",
            "back_url": self.waiting.next_url or reverse("selfservice:security"),
        }
        return render(request, "account/provider_link.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Yes or no."""
        if self.waiting is None or self.provider is None:
            return trouble(request, "lost", status=HTTPStatus.BAD_REQUEST)
        if not request.user.is_authenticated or not is_fresh(request):
            return self.get(request)
        if "action_link" in request.POST:
            try:
                commands.link_identity(actor_of(request), provider_id=self.provider.pk, upstream=self.waiting.upstream)
                messages.success(
                    request, _("You can sign in with %(provider)s now.") % {"provider": self.provider.name}
                )
            except Conflict as error:
                messages.error(request, str(error.message))
        social_state.nobody_waits(request)
        return redirect(self.waiting.next_url or "selfservice:security")


@method_decorator(fresh_sign_in_required, name="dispatch")
class UnlinkView(Entrance, View):
    """End a link of the own account."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, alias: str) -> HttpResponse:
        """Asks first."""
        found = social.linked_account(request.user, alias)  # type: ignore[arg-type]
        return render(request, "account/provider_unlink.html", {"linked": found, "section": "security"})

    def post(self, request: HttpRequest, alias: str) -> HttpResponse:
        """Does it, unless it is the last way in."""
        found = social.linked_account(request.user, alias)  # type: ignore[arg-type]
        provider = found["provider"]
        try:
            commands.unlink_identity(actor_of(request), user_id=request.user.pk, provider_id=provider.pk)  # type: ignore[arg-type]
            messages.success(request, _("%(provider)s no longer opens your account.") % {"provider": provider.name})
        except Conflict as error:
            messages.error(request, str(error.message))
        return redirect("selfservice:security")
