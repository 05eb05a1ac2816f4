"""The security check-up of the overview: at most three things to do, worst first. Pure: no ORM, no request."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from console.account.rows import DeviceRow

MOST_TASKS = 3


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do: what, why, and the page (a URL name) where it is done."""

    title: str
    why: str
    action: str
    page: str
    icon: str


@dataclass(frozen=True, slots=True)
class Checkup:
    """What to do and what is fine. No score: tasks end, scores nag."""

    tasks: list[Task] = field(default_factory=list)
    fine: list[str] = field(default_factory=list)


def check_up(
    *,
    has_password: bool,
    email: str,
    email_verified: bool,
    devices: Sequence[DeviceRow],
    second_factor: bool = False,
    recovery_codes: bool = False,
    may_add: bool = False,
) -> Checkup:
    """What this account lacks."""
    tasks = [
        Task(
            _("Is this you on %(device)s?") % {"device": device.what},
            _("You signed in there for the first time. If you don’t know it, sign it out."),
            _("Look at it"),
            "selfservice:devices",
            "gpp_maybe",
        )
        for device in devices
        if device.new
    ]
    fine = [] if tasks else [_("No new device is signed in")]
    if not email:
        tasks.append(
            Task(
                _("Add an email address"),
                _("Without one you can’t get back in if you forget your password."),
                _("Add it"),
                "account_email",
                "mail",
            )
        )
    elif not email_verified:
        tasks.append(
            Task(
                _("Confirm your email"),
                _("If you forget your password, you could get locked out."),
                _("Confirm it"),
                "account_email",
                "mail",
            )
        )
    else:
        fine.append(_("Your email is confirmed"))
    if second_factor and not recovery_codes:
        tasks.append(
            Task(
                _("Make recovery codes"),
                _("If you lose your phone or key, they get you back in."),
                _("Make them"),
                "recovery_codes",
                "password",
            )
        )
    elif second_factor:
        fine.append(_("A second step protects your account"))
    elif may_add:
        tasks.append(
            Task(
                _("Add a second step"),
                _("A stolen password alone then opens nothing."),
                _("Add one"),
                "account_add",
                "passkey",
            )
        )
    if has_password:
        fine.append(_("You have a password"))
    return Checkup(tasks[:MOST_TASKS], fine)
