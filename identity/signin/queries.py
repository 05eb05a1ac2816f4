"""Reads of the door: who could come in under a policy, and whom a change of it would hit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from identity.access.models import RoleAssignment
from identity.access.queries import able_owners
from identity.accounts.models import Invitation, User, UserStatus
from identity.accounts.queries import get_user
from identity.audit.models import AuditEvent
from identity.audit.reading import readable
from identity.courier.queries import sms_methods_on
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.context import NoRealm, current_realm_id
from identity.kernel.ids import uuid7_floor
from identity.kernel.permissions import Permission
from identity.kernel.ratelimit import Taken
from identity.mfa.models import MessageDevice
from identity.mfa.queries import ways_in
from identity.realms.models import IdentityProvider, Realm
from identity.realms.queries import provider_key
from identity.realms.rules import CHOICES
from identity.sessions.models import Session
from identity.sessions.queries import live
from identity.signin import limits
from identity.signin.rules import Hit, HitKind

Policy = Mapping[str, Any]
"""Every setting of a realm by name, as it is or as it would be."""

MOST_NAMED = 5
HAS_PASSWORD = ~Q(password="") & ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)


def way_in(policy: Policy, *, without: UUID | None = None) -> Q:
    """The people of the realm of the moment who have at least one way in under a policy, whatever their status.

    without: a provider that is taken as if it were gone.
    """
    ways = Q(pk__in=[])
    if policy["password_sign_in"]:
        named = Q(email__isnull=False)
        if policy["username_sign_in"]:
            named |= Q(username__isnull=False)
        if policy["phone_sign_in"]:
            named |= Q(phone__isnull=False)
        ways |= HAS_PASSWORD & named
    if policy["email_code_sign_in"]:
        ways |= Q(email_verified_at__isnull=False)
    if policy["sms_code_sign_in"]:
        ways |= Q(phone_verified_at__isnull=False)
    if policy["passkey_sign_in"]:
        passkeys = Authenticator.objects.filter(user_id=OuterRef("pk"), type=Authenticator.Type.WEBAUTHN)
        ways |= Q(Exists(passkeys))
    providers = IdentityProvider.objects.filter(enabled=True)
    if linked := [provider_key(each) for each in providers if each.pk != without]:
        ways |= Q(Exists(SocialAccount.objects.filter(user_id=OuterRef("pk"), provider__in=linked)))
    return ways


def may_have_number(realm: Realm, user: User) -> bool:
    """Whether a number is of use to the person: as a name, to a role of his, or because he has one.

    The second step has a number of its own.
    """
    if user.phone or set(sms_methods_on(realm)) - {"second_factor_methods"}:
        return True
    requirements = RoleAssignment.objects.filter(user_id=user.pk).values_list("role__requirements", flat=True)
    return any("verified_phone" in listed for listed in requirements)


def may_resume(realm: Realm, invitation: Invitation) -> bool:
    """Whether the person took the link and has no way in yet: no passkey was added, no account elsewhere linked.

    Only in its time, for the address that it was sent to, and while no newer one was sent. Where people have passwords
    it never is: the link gave one.
    """
    user = invitation.user
    if realm.setting("password_sign_in") or invitation.accepted_at is None or invitation.revoked_at is not None:
        return False
    if invitation.expires_at <= clock.now() or invitation.email != user.email or not user.email_verified:
        return False
    newer = Invitation.objects.filter(user_id=user.pk, pk__gt=invitation.pk)
    return user.is_active and not ways_in(realm, user) and not newer.exists()


def policy_of(realm: Realm, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The policy in force, with what would change."""
    return {**realm.policy(), **(changes or {})}


def owners_with_a_way_in(policy: Policy) -> QuerySet[User]:
    """The owners who could sign in under a policy, and for whom their role counts. Empty: nobody could take it back."""
    return _enabled().filter(way_in(policy), pk__in=able_owners())


def _enabled() -> QuerySet[User]:
    return User.objects.filter(status__in=[UserStatus.ACTIVE, UserStatus.LOCKED])


