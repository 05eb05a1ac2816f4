"""Pure decisions of the gate."""

from datetime import timedelta

from identity.kernel.permissions import REALM_PERMISSIONS, Permission


def permissions_of_visit(held: frozenset[Permission]) -> frozenset[Permission]:
    """What an operator holds in a realm that he visits: everything of a realm, if he may visit at all (DECISIONS 20).

    `held` is asked at each request, so an operator who loses the permission loses his open visits with it.
    """
    return REALM_PERMISSIONS if Permission.REALMS_VISIT in held else frozenset()


MAX_ATTEMPTS = 5
"""A job that failed, or whose worker died, so often is given up."""

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=10)


def wait_before_retry(attempts: int) -> timedelta:
    """How long a job rests after its failure number `attempts`: 5 s, four times longer each time, at most 10 min."""
    factor: int = 4 ** min(max(0, attempts - 1), 10)
    return min(FIRST_RETRY * factor, LONGEST_RETRY)
