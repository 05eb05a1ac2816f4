"""Notices that a factor changed and messages with codes, queued in the command's own transaction."""

from typing import Any

from identity.accounts.mails import mail_to, way_back
from identity.accounts.models import User
from identity.courier.commands import queue_message
from identity.kernel import clock
from identity.mfa.models import FactorKind
from identity.mfa.rules import CODE_LIFETIME
from identity.realms.models import Realm


def mail_factor_added(realm: Realm, user: User, kind: str, name: str = "") -> None:
    """Whoever sees this and added nothing has somebody else in the account."""
    _notice(realm, user, "factor_added", {"kind": kind, "factor_name": name})


def mail_factor_removed(realm: Realm, user: User, kind: str, name: str = "") -> None:
    """The same for what was removed."""
    _notice(realm, user, "factor_removed", {"kind": kind, "factor_name": name})


def mail_factors_reset(realm: Realm, user: User) -> None:
    """An admin removed every factor."""
    _notice(realm, user, "factors_reset", {})


def mail_recovery_codes_made(realm: Realm, user: User) -> None:
    """Earlier codes don't work any more."""
    _notice(realm, user, "recovery_codes_made", {})


def _notice(realm: Realm, user: User, template: str, context: dict[str, Any]) -> None:
    mail_to(realm, user, template, {**context, **way_back(realm)})


def send_factor_code(realm: Realm, user: User, *, kind: str, to: str, code: str, requested_from: str = "") -> None:
    """The code itself, sealed in the outbox until it leaves, and never sent once it is over."""
    queue_message(
        realm,
        to=to,
        template="second_factor_code",
        context={"code": code, "minutes": int(CODE_LIFETIME.total_seconds() // 60), "email": to},
        user_id=user.pk,
        channel="sms" if kind == FactorKind.SMS else "email",
        language=user.language,
        expires_at=clock.now() + CODE_LIFETIME,
        requested_from=requested_from,
    )