def hits_of(actor: Actor, *, realm: Realm, changes: Mapping[str, Any]) -> list[Hit]:
    """Whom a change of settings would hit, counted exactly, worst first; only what it newly does. Raises

    PermissionDenied. changes: checked values by setting name.
    """
    actor.require(Permission.SETTINGS_READ)
    before, after = policy_of(realm), policy_of(realm, changes)
    people = _enabled()
    counted: list[tuple[HitKind, QuerySet[User]]] = []
    if any(before[name] != after[name] for name in WAYS):
        counted.append((HitKind.LOCKED_OUT, people.filter(way_in(before)).exclude(way_in(after))))
    if after["email_verification_required"] and not before["email_verification_required"]:
        counted.append((HitKind.MUST_VERIFY_EMAIL, people.filter(email__isnull=False, email_verified_at=None)))
    if after["phone_verification_required"] and not before["phone_verification_required"]:
        counted.append((HitKind.MUST_VERIFY_PHONE, people.filter(phone__isnull=False, phone_verified_at=None)))
    if after["terms_version"] and after["terms_version"] != before["terms_version"]:
        counted.append((HitKind.MUST_ACCEPT_TERMS, people.exclude(terms_version=after["terms_version"])))
    if after["second_factor"] == "required" != before["second_factor"]:
        counted.append((HitKind.MUST_ENROLL, people.filter(second_factor_since=None)))
    if dropped := set(before["second_factor_methods"]) - set(after["second_factor_methods"]):
        counted.append((HitKind.LOSES_FACTOR, people.filter(_holds_one_of(dropped))))
    age = after["password_max_age"]
    if age and (not before["password_max_age"] or age < before["password_max_age"]):
        old = Q(password_changed_at__lte=clock.now() - timedelta(seconds=age)) | Q(password_changed_at=None)
        counted.append((HitKind.MUST_CHANGE_PASSWORD, people.filter(HAS_PASSWORD, old)))
    if _asks_more_of_passwords(before, after):
        counted.append((HitKind.AT_NEXT_PASSWORD, people.filter(HAS_PASSWORD)))
    if after["session_limit"]:
        counted += _full(realm, people, before, after)
    if _pauses_sooner(before, after):
        counted.append((HitKind.PAUSED_SOONER, _failed_often(actor, people, after["lockout_tries"])))
    if after["suspicious_sign_in"] == "hold" != before["suspicious_sign_in"]:
        nothing = Q(second_factor_since=None, email_verified_at=None, phone_verified_at=None)
        counted.append((HitKind.CANT_CONFIRM, people.filter(nothing)))
    sees = actor.can(Permission.USERS_READ)
    return [Hit(kind, number, _some(rows) if sees else ()) for kind, rows in counted if (number := rows.count())]


def _some(rows: QuerySet[User]) -> tuple[tuple[UUID, str], ...]:
    """The first few of those hit, by name."""
    return tuple((each.pk, each.display_name) for each in rows.order_by("name", "pk")[:MOST_NAMED])


def _asks_more_of_passwords(before: Policy, after: Policy) -> bool:
    higher = ("password_min_length", "password_character_classes", "password_history")
    checks = CHOICES["password_breach_check"]
    return any(after[name] > before[name] for name in higher) or checks.index(
        after["password_breach_check"]
    ) > checks.index(before["password_breach_check"])


def _full(realm: Realm, people: QuerySet[User], before: Policy, after: Policy) -> list[tuple[HitKind, QuerySet[User]]]:
    """Who has more sessions than a new or lower limit allows, or as many as one that refuses the next."""
    most, refuses = after["session_limit"], after["session_limit_action"] == "refuse"
    lower = not before["session_limit"] or most < before["session_limit"]
    if not lower and not (refuses and before["session_limit_action"] != "refuse"):
        return []
    least = most if refuses else most + 1
    held = live(Session.objects.filter(user__isnull=False), realm).order_by()
    full = held.values("user_id").annotate(n=Count("pk")).filter(n__gte=least).values("user_id")
    return [(HitKind.NO_MORE_SESSIONS if refuses else HitKind.LOSES_SESSIONS, people.filter(pk__in=full))]


