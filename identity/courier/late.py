"""Wishes whose answer is decided by the worker, so that asking takes the same work for every name.

Who asks for a new password must not learn, by the time that the answer takes, whether the address has an account
(LG-08, LG-23). The request stores one row, always; the worker looks whom it means and queues a message, or none.
"""

from collections.abc import Callable
from typing import Any

from identity.realms.models import Realm

Answer = Callable[[Realm, dict[str, Any]], None]

_answers: dict[str, Answer] = {}


def answer_late(name: str, answer: Answer) -> None:
    """Called from config/wiring.py only: `answer(realm, context)` runs inside the realm and a transaction."""
    _answers[name] = answer


def answer_for(name: str) -> Answer:
    """Raises KeyError for a wish that nobody answers."""
    return _answers[name]
