"""Passwords and limits: what a new password must be, how long one lasts, and how many tries and sessions there are."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.settings.forms import SectionForm, SpanField
from console.signin.factors import DaysField, keep_other
from console.signin.policy import Card, PolicyPage
from identity.realms.rules import BOUNDS


class RulesForm(SectionForm):
    """What a new password must be."""

    password_min_length = forms.IntegerField(
        label=_("Characters at least"),
        min_value=BOUNDS["password_min_length"][0],
        max_value=BOUNDS["password_min_length"][1],
        help_text=_("Length protects more than a mix of characters. 10 is a good start, 15 without a second factor."),
    )
    password_character_classes = forms.TypedChoiceField(
        label=_("Kinds of characters"),
        coerce=int,
        choices=[
            (0, _("Any: no kind is asked for")),
            (2, _("Two of: small letters, capital letters, digits, others")),
            (3, _("Three of: small letters, capital letters, digits, others")),
            (4, _("All four: small letters, capital letters, digits, others")),
        ],
    )
    password_history = forms.IntegerField(
        label=_("Former passwords that are refused"),
        min_value=BOUNDS["password_history"][0],
        max_value=BOUNDS["password_history"][1],
        help_text=_("0: none. The present one is the first of them. Only their hashes are kept, and no more of them."),
    )


class BreachForm(SectionForm):
    """Whether stolen passwords are refused."""

    password_breach_check = forms.ChoiceField(
        label=_("Stolen and common passwords"),
        choices=[
            ("off", _("Off: nothing is compared")),
            ("bundled", _("Bundled list: the 20,000 most common ones, asked of nobody")),
            ("online", _("Online: the list, and a service that knows stolen ones")),
        ],
        help_text=_(
            "The service gets five of the forty digits of a checksum and never learns which password was meant. While "
            "it is away the list alone decides."
        ),
    )


class AgeForm(SectionForm):
    """How long a password lasts."""

    password_max_age = DaysField(
        label=_("A password lasts"),
        none=_("As long as its person likes"),
        days=(30, 60, 90, 180, 365),
        help_text=_(
            "Then a new one is asked for at the next sign-in with it. People who are made to change choose weaker "
            "ones: better check for stolen ones."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_other(self, "password_max_age")


class LockOutForm(SectionForm):
    """How many wrong tries pause a sign-in, and for how long."""

    lockout_tries = forms.IntegerField(
        label=_("Wrong tries before a pause"),
        min_value=BOUNDS["lockout_tries"][0],
        max_value=BOUNDS["lockout_tries"][1],
        help_text=_("Counted for one person from one network, whichever name and way in is used."),
    )
    lockout_pause = SpanField(
        label=_("The first pause lasts up to"), least=BOUNDS["lockout_pause"][0], most=BOUNDS["lockout_pause"][1],
        help_text=_("Who goes on trying waits up to eight times as long. A known device still gets in."),
    )  # fmt: skip


class SessionsForm(SectionForm):
    """In how many places one person can be signed in."""

    session_limit = forms.IntegerField(
        label=_("Sessions of one person at a time"),
        min_value=BOUNDS["session_limit"][0],
        max_value=BOUNDS["session_limit"][1],
        help_text=_("Each browser in which somebody is signed in is one. 0: as many as they like."),
    )
    session_limit_action = forms.ChoiceField(
        label=_("Who signs in once more"),
        choices=[
            ("end_oldest", _("Comes in, and the oldest session ends")),
            ("refuse", _("Is refused until another session ends")),
        ],
        help_text=_("A new password ends all sessions, so nobody is kept out for good."),
    )


class Passwords(PolicyPage):
    """The policy of passwords."""

    tab = "passwords"
    cards = (
        Card("rules", _("New passwords"), _("What a password must be that is chosen from now on"), RulesForm),
        Card("breaches", _("Stolen passwords"), _("What is refused because others know it"), BreachForm),
        Card("age", _("Age"), _("When a password has to be replaced"), AgeForm),
        Card("lock-out", _("Lock-out"), _("What happens after wrong tries"), LockOutForm),
        Card("sessions", _("Sessions"), _("In how many places one person can be signed in"), SessionsForm),
    )