def _pauses_sooner(before: Policy, after: Policy) -> bool:
    return bool(after["lockout_tries"] < before["lockout_tries"] or after["lockout_pause"] > before["lockout_pause"])


def _failed_often(actor: Actor, people: QuerySet[User], tries: int) -> QuerySet[User]:
    """Who was refused at least so often in the last day."""
    refused = AuditEvent.objects.filter(
        realm_id=actor.realm_id,
        type="signin.failed",
        id__gte=uuid7_floor(clock.now() - timedelta(days=1)),
        target_id__isnull=False,
    )
    often = refused.order_by().values("target_id").annotate(n=Count("pk")).filter(n__gte=tries).values("target_id")
    return people.filter(pk__in=often)


WAYS = (
    "password_sign_in",
    "username_sign_in",
    "phone_sign_in",
    "email_code_sign_in",
    "sms_code_sign_in",
    "passkey_sign_in",
)
"""The settings that open and close ways in."""

_TYPES = {"totp": Authenticator.Type.TOTP, "passkey": Authenticator.Type.WEBAUTHN}


def _holds_one_of(methods: set[str]) -> Q:
    own = Authenticator.objects.filter(user_id=OuterRef("pk"), type__in=[_TYPES[m] for m in methods & _TYPES.keys()])
    sent = MessageDevice.objects.filter(user_id=OuterRef("pk"), confirmed=True, kind__in=methods - _TYPES.keys())
    return Q(Exists(own)) | Q(Exists(sent))


@dataclass(frozen=True, slots=True)
class Pause:
    """Why somebody is not let in for a while: so many wrong tries, from one network or from everywhere.

    network: empty for everywhere, and for who may not see where people sign in from.
    """

    everywhere: bool
    network: str
    until: datetime
    tries: int


MOST_FAILURES = 300


def standing_failures(user_id: UUID) -> list[Taken]:
    """All that is counted against one account now. Which networks tried it the trail knows: its refusals have them."""
    realm_id = current_realm_id()
    if realm_id is None:
        raise NoRealm("Tries to sign in were looked up without a realm.")
    since = clock.now() - limits.policy().longer_pause
    refused = AuditEvent.objects.filter(
        realm_id=realm_id, type="signin.failed", target_id=user_id, id__gte=uuid7_floor(since)
    ).order_by("-id")
    return limits.failures_of(user_id, {each.ip for each in readable(refused[:MOST_FAILURES])})


def pauses_of(actor: Actor, *, user_id: UUID) -> list[Pause]:
    """The pauses of one person, for who may see him; networks only for who may see sessions. Raises NotFound,

    PermissionDenied.
    """
    user = get_user(actor, user_id=user_id)
    shows = actor.can_somewhere(Permission.SESSIONS_READ)
    over = [each for each in standing_failures(user.pk) if each.count >= each.limit.count]
    longest: dict[str, Pause] = {}
    for each in sorted(over, key=lambda taken: taken.window_end):
        network = each.subject.partition(" ")[2]
        longest[network] = Pause(not network, network if shows else "", each.window_end, each.limit.count)
    return list(longest.values())


def use_of_providers(actor: Actor, *, keys: list[str]) -> dict[str, tuple[int, datetime | None]]:
    """How many people are linked with each provider, and when one of them came last. Raises PermissionDenied.

    keys: what allauth knows the providers by.
    """
    actor.require(Permission.SETTINGS_READ)
    rows = SocialAccount.objects.filter(provider__in=keys).values("provider").order_by("provider")
    counted = rows.annotate(people=Count("pk"), last=Max("last_login"))
    return {row["provider"]: (row["people"], row["last"]) for row in counted}


def depend_on_provider(actor: Actor, *, provider: IdentityProvider, realm: Realm) -> int:
    """How many people have no other way in than this provider, counted exactly. Raises PermissionDenied."""
    actor.require(Permission.SETTINGS_READ)
    linked = SocialAccount.objects.filter(user_id=OuterRef("pk"), provider=provider_key(provider))
    return _enabled().filter(Exists(linked)).exclude(way_in(policy_of(realm), without=provider.pk)).count()
