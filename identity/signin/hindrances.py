"""What stands between a person and an application now: what refuses him, and what he is asked for on the way."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from identity.accounts.models import User, UserStatus
from identity.accounts.password_rules import change_due, policy_of
from identity.applications.models import Application
from identity.applications.queries import uris_of
from identity.kernel import clock
from identity.mfa.models import FactorKind
from identity.mfa.queries import can_reach, reachable_level, step_of_sign_in, ways_in
from identity.mfa.rules import Shown, Step, level_of, level_of_acr, shown_of, way_of
from identity.realms.models import Realm
from identity.signin.owed import owes_number, owes_terms


class Hindrance(StrEnum):
    """Those of REFUSES end the way; the others are steps of it."""

    REALM_OFF = "realm_off"
    APPLICATION_OFF = "application_off"
    NOT_FOR_PEOPLE = "not_for_people"
    NO_REDIRECT_URI = "no_redirect_uri"
    DISABLED = "disabled"
    LOCKED = "locked"
    PENDING = "pending"
    NO_WAY_IN = "no_way_in"
    CANT_REACH = "cant_reach"
    EMAIL_UNCONFIRMED = "email_unconfirmed"
    MUST_ENROLL = "must_enroll"
    ASKED_FOR_FACTOR = "asked_for_factor"
    MUST_ADD_FACTOR = "must_add_factor"
    NUMBER_UNCONFIRMED = "number_unconfirmed"
    PASSWORD_DUE = "password_due"
    TERMS_DUE = "terms_due"


REFUSES = frozenset(
    {
        Hindrance.REALM_OFF,
        Hindrance.APPLICATION_OFF,
        Hindrance.NOT_FOR_PEOPLE,
        Hindrance.NO_REDIRECT_URI,
        Hindrance.DISABLED,
        Hindrance.LOCKED,
        Hindrance.PENDING,
        Hindrance.NO_WAY_IN,
        Hindrance.CANT_REACH,
    }
)

_PASSWORD, _APP, _KEY = (
    {"method": "password"},
    {"method": "mfa", "type": FactorKind.TOTP},
    {"method": "mfa", "type": FactorKind.PASSKEY, "amr": ["swk", "user"]},
)
SIGN_INS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "password": (_PASSWORD,),
    "email_code": ({"method": "code", "email": True},),
    "password_app": (_PASSWORD, _APP),
    "password_passkey": (_PASSWORD, _KEY),
    "passkey": (_KEY,),
}
"""Ways of having signed in, as the records that a sign-in keeps: what `amr` and `acr` are made from."""


def shown_by(way: str) -> list[Shown]:
    """What somebody who came this way has shown."""
    return shown_of(SIGN_INS[way])


def likely_way(realm: Realm, user: User, application: Application) -> str:
    """The first way with which nobody would ask this person for more at this application."""
    for way in SIGN_INS:
        shown = shown_by(way)
        enough = level_of(shown) >= level_of_acr(application.required_acr)
        if enough and step_of_sign_in(realm, user, shown) in (Step.PASS, Step.OFFER):
            return way
    return next(iter(SIGN_INS))


def hindrances_of(realm: Realm, user: User, application: Application, shown: list[Shown]) -> list[Hindrance]:
    """In the order in which the person would meet them, asked of the rules that the door itself asks."""
    found = [
        (Hindrance.REALM_OFF, not realm.is_active),
        (Hindrance.APPLICATION_OFF, not application.is_active),
        (Hindrance.NOT_FOR_PEOPLE, not application.allows_grant_type("authorization_code")),
        (Hindrance.NO_REDIRECT_URI, _lacks_redirect_uri(application)),
        (Hindrance.DISABLED, user.status == UserStatus.DISABLED),
        (Hindrance.LOCKED, user.status == UserStatus.LOCKED and not user.is_active),
        (Hindrance.PENDING, user.status == UserStatus.PENDING),
        (Hindrance.NO_WAY_IN, not ways_in(realm, user)),
        (Hindrance.EMAIL_UNCONFIRMED, _owes_address(realm, user)),
    ]
    out = [word for word, holds in found if holds]
    out += _factors(realm, user, application, shown)
    by_password = any(way_of([each]) == "password" for each in shown)
    due = change_due(
        policy_of(realm.setting),
        required=user.password_change_required,
        changed_at=user.password_changed_at,
        now=clock.now(),
        by_password=by_password,
    )
    later = [
        (Hindrance.NUMBER_UNCONFIRMED, owes_number(realm, user)),
        (Hindrance.PASSWORD_DUE, due is not None and user.has_usable_password()),
        (Hindrance.TERMS_DUE, owes_terms(realm, user)),
    ]
    return [*out, *(word for word, holds in later if holds)]


def _lacks_redirect_uri(application: Application) -> bool:
    return application.allows_grant_type("authorization_code") and not uris_of(application)


def _owes_address(realm: Realm, user: User) -> bool:
    return bool(user.email) and not user.email_verified and bool(realm.setting("email_verification_required"))


def _factors(realm: Realm, user: User, application: Application, shown: list[Shown]) -> list[Hindrance]:
    """What the second step would ask, and the application after it."""
    step = step_of_sign_in(realm, user, shown)
    if step is Step.ENROL:
        return [Hindrance.MUST_ENROLL]
    wanted = level_of_acr(application.required_acr)
    if level_of(shown) < wanted:
        if reachable_level(user.pk, shown) >= wanted:
            return [Hindrance.ASKED_FOR_FACTOR]
        return [Hindrance.MUST_ADD_FACTOR if can_reach(realm, wanted, shown) else Hindrance.CANT_REACH]
    return [Hindrance.ASKED_FOR_FACTOR] if step is Step.CHALLENGE else []
