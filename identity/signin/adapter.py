"""allauth's account adapter: where its flows ask ours. Writes go to commands, look-ups stay in the realm."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib.auth import login as django_login
from django.contrib.auth import logout as django_logout
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_otp.models import Device

from identity.accounts.commands import set_password
from identity.accounts.mails import mail_confirm_link
from identity.accounts.models import User
from identity.accounts.password_rules import password_problems
from identity.accounts.queries import policy_in_force
from identity.accounts.rules import normalized_email
from identity.accounts.sign_up_rules import policy_of
from identity.gate.usable import is_usable
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.naming import prefix_of
from identity.kernel.origin import origin_of_request
from identity.mfa.commands import trust_device
from identity.mfa.rules import Shown, Step, acr_of, amr_of, level_of, way_of
from identity.sessions.commands import make_room, sign_out
from identity.sessions.commands.limiting import TOO_MANY
from identity.sessions.models import Session
from identity.sessions.store import SessionStore
from identity.signin import commands, limits
from identity.signin.devices import label_of, recognize, remember_device
from identity.signin.owed import owes_number, owes_terms
from identity.signin.requests import actor_as, actor_of, asking_id, realm_of
from identity.signin.room import note_room_wish
from identity.signin.rules import safe_return
from identity.signin.stages import (
    BEGUN_KEY,
    TRUST_KEY,
    is_superseded,
    note_begun,
    password_due,
    shown_in,
    step_of,
)

PENDING = "account_login"
"""Session key: allauth's flow between the first step and the session."""
BACKEND = "identity.signin.backend.RealmBackend"
STAGES = [
    "identity.signin.proof.EmailProofStage",
    "identity.signin.stages.SecondFactorStage",
    "identity.signin.owed.NumberStage",
    "identity.signin.stages.NewPasswordStage",
    "identity.signin.owed.TermsStage",
]
UNSAID = {"account/messages/logged_in.txt", "account/messages/email_confirmation_sent.txt"}
"""Messages that repeat what the page says that they would be shown on."""


