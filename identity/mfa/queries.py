"""Reads of factors: what a person holds, what may be removed, and which ways in are left."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from allauth.socialaccount.models import SocialAccount
from django.db.models import QuerySet
from django_otp.models import Device as OtpDevice

from identity.access.models import RoleAssignment
from identity.accounts.models import User
from identity.accounts.queries import get_user
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hashes
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.mfa import passkeys, rules
from identity.mfa.models import AuthenticatorDevice, FactorKind, MessageDevice
from identity.mfa.passkeys import stored_name
from identity.mfa.rules import SECOND_FACTORS, STRENGTH, Shown, Step, is_independent, level_of, next_step
from identity.realms.models import Realm
from identity.realms.queries import enabled_providers, provider_key
from identity.sessions.models import Device, DeviceStatus
from identity.sessions.queries import DEVICE_LABEL


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a person. id: for addresses of pages. left: unused recovery codes. hint: the end of a number."""

    id: str
    kind: str
    name: str
    hint: str
    device: str
    created_at: datetime
    last_used_at: datetime | None
    left: int = 0

    @property
    def is_second_factor(self) -> bool:
        """Whether it counts as one: recovery codes don't."""
        return self.kind in SECOND_FACTORS


def _of_authenticator(device: AuthenticatorDevice) -> Factor:
    authenticator = device.authenticator
    codes = device.kind == FactorKind.RECOVERY_CODES
    return Factor(
        id=f"a{device.pk}",
        kind=device.kind,
        name=stored_name(authenticator) or device.name,
        hint="",
        device=device.persistent_id,
        created_at=device.created_at,
        last_used_at=authenticator.last_used_at,
        left=len(authenticator.data.get("hashes", ())) if codes else 0,
    )


def _of_message(device: MessageDevice) -> Factor:
    return Factor(
        id=f"m{device.pk}",
        kind=device.kind,
        name="",
        hint=device.hint,
        device=device.persistent_id,
        created_at=device.created_at,
        last_used_at=device.last_used_at,
    )


def authenticator_devices(user_id: UUID, kind: str | None = None) -> QuerySet[AuthenticatorDevice]:
    """The registry's rows of authenticator apps, passkeys and recovery codes, each with allauth's row; one query."""
    rows: QuerySet[AuthenticatorDevice] = AuthenticatorDevice.objects.filter(user_id=user_id, confirmed=True)
    rows = rows.select_related("authenticator").order_by("pk")
    return rows if kind is None else rows.filter(kind=kind)


def message_devices(user_id: UUID, *, confirmed: bool = True) -> QuerySet[MessageDevice]:
    """Numbers and addresses that get codes."""
    rows: QuerySet[MessageDevice] = MessageDevice.objects.filter(user_id=user_id, confirmed=confirmed)
    return rows.order_by("pk")


def seconds_to_wait(user_id: UUID, factor: Factor) -> int:
    """Seconds until the factor's number or address may be sent another code; 0 when it may."""
    device = message_devices(user_id).filter(pk=factor.id.removeprefix("m")).first()
    return device.seconds_to_wait() if device is not None else 0


def factors_of(user_id: UUID) -> list[Factor]:
    """What a person holds, in the realm of the moment: by strength, then the one used last; two queries."""
    found = [_of_authenticator(device) for device in authenticator_devices(user_id)]
    found += [_of_message(device) for device in message_devices(user_id)]
    return sorted(found, key=_rank)


def _rank(factor: Factor) -> tuple[int, float]:
    used = factor.last_used_at or factor.created_at
    return STRENGTH.index(factor.kind), -used.timestamp()


def factors_seen_by(actor: Actor, *, user_id: UUID) -> list[Factor]:
    """A person's factors for himself or for an admin who may see him. Raises NotFound, PermissionDenied."""
    get_user(actor, user_id=user_id)
    return factors_of(user_id)


def factor_by_id(user_id: UUID, factor_id: str) -> Factor:
    """One of the person's own factors. Raises NotFound, also for somebody else's."""
    for factor in factors_of(user_id):
        if factor.id == factor_id:
            return factor
    raise NotFound


