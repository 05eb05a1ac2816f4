"""Pure decisions about messages: when to try again, and what makes a safe header."""

import re
import unicodedata
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import Invalid

MESSAGE_KEPT = timedelta(days=30)
"""How long it is remembered that a message left or could not; what it said is forgotten at once."""
MAX_ATTEMPTS = 8
CLAIM = timedelta(minutes=2)
"""How long a worker has for one try; after that another one takes the message, as when the first was killed."""
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=2)
MESSAGE_KEPT = timedelta(days=30)
"""How long it is remembered that a message left or could not; what it said is forgotten at once."""

MAX_SUBJECT = 150
LINK_LIKE = re.compile(r"://|www\.|[\w-]+\.[a-z]{2,}/|@", re.IGNORECASE)
MAX_NAME = 60
_E164 = re.compile(r"\+[1-9]\d{6,14}")


def checked_address(to: str, channel: str) -> str:
    """One address of the channel. Raises Invalid (field to).

    Stops a second recipient or a header from riding along in an address (LG-04, IN-08).
    """
    try:
        if channel == "sms":
            if not _E164.fullmatch(to):
                raise ValidationError("")
        else:
            validate_email(to)
    except ValidationError:
        raise Invalid(_("A message can’t go to this address."), field="to")
    return to


def wait_before(attempt: int) -> timedelta:
    """How long to wait before try number `attempt` + 1: 30 s, doubled each time, at most two hours."""
    doublings = min(max(0, attempt - 1), 20)
    return min(timedelta(seconds=FIRST_WAIT.total_seconds() * (1 << doublings)), LONGEST_WAIT)


def one_line(text: str, most: int = MAX_SUBJECT) -> str:
    """A header's text: one line, no control characters, so that no value becomes a second header (IN-08)."""
    kept = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text)
    line = " ".join(kept.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def name_to_greet(name: str) -> str:
    """A person's name as a mail may carry it, or nothing.

    Stops our mails from carrying an advertisement: whoever signs up with somebody's address chooses the name (IN-08).
    """
    line = one_line(name, MAX_NAME)
    return "" if LINK_LIKE.search(line) else line
