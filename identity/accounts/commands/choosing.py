"""Choosing a password: one place that every path to a new one goes through, whoever sets it and by whatever page."""

from datetime import timedelta

from django.contrib.auth.hashers import check_password, is_password_usable, make_password
from django.db import transaction

from identity.accounts import breaches, events
from identity.accounts.models import PasswordRecord, User
from identity.accounts.password_hashes import is_bearable
from identity.accounts.password_rules import (
    BREACHED,
    USED_BEFORE,
    PasswordPolicy,
    checked_password,
    is_too_old,
    kept_passwords,
    refusal_of,
)
from identity.accounts.queries import policy_in_force
from identity.audit.record import record
from identity.kernel import clock, ratelimit
from identity.kernel.actor import system_actor
from identity.kernel.context import current_realm

_ONE_NOTE = ratelimit.Limit("breach-service-away", 1, timedelta(hours=1))


def own_words(*, email: str | None, phone: str | None, username: str | None, name: str | None) -> list[str | None]:
    """What a guesser of this person's password would try first."""
    return [email, (email or "").partition("@")[0], username, name, phone]


def new_password_hash(
    password: str,
    *,
    email: str | None = None,
    phone: str | None = None,
    username: str | None = None,
    name: str | None = None,
    user: User | None = None,
) -> str:
    """The hash of a new password that passed all the realm asks: its form, stolen ones, and those of before.

    user: whose it will be, if he has had one. Called before the transaction: hashing takes milliseconds, the question
    about stolen ones up to a second, for which no other writer should have to wait. Raises Invalid (field password),
    naming each unmet rule, or Unavailable. Says breach_check.unavailable where the service is away.
    """
    if user is not None:
        email, phone, username, name = user.email, user.phone, user.username, user.name
    policy = policy_in_force()
    checked_password(password, own_words(email=email, phone=phone, username=username, name=name), policy=policy)
    if policy.breach_check == "online" and _is_stolen(password):
        raise refusal_of([BREACHED])
    if user is not None:
        _refuse_former(user, password, policy)
    return make_password(password)


def _is_stolen(password: str) -> bool:
    """Fails open: the bundled list has been asked, and a service that is away keeps nobody from a new password."""
    try:
        return breaches.is_stolen(password)
    except breaches.ServiceAway as away:
        if away.first:
            _say_away()
        return False


def _say_away() -> None:
    """Once an hour is enough."""
    realm = current_realm()
    if realm is None:
        return
    with transaction.atomic():
        if ratelimit.hit(_ONE_NOTE, "") == 1:
            record(system_actor(realm.pk), events.BreachCheckUnavailable(target_id=realm.pk, target_name=realm.slug))


def _refuse_former(user: User, password: str, policy: PasswordPolicy) -> None:
    """Raises Invalid for a password that the person had; one hash is made for each, so their number is bounded."""
    due = bool(user.password_change_required) or is_too_old(policy, user.password_changed_at, clock.now())
    # Whoever has to change it can't keep it, history or not.
    if not policy.history and not due:
        return
    former = PasswordRecord.objects.filter(user_id=user.pk).order_by("-id").values_list("encoded", flat=True)
    for encoded in [user.password, *former[: kept_passwords(policy)]]:
        if is_bearable(encoded) and check_password(password, encoded):
            raise refusal_of([USED_BEFORE])


def keep_former(user: User) -> None:  # house: HR03 password.changed says it
    """Remember the hash that a new password is about to replace, as long as the policy asks for it, and no other."""
    most = kept_passwords(policy_in_force())
    if most and is_password_usable(user.password) and user.password:
        PasswordRecord.objects.create(realm_id=user.realm_id, user=user, encoded=user.password, replaced_at=clock.now())
    rows = PasswordRecord.objects.filter(user_id=user.pk)
    kept = list(rows.order_by("-id").values_list("pk", flat=True)[:most]) if most else []
    rows.exclude(pk__in=kept).delete()
