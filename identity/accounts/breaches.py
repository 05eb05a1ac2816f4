"""Whether a password was stolen somewhere: asked of a service that never learns which password it is.

Five of the forty digits of its SHA-1 are sent; the service answers with every listed digest that begins so, among them
invented ones, so that not even the length of the answer tells anything (k-anonymity with padding). Who is away is not
asked again for a while: choosing a password must not become slow.
"""

import hashlib
import time
from http import HTTPStatus

from django.conf import settings

from identity.kernel.errors import RealmkeepError
from identity.kernel.outbound import OutboundFailed, fetch

SECONDS = 1.5
"""For the whole question: the person waits meanwhile."""
REST = 60.0
"""Seconds in which a service that did not answer is left alone."""
PREFIX = 5
MOST = 512 * 1024

_away_until = 0.0


class ServiceAway(RealmkeepError):
    """The service did not answer. `first`: it was asked just now, and did before."""

    code = "breach_service_away"

    def __init__(self, *, first: bool) -> None:
        super().__init__()
        self.first = first


def is_stolen(password: str) -> bool:
    """Whether the service lists the password. Raises ServiceAway."""
    # The list is made of these digests; nothing is protected by it.
    digest = hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest().upper()
    wanted = digest[PREFIX:]
    for line in _range(digest[:PREFIX]).splitlines():
        suffix, _, times = line.partition(":")
        if suffix.strip().upper() == wanted:
            # Invented ones were seen zero times.
            return times.strip() != "0"
    return False


def _range(prefix: str) -> str:
    """The answer of the service to the first digits. Raises ServiceAway."""
    global _away_until
    if time.monotonic() < _away_until:
        raise ServiceAway(first=False)
    url = f"{settings.REALMKEEP_BREACH_URL}/range/{prefix}"
    try:
        answer = fetch("GET", url, headers={"Add-Padding": "true"}, seconds=SECONDS, most=MOST)
    except OutboundFailed:
        answer = None
    if answer is None or answer.status != HTTPStatus.OK:
        _away_until = time.monotonic() + REST
        raise ServiceAway(first=True)
    return answer.body.decode("ascii", "replace")
