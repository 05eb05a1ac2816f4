"""The stages between the first step and the session: a second factor is shown or added, a password is replaced.

A sign-in that is unlike the person waits here, too. One stage of factors for every kind of them and every way in.
`step_of` and `password_due` decide, here and once more in the adapter before the session begins, so that no order of
requests leads around them (LG-01).
"""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.stages import LoginStage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from identity.accounts.models import User
from identity.accounts.password_rules import ChangeReason, change_due, policy_of
from identity.accounts.queries import user_by_id
from identity.kernel import clock
from identity.kernel.errors import RateLimited
from identity.mfa.commands import begin_grace, send_message_code
from identity.mfa.models import FactorKind
from identity.mfa.queries import Factor, has_second_factor, step_of_sign_in, usable_factors
from identity.mfa.rules import Kind, Shown, Step, shown_of, way_of
from identity.signin.commands import note_held
from identity.signin.devices import recognize
from identity.signin.requests import actor_as, asking_id, realm_of

MESSAGES = (FactorKind.SMS, FactorKind.EMAIL)
TRUST_KEY = "trust_this_device"
"""Session key: who asked that this browser stand for the second step, once the sign-in is through."""
BEGUN_KEY = "sign_in_begun"
"""Session key: which password the person had when this sign-in began."""


def note_begun(request: HttpRequest, user: User) -> None:
    """Bind a sign-in to the password of the moment, as Django binds a session, also if it is not what was shown."""
    request.session[BEGUN_KEY] = user.get_session_auth_hash()


def is_superseded(request: HttpRequest, user: User) -> bool:
    """Whether the password was changed or voided since this sign-in began.

    Stops a first step that waits for the second from outliving what ends sessions: who said "it was not me", or chose
    a new password, has shut out whoever was on the way in (SE-05).
    """
    return not constant_time_compare(request.session.get(BEGUN_KEY, ""), user.get_session_auth_hash())


def shown_in(request: HttpRequest, user: User) -> list[Shown]:
    """What this person showed in this flow; what anybody else showed in this browser counts nothing."""
    return shown_of(get_authentication_records(request, user))


def is_held(request: HttpRequest, user: User) -> bool:
    """Whether this sign-in is unlike the person, in a realm that holds such ones until another factor confirms them."""
    return realm_of(request).setting("suspicious_sign_in") == "hold" and recognize(request, user).is_suspicious


def step_of(request: HttpRequest, user: User) -> Step:
    """What this sign-in must still show."""
    device = recognize(request, user).device if has_second_factor(user) else None
    return step_of_sign_in(realm_of(request), user, shown_in(request, user), device=device, held=is_held(request, user))


def proofs_of(request: HttpRequest, user: User) -> list[str]:
    """What a code that confirms a held sign-in may go to: the confirmed address or number, unless it was just used."""
    kinds = {kind for each in shown_in(request, user) for kind in each.kinds}
    found = []
    if user.email and user.email_verified and Kind.INBOX not in kinds:
        found.append("email")
    if user.phone and user.phone_verified_at is not None and Kind.NUMBER not in kinds:
        found.append("phone")
    return found


def offered_factors(request: HttpRequest, user: User) -> list[Factor]:
    """What may be shown next, the strongest first."""
    return usable_factors(user.pk, [each for each in shown_in(request, user) if not each.for_hold])


class HeldStage(LoginStage):
    """A stage with a page of its own, where the sign-in waits."""

    def enter_page(self) -> HttpResponse:
        """To the page, under a new key: one that was set before the first step is worth nothing here (SE-02)."""
        if not self.state.get("entered"):
            self.request.session.cycle_key()
            self.state["entered"] = True
        return redirect(self.urlname)

    def is_resumable(self, request: HttpRequest) -> bool:
        """The sign-in page stays open: who typed a wrong name begins anew, and what was shown so far is dropped."""
        return False

    def note(self, name: str, value: Any = True) -> None:
        """Remember something for the rest of this sign-in."""
        self.state[name] = value


def password_due(request: HttpRequest, user: User) -> ChangeReason | None:
    """Why this sign-in needs a new password before it is one; asked of the row that is at hand, by no query."""
    if not user.has_usable_password():
        return None
    return change_due(
        policy_of(realm_of(request).setting),
        required=user.password_change_required,
        changed_at=user.password_changed_at,
        now=clock.now(),
        by_password=any(way_of([each]) == "password" for each in shown_in(request, user)),
    )


class NewPasswordStage(HeldStage):
    """The last one: who is known by every factor replaces a password that is too old, or that somebody voided."""

    key = "new_password"
    urlname = "account_renew_password"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """The page that asks for it, or on."""
        user = self.login.user
        if user is None:
            return redirect("account_login"), False
        if password_due(self.request, user) is None:
            return None, True
        self.request.session.cycle_key()
        return redirect("account_renew_password"), True


class SecondFactorStage(HeldStage):
    """allauth's stage of this key, for all of our factors."""

    key = "mfa_authenticate"
    urlname = "mfa_authenticate"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """Lets pass only for the reasons of `mfa.rules.next_step`."""
        user = self.login.user
        if user is None:
            return redirect("account_login"), False
        step = self.next_step(user)
        user = self.login.user or user
        if step is Step.PASS or (step is Step.OFFER and self.state.get("later")):
            return None, True
        if is_held(self.request, user) and not self.state.get("held"):
            self.state["held"] = True
            note_held(
                actor_as(self.request, user, None),
                realm=realm_of(self.request),
                user=user,
                came=recognize(self.request, user),
                application_id=asking_id(self.request),
            )
        if not self.state.get("entered"):
            # A key that was set before the first step is worth nothing from here on (SE-02).
            self.request.session.cycle_key()
            self.state["entered"] = True
        if step is Step.CHALLENGE:
            self._send(user)
            return redirect("mfa_authenticate"), True
        if step is Step.PROVE:
            return redirect("prove_sign_in"), True
        return redirect("enroll_add"), True

    def next_step(self, user: User) -> Step:
        """What this sign-in must still show. The time to add a factor begins where one is first missed."""
        step = step_of(self.request, user)
        if step is Step.ENROL and user.factor_grace_until is None:
            begin_grace(actor_as(self.request, user, None), user_id=user.pk, realm=realm_of(self.request))
            self.login.user = user_by_id(user.pk) or user
            step = step_of(self.request, self.login.user)
        return step

    def _send(self, user: User) -> None:
        """A code, where that is the first thing the person will be asked for."""
        factors = offered_factors(self.request, user)
        if not factors or factors[0].kind not in MESSAGES or self.state.get("sent"):
            return
        self.state["sent"] = factors[0].id
        try:
            send_message_code(actor_as(self.request, user, None), user_id=user.pk, factor_id=factors[0].id)
        except RateLimited:
            # The one that left a moment ago still works.
            return
