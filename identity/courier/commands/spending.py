"""Budgets of short messages: per number, range, realm, installation and requester's address, each for a day (LG-13).

Counted in the database, in the transaction that queues the message: right across processes, whether Redis is there or
not, and undone with it. A day is one of UTC.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from identity.audit.record import record
from identity.courier import events
from identity.courier.rules.numbers import is_blocked, prefix_of
from identity.kernel.actor import system_actor
from identity.kernel.context import realm_scope
from identity.kernel.origin import network_of
from identity.kernel.ratelimit import Limit, hit, settle, take
from identity.realms.models import Realm
from identity.realms.queries import platform_realm

DAY = timedelta(days=1)
NUMBER_EVERYWHERE = 30
"""A day's messages to one number by all realms together: one person is not written to by each of them in turn."""


def limits_of(realm: Realm) -> dict[str, Limit]:
    """The realm's limits of a day, by what they count."""
    return {
        "number": Limit("sms.number", realm.setting("sms_number_daily_limit"), DAY),
        "prefix": Limit("sms.prefix", realm.setting("sms_prefix_daily_limit"), DAY),
        "realm": Limit("sms.realm", realm.setting("sms_daily_limit"), DAY),
        "address": Limit("sms.address", settings.REALMKEEP_SMS_ADDRESS_DAILY_LIMIT, DAY),
    }


def installation_limits() -> dict[str, Limit]:
    """The limits that all realms share, counted in the realm of the operators."""
    return {
        "everywhere": Limit("sms.number_everywhere", NUMBER_EVERYWHERE, DAY),
        "platform": Limit("sms.platform", settings.REALMKEEP_SMS_DAILY_LIMIT, DAY),
    }


@transaction.atomic
def refused_by_budget(realm: Realm, *, number: str, requested_from: str, subject_id: UUID | None) -> str:
    """Count one message; the name of the budget that has no room for it, or nothing.

    What is refused uses up no budget: hammering one number does not use up the realm's day. Says sms.limit_reached,
    once a day for each budget.
    """
    prefix = prefix_of(number)
    said = _Said(realm, prefix, requested_from, subject_id)
    if is_blocked(number, realm.setting("sms_prefixes_blocked")):
        said.once("blocked", prefix, 0)
        return "blocked"
    limits = limits_of(realm)
    subjects = {"number": number, "prefix": prefix, "realm": ""}
    if requested_from:
        subjects["address"] = network_of(requested_from)
    taken = take([(limits[scope], subject) for scope, subject in subjects.items()])
    over = {scope: each for scope, each in zip(subjects, taken, strict=True) if each.is_over}
    if over:
        settle(back=taken)
        for scope, each in over.items():
            said.once(scope, each.subject, each.limit.count)
        return next(iter(over))
    # After the realm's own, always in this order: two realms never wait for each other crosswise.
    reason = _refused_by_installation(realm, number, said)
    if reason:
        settle(back=taken)
    return reason


def _refused_by_installation(realm: Realm, number: str, said: "_Said") -> str:
    home = platform_realm() or realm
    limits = installation_limits()
    subjects = {"everywhere": number, "platform": ""}
    with realm_scope(home):
        taken = take([(limits[scope], subject) for scope, subject in subjects.items()])
        over = [scope for scope, each in zip(subjects, taken, strict=True) if each.is_over]
        if not over:
            return ""
        settle(back=taken)
        if "platform" in over and home.pk != realm.pk:
            _Said(home, "", "", None).once("platform", "", limits["platform"].count)
    said.once(over[0], subjects[over[0]], limits[over[0]].count)
    return over[0]


@dataclass(frozen=True, slots=True)
class _Said:
    """What an event about a budget tells besides the budget."""

    realm: Realm
    prefix: str
    requested_from: str
    subject_id: UUID | None

    def once(self, scope: str, subject: str, limit: int) -> None:
        """Say it, unless it was said today."""
        if hit(Limit(f"sms.{scope}.told", 0, DAY), subject) > 1:
            return
        record(
            system_actor(self.realm.pk),
            events.SmsLimitReached(
                target_id=self.realm.pk,
                subject_id=self.subject_id if scope == "number" else None,
                target_name=self.realm.name,
                scope=scope,
                limit=limit,
                prefix=self.prefix,
                address=self.requested_from,
            ),
        )
