"""Refusals of factors. Their text never says which part of a code was wrong."""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import Conflict, RealmkeepError, Text


class WrongCode(RealmkeepError):
    """The code, or what a key signed, is not right, or was used before."""

    code = "wrong_code"
    default_message: ClassVar[Text] = _("That code didn’t work.")


class LastFactor(Conflict):
    """Without this one the person could not sign in, or not as the realm wants it."""

    code = "last_factor"
    default_message: ClassVar[Text] = _("This is your last one. Add another first.")
