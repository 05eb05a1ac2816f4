"""Lock-out that does not lock the realm: tries are counted per account, per network and per both, in the database.

* One person is one account, whichever of his names and whichever way in is tried (LG-14); a name that nobody has is
  counted like one (LG-23).
* Nobody locks out others by failing on many names: each account has its own counters, and so has each realm (TI-17).
* Nobody can lock out one person for good: a device that the person signed in from before has counters of its own and
  asks no other (RL-08). All pauses end by themselves, and the person ends them with a link that is mailed to him.
* Coming in clears what this person failed from this place, and nobody else's (LG-22).

How many tries, and how long the first pause lasts, is the realm's (`lockout_tries`, `lockout_pause`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from identity.accounts.models import User
from identity.accounts.queries import country_of_realm
from identity.accounts.rules import canonical_id
from identity.kernel import ratelimit
from identity.kernel.context import NoRealm, current_realm
from identity.kernel.ratelimit import Limit, Taken
from identity.signin.rules import ANNOUNCED, LockOut, networks_of, paused_until, tries_left

QUARTER = timedelta(minutes=15)

BOTH, NAME, DEVICE = "signin-both", "signin-name", "signin-device"
NETWORKS = (
    Limit("signin-network", 60, QUARTER),
    Limit("signin-network-56", 180, QUARTER),
    Limit("signin-network-48", 480, QUARTER),
)

SIGN_UPS = Limit("signup-network", 20, timedelta(hours=1))
MAILS = Limit("mail-address", 3, timedelta(hours=1))
MAILS_EVERYWHERE = Limit("mail-address-everywhere", 10, timedelta(hours=1))
MAILS_DEVICE = Limit("mail-device", 3, timedelta(hours=1))
MAIL_WISHES = Limit("mail-network", 30, timedelta(hours=1))


def policy() -> LockOut:
    """The realm's own numbers. Raises NoRealm."""
    realm = current_realm()
    if realm is None:
        raise NoRealm("A try to sign in was counted without a realm.")
    return LockOut(int(realm.setting("lockout_tries")), timedelta(seconds=realm.setting("lockout_pause")))


def name_and_network(lock_out: LockOut) -> tuple[Limit, Limit]:
    """The ones that people meet: so many wrong tries, a pause; who goes on waits longer."""
    return (
        Limit(BOTH, lock_out.tries, lock_out.pause),
        Limit(BOTH, 3 * lock_out.tries, lock_out.longer_pause),
    )


def name_alone(lock_out: LockOut) -> tuple[Limit, Limit]:
    """From wherever they come."""
    return (
        Limit(NAME, max(30, 6 * lock_out.tries), lock_out.pause),
        Limit(NAME, max(100, 20 * lock_out.tries), lock_out.longest_pause),
    )


def of_device(lock_out: LockOut) -> Limit:
    """What a known device may fail."""
    return Limit(DEVICE, 2 * lock_out.tries, lock_out.pause)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One counted try to sign in."""

    taken: list[Taken] = field(default_factory=list)

    @property
    def paused_until(self) -> datetime | None:
        """Set when this try was one too many."""
        return paused_until(each.window_end for each in self.taken if each.is_over)

    @property
    def is_first_refused(self) -> bool:
        """Whether exactly this try ran into a limit: the one refusal that is worth an event."""
        return any(each.count == each.limit.count + 1 for each in self.taken)

    @property
    def own(self) -> list[Taken]:
        """Those that are about this person from this place."""
        return [each for each in self.taken if each.limit.name in (BOTH, DEVICE)]

    @property
    def tries_left(self) -> int | None:
        """How many wrong passwords there are before a pause, once it is near (it is announced before it bites)."""
        near = tries_left((t.count, t.limit.count) for t in self.own)
        return near if near <= ANNOUNCED else None

    @property
    def pause_minutes(self) -> int:
        """How long the nearest pause lasts at most."""
        nearest = min((each.limit.window for each in self.own), default=QUARTER)
        return max(1, int(nearest.total_seconds() // 60))


def account_key(user: User | None, identifier: str) -> str:
    """What the tries on a name are counted under: the person's account, or the name that nobody has."""
    return str(user.pk) if user is not None else canonical_id(identifier, country_of_realm())


