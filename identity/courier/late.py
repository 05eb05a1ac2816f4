"""Wishes whose answer is decided by the worker, so that asking takes the same work for every name.

Who asks for a new password must not learn, by the time that the answer takes, whether the address has an account
(LG-08, LG-23). The request stores one row, always; the worker looks whom it means and queues a message, or none.
"""

from collections.abc import Callable

Answer = Callable[..., None]
"""`answer(realm, **context)`: runs inside the realm and in a transaction."""

_answers: dict[str, Answer] = {}


def answer_late(name: str, answer: Answer) -> None:
    """Called from config/wiring.py only."""
    _answers[name] = answer


def answer_for(name: str) -> Answer:
    """Raises KeyError for a wish that nobody answers."""
    return _answers[name]
