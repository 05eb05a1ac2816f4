"""Writes of alerts and of the question "was this you?"."""

from identity.security.commands.alerts import (
    Containment,
    Signal,
    contain_address,
    contain_person,
    dismiss_alert,
    raise_alert,
    take_alert,
)
from identity.security.commands.reviews import close_review, open_held_review, open_review, take_up_held_review

__all__ = [
    "Containment",
    "Signal",
    "close_review",
    "contain_address",
    "contain_person",
    "dismiss_alert",
    "open_held_review",
    "open_review",
    "raise_alert",
    "take_alert",
    "take_up_held_review",
]
