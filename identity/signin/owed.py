"""Stages for what a person owes the realm before a session begins: a confirmed number, the terms in force."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from identity.accounts.models import User
from identity.accounts.sign_up_rules import terms_due
from identity.realms.models import Realm
from identity.signin.commands.numbers import send_number_code
from identity.signin.requests import actor_as, realm_of
from identity.signin.stages import HeldStage


def owes_number(realm: Realm, user: User) -> bool:
    """Whether the number has to be confirmed first: the realm wants that, and an admin, file or provider gave it."""
    return bool(user.phone) and user.phone_verified_at is None and bool(realm.setting("phone_verification_required"))


def owes_terms(realm: Realm, user: User) -> bool:
    """Whether there are terms that the person has not accepted, or not in this version."""
    return terms_due(str(realm.setting("terms_version")), user.terms_version)


class NumberStage(HeldStage):
    """The number is confirmed by a code, once."""

    key = "number_proof"
    urlname = "number_proof"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """Passes whose number is proven, or who has none."""
        user = self.login.user
        if user is None:
            return redirect("account_login"), False
        realm = realm_of(self.request)
        if not owes_number(realm, user):
            return None, True
        if not self.state.get("code_id"):
            self.send(self.request, user)
        return self.enter_page(), True

    def send(self, request: HttpRequest, user: User) -> bool:
        """A code; the one before stops working. False where no other can be sent: then that one stays."""
        before = UUID(self.state["code_id"]) if self.state.get("code_id") else None
        code_id = send_number_code(actor_as(request, user, None), realm=realm_of(request), user=user, before=before)
        self.note("code_id", code_id.hex)
        return code_id != before


class TermsStage(HeldStage):
    """The terms in force are accepted, once for each version."""

    key = "terms_accept"
    urlname = "terms_accept"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """Passes who accepted them."""
        user = self.login.user
        if user is None:
            return redirect("account_login"), False
        return (self.enter_page(), True) if owes_terms(realm_of(self.request), user) else (None, True)
