"""Lock-out that does not lock the realm: tries are counted per name, per network and per both, in the database.

* Nobody locks out others by failing on many names: each name has its own counters, and so has each realm (TI-17).
* Nobody can lock out one person for good: a device that the person signed in from before has counters of its own and
  asks no other (RL-08). All pauses end by themselves.
* A name that does not exist counts and pauses exactly like one that does (LG-23).
* Coming in clears what this person failed from this place, and nobody else's (LG-22).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from identity.kernel import ratelimit
from identity.kernel.ratelimit import Limit, Taken
from identity.signin.rules import ANNOUNCED, networks_of, paused_until, tries_left

QUARTER = timedelta(minutes=15)

NAME_AND_NETWORK = (Limit("signin-both", 5, QUARTER), Limit("signin-both", 15, timedelta(hours=2)))
"""The one that people meet: five wrong passwords, a pause of at most 15 minutes; who goes on waits longer."""
NAME = (Limit("signin-name", 30, QUARTER), Limit("signin-name", 100, timedelta(hours=12)))
NETWORKS = (
    Limit("signin-network", 60, QUARTER),
    Limit("signin-network-56", 180, QUARTER),
    Limit("signin-network-48", 480, QUARTER),
)
DEVICE = (Limit("signin-device", 10, QUARTER),)

SIGN_UPS = Limit("signup-network", 20, timedelta(hours=1))
MAILS = Limit("mail-address", 3, timedelta(hours=1))
MAIL_WISHES = Limit("mail-network", 30, timedelta(hours=1))
PROVIDER_STARTS = Limit("provider-network", 120, QUARTER)
REAUTHENTICATIONS = Limit("reauthenticate", 10, QUARTER)


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
    def tries_left(self) -> int | None:
        """How many wrong passwords there are before a pause, once it is near (it is announced before it bites)."""
        near = tries_left((t.count, t.limit.count) for t in self.taken if t.limit in NAME_AND_NETWORK + DEVICE)
        return near if near <= ANNOUNCED else None

    @property
    def pause_minutes(self) -> int:
        """How long the nearest pause lasts at most."""
        return int(QUARTER.total_seconds() // 60)


def count_attempt(name: str, ip: str, *, device: tuple[UUID, str] | None = None) -> Attempt:
    """Count one try before the password is looked at, so that a burst can't slip through.

    name: the canonical spelling. device: the person and the device that he signed in from before, if this is one.
    """
    if device is not None:
        user_id, device_id = device
        return Attempt(ratelimit.take([(limit, f"{user_id} {device_id}") for limit in DEVICE]))
    networks = networks_of(ip)
    nearest = networks[0] if networks else "nowhere"
    return Attempt(
        ratelimit.take(
            [
                *((limit, f"{name} {nearest}") for limit in NAME_AND_NETWORK),
                *((limit, name) for limit in NAME),
                *zip(NETWORKS, networks, strict=False),
            ]
        )
    )


def forgive(attempt: Attempt) -> None:
    """The password was right: this try counts nowhere. Earlier failures of others, and on this name elsewhere, stay."""
    own = [each for each in attempt.taken if each.limit in NAME_AND_NETWORK + DEVICE]
    ratelimit.settle(back=[each for each in attempt.taken if each not in own], forgotten=own)


def may_mail(address: str, ip: str) -> bool:
    """Whether another mail may be caused for this address, known or not, from this network. Counts it."""
    networks = networks_of(ip)
    taken = ratelimit.take([(MAILS, address), *((MAIL_WISHES, network) for network in networks[:1])])
    return not any(each.is_over for each in taken)


def require_sign_up(ip: str) -> None:
    """Raises RateLimited for a network that makes account after account."""
    for network in networks_of(ip)[:1]:
        ratelimit.require(SIGN_UPS, network)


def require_provider_start(ip: str) -> None:
    """Raises RateLimited for a network that begins sign-in after sign-in: each one is remembered for a while."""
    for network in networks_of(ip)[:1]:
        ratelimit.require(PROVIDER_STARTS, network)


def require_reauthentication(user_id: UUID) -> None:
    """Raises RateLimited for somebody who guesses the password of a session that is not his."""
    ratelimit.require(REAUTHENTICATIONS, str(user_id))


def forgive_reauthentication(user_id: UUID) -> None:
    """The password was right."""
    ratelimit.forget(REAUTHENTICATIONS, str(user_id))