def registration_amr(factor: Factor) -> tuple[str, ...]:
    """What adding a factor showed, in the words of RFC 8176: a passkey's own; nothing to say of the others."""
    if factor.kind != FactorKind.PASSKEY:
        return ()
    device = AuthenticatorDevice.objects.select_related("authenticator").filter(pk=int(factor.id[1:])).first()
    return passkeys.amr_of_data(device.authenticator.wrap().authenticator_data) if device is not None else ()


def has_second_factor(user: User) -> bool:
    """Whether the person holds a factor; recovery codes are none. Kept on his row by `mfa.commands`."""
    return user.second_factor_since is not None


def usable_factors(user_id: UUID, shown: list[Shown]) -> list[Factor]:
    """What may be asked after what was shown already: only what adds something; recovery codes beside a factor."""
    found = [f for f in factors_of(user_id) if not f.is_second_factor or is_independent(f.kind, shown)]
    return found if any(factor.is_second_factor for factor in found) else []


def methods_offered(realm: Realm) -> list[str]:
    """What people of a realm may add as a second step, the strongest first."""
    allowed = realm.setting("second_factor_methods")
    return [kind for kind in STRENGTH if kind in allowed]


def role_wants_factor(user_id: UUID) -> bool:
    """Whether the person holds a role that yields nothing without a second factor."""
    requirements = RoleAssignment.objects.filter(user_id=user_id).values_list("role__requirements", flat=True)
    return any("second_factor" in listed for listed in requirements)


def step_of_sign_in(
    realm: Realm,
    user: User,
    shown: list[Shown],
    *,
    device: Device | None = None,
    held: bool = False,
    wanted: int = 1,
) -> Step:
    """What this sign-in must still show; asked by the stage, and once more before the session begins (LG-01).

    device: the one that the sign-in comes from, if it is known. held: it is unlike the person, and waits for another
    factor. No query for somebody without a factor in a realm that doesn't require one.
    """
    policy = str(realm.setting("second_factor"))
    has_one = has_second_factor(user)
    if not has_one and policy != "required" and not held:
        return Step.PASS
    # What confirmed a held sign-in is no factor that was demanded.
    counted = [each for each in shown if not each.for_hold]
    return next_step(
        policy=policy,
        usable=has_one and bool(usable_factors(user.pk, counted)),
        level=level_of(counted),
        # Somebody with a role that wants a second factor shows it each time.
        trusted=has_one and stands_in(realm, device) and not role_wants_factor(user.pk),
        grace_until=user.factor_grace_until,
        now=clock.now(),
        wanted=wanted,
        held=held,
        proven=len(counted) < len(shown) and level_of(shown, with_hold=True) > 1,
    )


