"""Guesses at factors, counted for each person and each method: one method's failures never lock another (LG-19).

A sign-in by passkey alone counts for the network that it comes from and for nobody: whoever sends wrong answers in
somebody's name takes nothing from him.
"""

from datetime import datetime, timedelta
from uuid import UUID

from identity.kernel import clock, ratelimit
from identity.kernel.errors import RateLimited
from identity.kernel.ratelimit import Limit

QUARTER = timedelta(minutes=15)
GUESSES = (Limit("factor", 8, QUARTER), Limit("factor", 40, timedelta(hours=12)))
ONCE = Limit("passkey-challenge", 1, timedelta(hours=1))


class TooManyGuesses(RateLimited):
    """`first`: this try was the one that began the pause, which is worth an event."""

    def __init__(self, *, retry_after: int, first: bool) -> None:
        super().__init__(retry_after=retry_after)
        self.first = first


def require_guess(user_id: UUID, kind: str) -> None:
    """Count a try before the code is looked at, so that a burst can't slip through. Raises TooManyGuesses."""
    taken = ratelimit.take([(limit, f"{user_id} {kind}") for limit in GUESSES])
    over = [each for each in taken if each.is_over]
    if over:
        ends = max(each.window_end for each in over)
        first = any(each.count == each.limit.count + 1 for each in over)
        raise TooManyGuesses(retry_after=max(1, int((ends - clock.now()).total_seconds())), first=first)


def forgive(user_id: UUID, kind: str) -> None:
    """The code was right."""
    for limit in GUESSES:
        ratelimit.forget(limit, f"{user_id} {kind}")


def is_first_use(challenge: str, made: datetime) -> bool:
    """Whether a challenge of a sign-in page serves for the first time; one atomic statement.

    made: when it was: counted in that window, since it would serve once more when the next one begins.
    """
    return ratelimit.hit(ONCE, challenge, moment=made) == 1