def count_attempt(who: str, ip: str, *, device: tuple[UUID, str] | None = None) -> Attempt:
    """Count one try before the password is looked at, so that a burst can't slip through.

    who: of `account_key`. device: the person and the device that he signed in from before, if this is one.
    """
    lock_out = policy()
    if device is not None:
        user_id, device_id = device
        return Attempt(ratelimit.take([(of_device(lock_out), f"{user_id} {device_id}")]))
    networks = networks_of(ip)
    nearest = networks[0] if networks else "nowhere"
    return Attempt(
        ratelimit.take(
            [
                *((limit, f"{who} {nearest}") for limit in name_and_network(lock_out)),
                *((limit, who) for limit in name_alone(lock_out)),
                *zip(NETWORKS, networks, strict=False),
            ]
        )
    )


def forgive(attempt: Attempt) -> None:
    """The password was right: this try counts nowhere. Earlier failures of others, and on this name elsewhere, stay."""
    own = attempt.own
    ratelimit.settle(back=[each for each in attempt.taken if each not in own], forgotten=own)


def failures_of(user_id: UUID, ips: Iterable[str]) -> list[Taken]:
    """What stands against one account now: everywhere, and from the networks of these addresses. Counts nothing."""
    lock_out, who = policy(), str(user_id)
    networks = dict.fromkeys((networks_of(ip) or ("nowhere",))[0] for ip in ips)
    return ratelimit.look(
        [
            *((limit, who) for limit in name_alone(lock_out)),
            *((limit, f"{who} {network}") for network in networks for limit in name_and_network(lock_out)),
        ]
    )


def forget(taken: list[Taken]) -> None:
    """These windows begin anew."""
    ratelimit.settle(forgotten=taken)


def may_mail(address: str, ip: str, *, device: str = "") -> bool:
    """Whether another mail or text message may be caused for this address, known or not, from this network. Counts it.

    Who types somebody's address again and again uses up what his own network may cause for it, not the owner's: each
    network has a budget for each address, and all together a higher one, which keeps a mailbox from being flooded and
    bounds what messages cost (LG-13; courier's own limits by number, prefix, realm and day stand above it). A stranger
    with many networks can use up that, too, so a device that the person is known on has a budget of its own and asks
    no other, like its tries (RL-08).

    device: of `devices.known_device_of`; a person and his device.
    """
    if device:
        taken = ratelimit.take([(MAILS_DEVICE, device)])
        return not any(each.is_over for each in taken)
    nearest = _nearest(ip)
    return _is_left(address, [(MAILS, f"{address} {nearest}"), (MAIL_WISHES, nearest)])


def _nearest(ip: str) -> str:
    return (networks_of(ip) or ["nowhere"])[0]


def _is_left(whose: str, here: list[tuple[Limit, str]]) -> bool:
    if any(each.is_over for each in ratelimit.take(here)):
        # What is refused here counts nowhere else: else refusals would use up the others' share.
        return False
    return not any(each.is_over for each in ratelimit.take([(MAILS_EVERYWHERE, whose)]))


def may_mail_person(user_id: UUID, ip: str, *, own_device: bool) -> bool:
    """The same for the person behind the names, whichever was typed: three names are no three budgets. Counts it.

    Asked by the worker, which looks who is meant: the request does the same for every name (LG-23). own_device: one
    that he is known on asked, which has been counted for him.
    """
    whose = f"person {user_id}"
    return own_device or _is_left(whose, [(MAILS, f"{whose} {_nearest(ip)}")])


def require_sign_up(ip: str) -> None:
    """Raises RateLimited for a network that makes account after account."""
    for network in networks_of(ip)[:1]:
        ratelimit.require(SIGN_UPS, network)


def sign_ups_of(ip: str) -> int:
    """How many forms of sign-up this network has sent within the hour."""
    return next((ratelimit.count(SIGN_UPS, network) for network in networks_of(ip)[:1]), 0)
