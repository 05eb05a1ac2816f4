"""Pure decisions about messages."""

import re
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from identity.courier.models import Channel
from identity.kernel.errors import Invalid

_E164 = re.compile(r"\+[1-9]\d{6,14}")
LONGEST_WAIT = timedelta(hours=1)


def checked_address(to: str, channel: str) -> str:
    """One address of the channel. Raises Invalid (field to).

    Stops a second recipient or a header from riding along in an address (LG-04, IN-08).
    """
    to = to.strip()
    if channel == Channel.SMS:
        if not _E164.fullmatch(to):
            raise Invalid(_("This is no phone number in international form."), field="to")
        return to
    try:
        validate_email(to)
    except ValidationError:
        raise Invalid(_("This is no email address."), field="to") from None
    return to


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many failed tries: 5 s, doubling, an hour at most."""
    return min(timedelta(seconds=5 * 2 ** max(0, attempts - 1)), LONGEST_WAIT)
