"""Asking a provider: over the one way out, with the failures that all of them share put into the words of the log."""

from collections.abc import Mapping
from http import HTTPStatus

from identity.courier.providers.base import NotTaken
from identity.kernel.outbound import Answer, OutboundFailed, fetch

SECONDS = 10.0
PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}


def ask(method: str, url: str, *, headers: Mapping[str, str], body: bytes | None) -> Answer:
    """The provider's answer. Raises NotTaken when there is none, or when it says to come back later.

    No detail of why it could not be reached: the realm's people read these words (IN-05).
    """
    try:
        answer = fetch(method, url, headers=headers, body=body, seconds=SECONDS)
    except OutboundFailed:
        raise NotTaken("unreachable", passing=True) from None
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise NotTaken("throttled", passing=True)
    if answer.status in PASSING:
        raise NotTaken(f"http_{answer.status}", passing=True)
    return answer
