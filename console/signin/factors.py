"""Second factor: whether people need one, which count, how long they have, and which browsers may skip it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from console.settings.forms import SectionForm
from console.shell.http import number_in
from console.signin.policy import Card, PolicyPage

DAY = 24 * 3600


class DaysField(forms.TypedChoiceField):
    """A span of whole days, chosen from a few; 0 has a name of its own. The setting is in seconds."""

    def __init__(self, *, none: Any, days: tuple[int, ...], **kwargs: Any) -> None:
        self.none, self.days = none, days
        super().__init__(coerce=int, choices=self.listed(), **kwargs)

    def listed(self, also: int = 0) -> list[tuple[int, Any]]:
        """The choices; a value that a realm file set is one of them, too."""
        spans = sorted({*(day * DAY for day in self.days), *([also] if also else [])})
        return [(0, self.none), *((span, _Days(span)) for span in spans)]


class _Days:
    """A span in words, in the reader's language."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def __str__(self) -> str:
        days = max(1, round(self.seconds / DAY))
        return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


class FactorForm(SectionForm):
    """Who needs one, and what counts."""

    second_factor = forms.ChoiceField(
        label=_("Second factor"),
        choices=[
            ("off", _("Off: nobody is asked to add one")),
            ("optional", _("Optional: who adds one is asked for it")),
            ("required", _("Required: nobody gets in without one")),
        ],
        help_text=_("Who has one is asked for it in any case. A role or an application can require more."),
    )
    second_factor_methods = forms.MultipleChoiceField(
        label=_("What people can add"),
        required=False,
        choices=[
            ("passkey", _("Passkey or security key")),
            ("totp", _("Authenticator app")),
            ("sms", _("Code by text message")),
            ("email", _("Code by email")),
        ],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What people have already goes on to work."),
    )
    second_factor_grace = DaysField(
        label=_("Time to add one"),
        none=_("None: at the next sign-in"),
        days=(1, 3, 7, 14, 30),
        help_text=_("Counts from each person’s first sign-in under the rule, once."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_other(self, "second_factor_grace")


class TrustForm(SectionForm):
    """Browsers that stand for the second factor."""

    trusted_device_lifetime = DaysField(
        label=_("People can trust a browser for"),
        none=_("Never: it is asked each time"),
        days=(1, 7, 14, 30, 90),
        help_text=_(
            "Off by default for each person. A change of password or factor ends it. It never serves an application "
            "that asks for two factors."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_other(self, "trusted_device_lifetime")


def keep_other(form: SectionForm, name: str) -> None:
    """Let a choice of days also have the value that a realm file set."""
    field = form.fields[name]
    assert isinstance(field, DaysField)  # noqa: S101 - for the type checker
    value = form.initial.get(name) or (form.data.get(name) if form.is_bound else 0)
    field.choices = field.listed(number_in(str(value or "")) or 0)


class Factors(PolicyPage):
    """The second factor's policy."""

    tab = "factors"
    cards = (
        Card("second-factor", _("Second factor"), _("What is asked after the first step"), FactorForm),
        Card("trust", _("Trusted browsers"), _("Where the second step can be skipped"), TrustForm),
    )
