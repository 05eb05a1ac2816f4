"""Refusals at the door. Their text never says whether an account exists."""

from datetime import datetime
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import RateLimited, RealmkeepError, Text


class NotLetIn(RealmkeepError):
    """Name and password do not belong together, or to nobody who may come in."""

    code = "email_password_mismatch"
    default_message: ClassVar[Text] = _("That combination didn’t work")

    def __init__(self, *, tries_left: int | None = None, pause_minutes: int = 0) -> None:
        super().__init__()
        self.tries_left = tries_left
        self.pause_minutes = pause_minutes


class Paused(RateLimited):
    """Too many wrong tries; `until` the clock shows that, nobody is let in with this name from this place."""

    code = "too_many_login_attempts"

    def __init__(self, *, until: datetime, now: datetime) -> None:
        super().__init__(retry_after=max(1, int((until - now).total_seconds())))
        self.until = until