def live_records(records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What was shown in a session (allauth's records), without what a factor showed that was removed since (LG-20)."""
    return [
        record
        for record in records
        if record.get("method") != "mfa" or OtpDevice.from_persistent_id(str(record.get("id"))) is not None
    ]


def shown_in_session(records: Iterable[Mapping[str, Any]], amr: Collection[str]) -> list[Shown]:
    """The same as methods. amr: the session's own, which remembers the password for longer."""
    shown = rules.shown_of(live_records(records))
    return [*rules.shown_of([{"method": "password"}]), *shown] if "pwd" in amr else shown


def factor_shown_at(records: Iterable[Mapping[str, Any]]) -> datetime | None:
    """When a second factor was last shown in a session; None if never. What confirmed a held sign-in is none.

    A provider's word counts where the realm takes it for two factors.
    """
    shown = rules.shown_of(live_records(records))
    times = [each.at for each in shown if not each.for_hold and (each.factor or level_of([each]) > 1)]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def reachable_level(user_id: UUID, shown: Collection[Shown]) -> int:
    """The highest level that the person could reach now with what he holds."""
    kinds = {factor.kind for factor in factors_of(user_id) if factor.is_second_factor}
    return max([level_of(shown), *(rules.level_after(kind, shown) for kind in kinds)])


def can_reach(realm: Realm, level: int, shown: Collection[Shown] = ()) -> bool:
    """Whether people of the realm may add what reaches a level after what was shown."""
    return any(rules.level_after(kind, shown) >= level for kind in methods_offered(realm))


# --- trusted browsers -------------------------------------------------------------------------------------------------


def device_hashes(realm: Realm, device_id: str) -> list[bytes]:
    """What a browser's id is stored as."""
    return keyed_hashes(DEVICE_LABEL, realm.pk, device_id)


def stands_in(realm: Realm, device: Device | None) -> bool:
    """Whether a browser stands for its person's second step now. A realm that trusts none trusts none at once."""
    if device is None or not realm.setting("trusted_device_lifetime"):
        return False
    until = device.trusted_until
    return device.status == DeviceStatus.KNOWN and until is not None and until > clock.now()


def trusted_devices(actor: Actor) -> list[Device]:
    """The person's own browsers that stand for the second step, the last used first."""
    if actor.id is None or not actor.is_person or actor.home_realm_id != actor.realm_id:
        return []
    rows = Device.objects.filter(user_id=actor.id, status=DeviceStatus.KNOWN, trusted_until__gt=clock.now())
    return list(rows.order_by("-last_seen_at"))


# --- the last way in --------------------------------------------------------------------------------------------------


def ways_in(realm: Realm, user: User) -> list[str]:
    """How the person could sign in now: password, passkey, email_code, sms_code, provider (once for each account).

    A password counts with a name that the realm takes beside it, a link while its provider lets people in.
    """
    found: list[str] = []
    named = (
        user.email
        or (user.username and realm.setting("username_sign_in"))
        or (user.phone and realm.setting("phone_sign_in"))
    )
    if named and user.has_usable_password() and realm.setting("password_sign_in"):
        found.append("password")
    if realm.setting("passkey_sign_in"):
        found += ["passkey"] * authenticator_devices(user.pk, FactorKind.PASSKEY).count()
    if realm.setting("email_code_sign_in") and user.email and user.email_verified_at:
        found.append("email_code")
    if realm.setting("sms_code_sign_in") and user.phone and user.phone_verified_at:
        found.append("sms_code")
    enabled = [provider_key(each) for each in enabled_providers()]
    found += ["provider"] * SocialAccount.objects.filter(user_id=user.pk, provider__in=enabled).count()
    return found


def why_kept(realm: Realm, user: User, factor: Factor) -> str:
    """Why a factor can't be removed: last_way_in, required; empty when it can."""
    if factor.kind == FactorKind.PASSKEY and realm.setting("passkey_sign_in") and len(ways_in(realm, user)) < 2:
        return "last_way_in"
    if not factor.is_second_factor:
        return ""
    others = [f for f in factors_of(user.pk) if f.is_second_factor and f.id != factor.id]
    if others or str(realm.setting("second_factor")) != "required":
        return ""
    return "required"


def count_without_factor(actor: Actor, *, role_id: UUID | None = None) -> int:
    """How many active people hold no second factor: whom a stricter policy would hit. Raises PermissionDenied."""
    actor.require(Permission.SETTINGS_READ)
    rows = User.objects.filter(second_factor_since=None).exclude(status="disabled")
    if role_id is not None:
        rows = rows.filter(pk__in=RoleAssignment.objects.filter(role_id=role_id).values("user_id"))
    return rows.count()


def has_any_factor(user_id: UUID) -> bool:
    """Whether one of the rows counts as a second factor: what `second_factor_since` is kept from."""
    return (
        AuthenticatorDevice.objects.filter(user_id=user_id, confirmed=True, kind__in=SECOND_FACTORS).exists()
        or MessageDevice.objects.filter(user_id=user_id, confirmed=True).exists()
    )


def stored_kinds(user_id: UUID) -> list[str]:
    """The kinds that a person holds, also unconfirmed ones: for a reset."""
    kinds = set(AuthenticatorDevice.objects.filter(user_id=user_id).values_list("kind", flat=True))
    return sorted(kinds | set(MessageDevice.objects.filter(user_id=user_id).values_list("kind", flat=True)))
