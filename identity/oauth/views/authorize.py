"""The authorization endpoint (RFC 6749, 3.1; OpenID Connect Core 1.0, 3.1.2): sign-in, consent, code.

django-oauth-toolkit's view, with sessions, prompts, stored consent and the answers of RFC 9207 and RFC 9700 around it.
Who or where to answer is checked before anything else: until then an error is shown here and nobody is redirected.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.views.base import AuthorizationView

from identity.accounts.models import User
from identity.applications.models import Application
from identity.consent.commands import grant_consent
from identity.consent.queries import consent_in_force
from identity.kernel import clock
from identity.kernel.naming import issuer_of
from identity.mfa.queries import can_reach, factor_shown_at, has_second_factor, reachable_level, shown_in_session
from identity.mfa.rules import BY_FACTOR, level_of_acr, wanted_level
from identity.oauth import asking, consent_page, rules
from identity.oauth.authorization import CodeServer, RealmCore, RealmValidator
from identity.oauth.commands.issuing import Approval
from identity.oauth.errors import ProtocolError, invalid_request
from identity.oauth.hints import subject_of_hint
from identity.oauth.queries.mapped import mapped_now
from identity.oauth.queries.readiness import standing_answer
from identity.oauth.views import straight
from identity.oauth.wire import MAX_QUERY, parse_parameters
from identity.sessions.commands import note_application_use
from identity.sessions.models import Session
from identity.sessions.rules import ACRS

UNMET = "unmet_authentication_requirements"
"""OpenID Connect Core Unmet Authentication Requirements 1.0."""


class SeeOther(HttpResponseRedirect):
    """303: the browser must never repeat a POST, with its password or decision, at the client (RFC 9700, 4.12)."""

    status_code = 303

    def __init__(self, to: str, scheme: str) -> None:
        # The target is a registered URI; native apps have schemes of their own.
        self.allowed_schemes = [scheme]
        super().__init__(to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request whose client and redirect URI are right."""

    application: Application
    redirect_uri: str
    state: str
    scopes: list[str]
    credentials: dict[str, Any]