class RealmAccountAdapter(DefaultAccountAdapter):
    """Realm-bound answers. Every way in ends in `pre_login` and `login`, which let in nobody of another realm."""

    # --- coming in -----------------------------------------------------------------------------------------------

    def get_login_stages(self) -> list[str]:
        """Only stages that this product has: the address is confirmed, then the factors, then number and terms."""
        return STAGES

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:  # type: ignore[override]
        """Refuses before any stage. The flow begins here, with the one method that was shown a moment ago.

        What an abandoned flow of this browser had shown is dropped: else two first steps, days apart, would count as
        two factors (LG-01).
        """
        self._guard(request, user)
        records = get_authentication_records(request, user)
        if records:
            request.session[AUTHENTICATION_METHODS_SESSION_KEY] = records[-1:]
        note_begun(request, user)
        return None

    def _guard(self, request: HttpRequest, user: User) -> None:
        """The last line of defense: whatever look-up found this person, he is of this realm and usable now (TI-01)."""
        realm = realm_of(request)
        if user.realm_id != realm.pk:
            raise SuspiciousOperation("A person of another realm was about to be signed in.")
        if not is_usable(realm, user=user):
            raise ImmediateHttpResponse(self.respond_user_inactive(request, user))

    def login(self, request: HttpRequest, user: User) -> None:  # type: ignore[override]
        """Begin the session: under a new key (SE-02), with how and when the person came in, and said."""
        self._guard(request, user)
        if is_superseded(request, user):
            raise SuspiciousOperation("A sign-in that began with another password.")
        request.session.pop(BEGUN_KEY, None)
        realm = realm_of(request)
        shown = shown_in(request, user)
        if not shown or step_of(request, user) not in (Step.PASS, Step.OFFER):
            # Whatever led here, the stage did not let pass (LG-01, LG-02).
            raise SuspiciousOperation("A sign-in without a factor that it needs.")
        if owes_number(realm, user) or owes_terms(realm, user):
            raise SuspiciousOperation("A sign-in without what the realm asks for first.")
        if password_due(request, user) is not None:
            raise SuspiciousOperation("A sign-in with a password that has to be replaced first.")
        user.otp_device = self._device_used(user, shown)
        application_id = asking_id(request)
        if request.user.is_authenticated and request.user.pk != user.pk:
            self._sign_out_row(request, "another_account")
        with self._room_or_page(request, user, shown, application_id), transaction.atomic():
            make_room(
                actor_as(request, user, None), realm=realm, user_id=user.pk, present_id=self._own_row(request, user)
            )
            django_login(request, user, backend=BACKEND)
            # What allauth says afterwards of each session, said before it is saved.
            request.session.set_expiry(settings.SESSION_COOKIE_AGE)
            commands.note_signed_in(
                actor_as(request, user, None),
                user=user,
                session=cast(SessionStore, request.session),
                amr=amr_of(shown),
                acr=acr_of(shown),
                method=way_of(shown),
                lifetime=timedelta(seconds=realm.setting("session_lifetime")),
                came=recognize(request, user),
                confirmed=level_of(shown, with_hold=True) > 1,
                application_id=application_id,
            )

    @staticmethod
    def _own_row(request: HttpRequest, user: User) -> UUID | None:
        """The session of this browser, if it is this person's already: signing in again goes on with it."""
        row: Session | None = getattr(request.session, "row", None)
        return row.pk if row is not None and row.user_id == user.pk else None

    @staticmethod
    @contextmanager
    def _room_or_page(
        request: HttpRequest, user: User, shown: list[Shown], application_id: UUID | None
    ) -> Iterator[None]:
        """Who is signed in in too many places is told so, once everything was shown; the flow is over then (SE-10)."""
        try:
            yield
        except Conflict as refusal:
            if refusal.reason != TOO_MANY:
                raise
            commands.refuse_more_sessions(
                actor_of(request), user=user, method=way_of(shown), application_id=application_id
            )
            for name in (PENDING, AUTHENTICATION_METHODS_SESSION_KEY):
                request.session.pop(name, None)
            realm = realm_of(request)
            by_password = user.has_usable_password() and bool(realm.setting("password_sign_in"))
            if not by_password:
                note_room_wish(request, user)
            context = {"most": realm.setting("session_limit"), "by_password": by_password}
            page = render(request, "account/too_many_sessions.html", context)
            page.status_code = HTTPStatus.CONFLICT
            raise ImmediateHttpResponse(page)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Where to go on. From now on this device is known for this person."""
        response = super().post_login(request, user, **kwargs)
        device_id = recognize(request, user).device_id
        remember_device(request, response, realm_of(request), user.pk, device_id)
        if request.session.pop(TRUST_KEY, None) == user.pk.hex:
            actor = actor_as(request, user, request.session.row)  # type: ignore[attr-defined]
            trust_device(actor, user_id=user.pk, device_id=device_id, label=label_of(request))
        return response

    @staticmethod
    def _device_used(user: User, shown: list[Shown]) -> Device | None:
        """django-otp's device of the last factor that was shown: what `is_verified()` asks."""
        device = next((each.device for each in reversed(shown) if each.device), "")
        found = Device.from_persistent_id(device) if device else None
        return found if found is not None and found.user_id == user.pk else None

    def respond_email_verification_sent(self, request: HttpRequest, user: User | None) -> HttpResponse:  # type: ignore[override]
        """The realm wants the address to be confirmed first."""
        if user is not None:
            commands.refuse_unverified(actor_of(request), user=user, application_id=asking_id(request))
        return super().respond_email_verification_sent(request, user)

    def reauthenticate(self, user: User, password: str) -> bool:  # type: ignore[override]
        """Unused: `views.ConfirmView` asks the command, which counts. Fails closed."""
        return False

    # --- going out -----------------------------------------------------------------------------------------------

    def logout(self, request: HttpRequest) -> None:
        """End the session, as a state and with its event, then forget it in the browser."""
        self._sign_out_row(request, "signed_out")
        django_logout(request)

    @staticmethod
    def _sign_out_row(request: HttpRequest, reason: str) -> None:
        actor = actor_of(request)
        if actor.session_id is None:
            return
        try:
            sign_out(actor, session_id=actor.session_id, reason=reason)
        except NotFound:
            # It was ended and erased meanwhile: signed out all the same.
            return

    # --- rules -----------------------------------------------------------------------------------------------------

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """The realm's own policy; asked by GET and by POST."""
        return policy_of(realm_of(request)).is_open

    def clean_email(self, email: str) -> str:
        """The one spelling (LG-25). Raises ValidationError."""
        try:
            return normalized_email(email)
        except Invalid as error:
            raise ValidationError(error.message, code=error.reason)

    def clean_password(self, password: str, user: User | None = None) -> str:  # type: ignore[override]
        """The realm's rules about its form, all at once; what has to be looked up the command asks. Raises

        ValidationError.
        """
        own = [user.email, (user.email or "").partition("@")[0], user.username, user.name, user.phone] if user else []
        problems = password_problems(password, own, policy=policy_in_force())
        if problems:
            raise ValidationError([ValidationError(problem.message, code=problem.code) for problem in problems])
        return password

    def set_password(self, user: User, password: str) -> None:  # type: ignore[override]
        """A person changes his own password; other sessions end in the command."""
        changed = set_password(actor_of(self.request), user_id=user.pk, password=password)
        user.password, user.password_changed_at = changed.password, changed.password_changed_at

    def is_safe_url(self, url: str) -> bool:
        """Pages of this realm alone. allauth would follow every page of the host, and other realms share it."""
        return safe_return(url or "", prefix=prefix_of(realm_of(self.request)))

    def get_client_ip(self, request: HttpRequest) -> str:
        """The client behind the configured number of proxies (RL-01); empty rather than an exception."""
        return origin_of_request(request).ip

    def is_ajax(self, request: HttpRequest) -> bool:
        """Pages are pages: a header that any client can send doesn't turn them into JSON."""
        return False

    # --- mails -------------------------------------------------------------------------------------------------------

    def should_send_confirmation_mail(self, request: HttpRequest, email_address: Any, signup: bool) -> bool:
        """At most a few an hour to one address."""
        return limits.may_mail(email_address.email, origin_of_request(request).ip)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Our link, through courier."""
        address = emailconfirmation.email_address
        with transaction.atomic():
            mail_confirm_link(realm_of(request), address.user, address.email, signing_up=signup)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Commands queue these notices themselves, whichever edge they are called from."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing of allauth's mails is in use. Raises, so that an upgrade that adds one is seen in tests."""
        raise NotImplementedError(f"{template_prefix} is queued by no command.")

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Says what the next page doesn't say itself."""
        if message_template not in UNSAID:
            super().add_message(request, level, message_template, *args, **kwargs)
