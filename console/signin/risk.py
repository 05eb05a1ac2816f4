"""Devices and risk: what people are told of their sign-ins, and what happens to one that is unlike them."""

from django import forms
from django.utils.translation import gettext_lazy as _

from console.settings.forms import SectionForm
from console.signin.policy import Card, PolicyPage


class NoticeForm(SectionForm):
    """What people are asked "was this you?" about."""

    new_device_notice = forms.BooleanField(
        label=_("A sign-in on a new device"),
        required=False,
        help_text=_("A browser that the person has never signed in with, or one that has lost its cookies."),
    )
    impossible_travel_notice = forms.BooleanField(
        label=_("A sign-in from a new country, or sooner than anybody travels"),
        required=False,
        help_text=_("Countries are a guess from the network. A person with a VPN is asked more often."),
    )


class SuspicionForm(SectionForm):
    """What is done about the worse ones."""

    suspicious_sign_in = forms.ChoiceField(
        label=_("A suspicious sign-in"),
        choices=[
            ("off", _("Is let in like any other")),
            ("notify", _("Is let in, and the person is always told")),
            ("hold", _("Is held until another factor confirms it")),
        ],
        help_text=_(
            "Suspicious are: a new device in a new country, a journey that nobody makes in the time, and a device that "
            "the person has denied. Who has no second factor gets a code to the confirmed email address or phone "
            "number; who has neither is not let in there. Trusted browsers don’t stand for it."
        ),
    )


class Risk(PolicyPage):
    """The policy of risk."""

    tab = "risk"
    cards = (
        Card("notices", _("Was this you?"), _("What people are told by email and in their account"), NoticeForm),
        Card("suspicion", _("Suspicious sign-ins"), _("What is unlike the person"), SuspicionForm),
    )