class AuthorizeView(AuthorizationView):
    """`/oauth/authorize`."""

    server_class = CodeServer
    validator_class = RealmValidator
    oauthlib_backend_class = RealmCore

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Checks the request first, so that a forged one never gets as far as a sign-in page."""
        if request.method not in ("GET", "POST"):
            return HttpResponseNotAllowed(["GET", "POST"])
        self.setup(request)
        try:
            request.oauth = self._parameters(request)  # type: ignore[attr-defined]
            asked = self._checked(request)
        except ProtocolError as problem:
            response = self._show(request, problem)
        except OAuthToolkitError as problem:
            response = self._answer_error(request, problem)
        else:
            try:
                response = self._go_on(request, asked)
            except ProtocolError as problem:
                response = self._send_back(asked, problem)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    # --- the request -------------------------------------------------------------------------------------------------

    @staticmethod
    def _parameters(request: HttpRequest) -> dict[str, str]:
        """The request's parameters, from the address alone. Raises ProtocolError.

        The answer of the consent page comes in a body beside them: a parameter in both places is refused (OA-04).
        """
        query = str(request.META.get("QUERY_STRING", ""))
        if len(query) > MAX_QUERY:
            raise invalid_request("The request is too long.")
        found = parse_parameters(query)
        if request.method == "POST":
            ours = {"csrfmiddlewaretoken", *consent_page.DecisionForm.base_fields}
            strange = [name for name in request.POST if name not in ours and not name.startswith(consent_page.SHARE)]
            if strange or any(len(values) > 1 for _, values in request.POST.lists()):
                raise invalid_request("The request belongs in the address.")
        return found

    def _checked(self, request: HttpRequest) -> Asked:
        """Raises ProtocolError and OAuthToolkitError."""
        scopes, credentials = self.validate_authorization_request(request)
        parameters: dict[str, str] = request.oauth  # type: ignore[attr-defined]
        return Asked(
            application=credentials["request"].client,
            redirect_uri=credentials["redirect_uri"],
            state=parameters.get("state", ""),
            scopes=list(dict.fromkeys(scopes)),
            credentials=credentials,
        )

    @staticmethod
    def _prompt(parameters: dict[str, str]) -> rules.Prompt:
        """Raises ProtocolError for what would change the request's meaning and that we don't do."""
        straight.checked(parameters)
        return rules.checked_prompt(parameters.get("prompt", ""), parameters.get("max_age", ""))

    # --- sign-in -----------------------------------------------------------------------------------------------------

    def _go_on(self, request: HttpRequest, asked: Asked) -> HttpResponse:
        parameters: dict[str, str] = request.oauth  # type: ignore[attr-defined]
        prompt = self._prompt(parameters)
        session: Session | None = getattr(request.session, "row", None) if request.user.is_authenticated else None
        if session is None or session.authenticated_at is None:
            if prompt.silent:
                raise ProtocolError("login_required", "The person is not signed in.")
            return self._to_sign_in(request, asked, "account_login")
        fingerprint = self._fingerprint(parameters)
        by_factor = self._wanted(request, asked) > 1 and has_second_factor(request.user)  # type: ignore[arg-type]  # signed in
        if rules.needs_fresh_sign_in(
            prompt,
            auth_time=self._factor_time(request) if by_factor else session.authenticated_at,
            asked_at=asking.asked_at(request.session, fingerprint),
            now=clock.now(),
        ):
            if prompt.silent:
                raise ProtocolError("login_required", "The person has to sign in again.")
            wants = {"by": BY_FACTOR} if by_factor else {}
            return self._to_sign_in(request, asked, "account_reauthenticate", **wants)
        hint = parameters.get("id_token_hint")
        if hint and subject_of_hint(request.realm, hint) != request.user.pk:  # type: ignore[attr-defined]
            raise ProtocolError("login_required", "Another person is signed in.")
        return self._step_up(request, asked, prompt, session) or self._decide(request, asked, prompt, session)

    @staticmethod
    def _wanted(request: HttpRequest, asked: Asked) -> int:
        asked_for = request.oauth.get("acr_values", "").split()  # type: ignore[attr-defined]  # set by dispatch
        return wanted_level(asked_for, asked.application.required_acr)

    @staticmethod
    def _factor_time(request: HttpRequest) -> datetime:
        """When the second factor was shown, for a request that wants two and wants them fresh (RFC 9470, section 4).

        Stops who has only the password of an open session from passing two old factors off as new.
        """
        records = get_authentication_records(request, request.user)
        return factor_shown_at(records) or datetime.min.replace(tzinfo=UTC)

    def _step_up(
        self, request: HttpRequest, asked: Asked, prompt: rules.Prompt, session: Session
    ) -> HttpResponse | None:
        """More has to be shown first, for the application or for this request; None when enough was.

        acr_values (OpenID Connect Core 1.0, 3.1.2.1) binds as RFC 9470, section 5 lets it: what can't be reached is
        answered with unmet_authentication_requirements, and never by a weaker token.
        """
        wanted = self._wanted(request, asked)
        if wanted < 0:
            raise ProtocolError(UNMET, "None of these authentication context classes exists here.")
        if level_of_acr(session.acr) >= wanted:
            return None
        if prompt.silent:
            raise ProtocolError("login_required", "The person has to show another factor.")
        acr = ACRS[wanted - 1]
        person: User = request.user  # type: ignore[assignment]
        # After what this session showed: a second code to the same inbox leads nowhere but here again.
        shown = shown_in_session(get_authentication_records(request, person), session.amr)
        if reachable_level(person.pk, shown) >= wanted:
            return self._to_sign_in(request, asked, "account_reauthenticate", acr=acr)
        if can_reach(request.realm, wanted, shown):  # type: ignore[attr-defined]
            return self._to_sign_in(request, asked, "account_add", acr=acr)
        raise ProtocolError(UNMET, "The person has no factor that reaches this authentication context class.")

    @staticmethod
    def _fingerprint(parameters: dict[str, str]) -> str:
        return hashlib.sha256(urlencode(sorted(parameters.items())).encode()).hexdigest()[:32]

    def _to_sign_in(self, request: HttpRequest, asked: Asked, page: str, **wants: str) -> HttpResponse:
        parameters: dict[str, str] = request.oauth  # type: ignore[attr-defined]
        asking.remember(
            request.session,
            asked.application,
            redirect_uri=asked.redirect_uri,
            login_hint=parameters.get("login_hint", ""),
            request=self._fingerprint(parameters),
            now=clock.now(),
        )
        to = f"{reverse(page)}?{urlencode(wants)}" if wants else reverse(page)
        response = redirect_to_login(request.get_full_path(), to, "next")
        response.status_code = 303
        return response

    # --- consent -----------------------------------------------------------------------------------------------------

    def _decide(self, request: HttpRequest, asked: Asked, prompt: rules.Prompt, session: Session) -> HttpResponse:
        if request.method == "POST":
            return self._decided(request, asked, session)
        answer = standing_answer(
            asked.application,
            consent_in_force(request.user.pk, asked.application.pk),  # type: ignore[arg-type]
            mapped=mapped_now(),
            redirect_uri=asked.redirect_uri,
            scopes=asked.scopes,
            prompt=prompt,
            now=clock.now(),
        )
        if answer is not None:
            return self._allow(request, asked, session, asked.scopes, answer.offline_until)
        if prompt.silent:
            raise ProtocolError("consent_required", "The person has to decide.")
        return self._ask(request, asked)

    def _ask(self, request: HttpRequest, asked: Asked) -> HttpResponse:
        context = consent_page.page(asked.application, request.user, asked.scopes, asked.redirect_uri)  # type: ignore[arg-type]
        context["other_account_url"] = f"{reverse('account_logout')}?{urlencode({'next': request.get_full_path()})}"
        response = render(request, "oauth/consent.html", context)
        response._csp_config = asking.form_action(  # type: ignore[attr-defined]
            settings.SECURE_CSP, asking.origin_of_uri(asked.redirect_uri)
        )
        return response

    def _decided(self, request: HttpRequest, asked: Asked, session: Session) -> HttpResponse:
        form = consent_page.DecisionForm(request.POST)
        if not form.is_valid():
            return self._ask(request, asked)
        if form.cleaned_data["decision"] == "deny":
            raise ProtocolError("access_denied", "The person did not allow it.")
        granted = form.granted(asked.scopes)
        if not granted:
            raise ProtocolError("access_denied", "The person shares nothing.")
        lasting = rules.OFFLINE_CHOICES[form.offline_choice]
        until = clock.now() + lasting if lasting and rules.OFFLINE in granted else None
        grant_consent(
            request.actor,  # type: ignore[attr-defined]
            application_id=asked.application.pk,
            scopes=granted,
            asked=asked.scopes,
            offline=rules.OFFLINE in granted,
            offline_until=until,
            shown=form.attributes,
        )
        return self._allow(request, asked, session, granted, until)

    # --- answers -----------------------------------------------------------------------------------------------------

    def _allow(
        self, request: HttpRequest, asked: Asked, session: Session, scopes: list[str], offline_until: datetime | None
    ) -> HttpResponse:
        parameters: dict[str, str] = request.oauth  # type: ignore[attr-defined]
        approval = Approval(
            scopes=scopes,
            redirect_uri=asked.redirect_uri,
            code_challenge=parameters["code_challenge"],
            nonce=parameters.get("nonce", ""),
            auth_time=session.authenticated_at or clock.now(),
            offline=rules.OFFLINE in scopes,
            offline_until=offline_until,
        )
        credentials = {
            **asked.credentials,
            "user": request.user,
            "actor": request.actor,  # type: ignore[attr-defined]
            "session_row": session,
            "approval": approval,
        }
        uri, *_ = self.create_authorization_response(request, " ".join(scopes), credentials, allow=True)
        note_application_use(session, application=asked.application)
        if request.session.get(asking.KEY):
            del request.session[asking.KEY]
        return self._redirect(uri, {})

    def _redirect(self, uri: str, parameters: dict[str, str]) -> HttpResponse:
        """Back to the client; the target is its registered URI."""
        return SeeOther(straight.answered(uri, parameters, issuer_of(self.request.realm)), urlsplit(uri).scheme)

    def _send_back(self, asked: Asked, problem: ProtocolError) -> HttpResponse:
        found = {"error": problem.error}
        if problem.description:
            found["error_description"] = problem.description
        if asked.state:
            found["state"] = asked.state
        return self._redirect(asked.redirect_uri, found)

    def _answer_error(self, request: HttpRequest, problem: OAuthToolkitError) -> HttpResponse:
        """Shown here if client or redirect URI is wrong: a redirect would be an open redirector (OA-01)."""
        error = problem.oauthlib_error
        if isinstance(problem, FatalClientError) or not error.redirect_uri:
            return self._show(request, ProtocolError(error.error, error.description or ""))
        found = {"error": error.error}
        if error.description:
            found["error_description"] = error.description
        if error.state:
            found["state"] = error.state
        return self._redirect(error.redirect_uri, found)

    @staticmethod
    def _show(request: HttpRequest, problem: ProtocolError) -> HttpResponse:
        return render(
            request,
            "oauth/error.html",
            {
                "error": problem.error,
                "description": problem.description,
                "support_code": getattr(request, "request_id", ""),
            },
            status=400,
        )
