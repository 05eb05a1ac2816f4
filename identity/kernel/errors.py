"""Expected failures, each with a stable code; every edge translates them in one table."""

from collections.abc import Mapping
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class RealmkeepError(Exception):
    """An expected failure. `code` is stable and machine-readable, `message` is a sentence for the person."""

    code: ClassVar[str] = "error"
    default_message: ClassVar[Text] = _("That did not work.")

    def __init__(
        self,
        message: Text | None = None,
        *,
        field: str | None = None,
        code: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        self.message = message if message is not None else self.default_message
        self.field = field
        self.reason = code or self.code
        self.details = dict(details or {})
        super().__init__(str(self.message))


class NotFound(RealmkeepError):
    """Not there, or not yours: the two look the same from outside (TI-02)."""

    code = "not_found"
    default_message = _("This does not exist, or you can’t see it.")


class PermissionDenied(RealmkeepError):
    """The actor is known, sees the object and lacks the permission named in `permission`."""

    code = "permission_denied"
    default_message = _("Your role does not allow this.")

    def __init__(self, message: Text | None = None, *, permission: str = "") -> None:
        super().__init__(message)
        self.permission = permission


class Invalid(RealmkeepError):
    """Input that breaks a rule; `field` names it."""

    code = "invalid"
    default_message = _("Check this value.")


class Conflict(RealmkeepError):
    """The state changed meanwhile, or the act contradicts the present state."""

    code = "conflict"
    default_message = _("This changed meanwhile. Look at it again, then repeat.")


class RateLimited(RealmkeepError):
    """Too many tries; `retry_after` seconds remain."""

    code = "rate_limited"
    default_message = _("Too many tries. Wait a moment, then try again.")

    def __init__(self, message: Text | None = None, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(RealmkeepError):
    """A part that we depend on is away or full; nothing was changed."""

    code = "unavailable"
    default_message = _("The service is busy. Nothing was changed. Try again in a moment.")
    retry_after = 2
