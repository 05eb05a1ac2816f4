"""Methods: which ways in there are, and who may make an account."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from console.settings.forms import SectionForm
from console.shell.http import ConsoleRequest
from console.signin.policy import Card, PolicyPage, WordsField
from console.signin.preview import look_of
from identity.accounts.countries import countries


class WaysForm(SectionForm):
    """Ways in, each switched by itself."""

    password_sign_in = forms.BooleanField(label=_("Password"), required=False)
    username_sign_in = forms.BooleanField(
        label=_("Username instead of an email address"), required=False, help_text=_("With the password.")
    )
    phone_sign_in = forms.BooleanField(
        label=_("Phone number instead of an email address"), required=False, help_text=_("With the password.")
    )
    email_code_sign_in = forms.BooleanField(
        label=_("Code by email"), required=False, help_text=_("Only to confirmed addresses.")
    )
    sms_code_sign_in = forms.BooleanField(
        label=_("Code by text message"), required=False, help_text=_("Only to confirmed numbers. Messages cost money.")
    )
    passkey_sign_in = forms.BooleanField(
        label=_("Passkey"), required=False, help_text=_("The strongest: nothing to type, nothing to give away.")
    )
    phone_first = forms.BooleanField(
        label=_("Ask for the phone number first"),
        required=False,
        help_text=_("For realms whose people know their number better than their address."),
    )
    default_country = forms.ChoiceField(
        label=_("Numbers without a country code are dialed in"),
        required=False,
        help_text=_("People can type their number as they dial it there."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        listed = [(country.code, str(country)) for country in countries(get_language() or "en")]
        choices = [("", _("No country: a country code is needed")), *listed]
        self.fields["default_country"].choices = choices  # type: ignore[attr-defined]


class SignUpForm(SectionForm):
    """Who may make an account by himself, and with what."""

    sign_up_open = forms.BooleanField(
        label=_("People can create an account by themselves"),
        required=False,
        help_text=_("Off: only invitations and admins make accounts."),
    )
    sign_up_identifiers = forms.MultipleChoiceField(
        label=_("Asked for"),
        choices=[("email", _("Email")), ("phone", _("Phone number")), ("username", _("Username"))],
        widget=forms.CheckboxSelectMultiple,
    )
    sign_up_approval = forms.BooleanField(
        label=_("An admin approves each new account"), required=False, help_text=_("Until then nobody gets in with it.")
    )
    sign_up_domains_allowed = WordsField(
        label=_("Only these email domains"),
        help_text=_("One on each line; what lies below a domain counts as well. Empty: every domain."),
    )
    sign_up_domains_blocked = WordsField(
        label=_("Never these email domains"), help_text=_("One on each line; what lies below a domain counts as well.")
    )
    email_verification_required = forms.BooleanField(
        label=_("Email address must be confirmed before the first sign-in"),
        required=False,
        help_text=_("Off: people get in at once and can confirm later."),
    )
    phone_verification_required = forms.BooleanField(
        label=_("A phone number that an admin or file gave must be confirmed at the next sign-in"),
        required=False,
        help_text=_("Whoever signs up with a number confirms it in any case."),
    )


class BotForm(SectionForm):
    """What keeps bots from the forms of sign-up and of forgotten passwords."""

    bot_protection = forms.ChoiceField(
        label=_("Protection from bots"),
        choices=[
            ("off", _("None")),
            ("proof_of_work", _("A small sum that the browser solves by itself")),
            ("captcha", _("A captcha of another service")),
        ],
        help_text=_("The sum asks nothing of people, shows nothing, and sends nothing to others."),
    )
    captcha_site_key = forms.CharField(
        label=_("Site key of the captcha"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("The secret to it stands in the environment of the server."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.data.get("bot_protection") if self.is_bound else self.initial.get("bot_protection")
        if not settings.REALMKEEP_CAPTCHA_SECRETS and chosen != "captcha":
            # Nothing to choose where the operator has set none up.
            field = self.fields["bot_protection"]
            field.choices = [each for each in field.choices if each[0] != "captcha"]  # type: ignore[attr-defined]
            del self.fields["captcha_site_key"]


class TermsForm(SectionForm):
    """What everybody accepts."""

    terms_uri = forms.CharField(
        label=_("Where the terms can be read"),
        required=False,
        max_length=500,
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
    )
    terms_version = forms.CharField(
        label=_("Version in force"),
        required=False,
        max_length=40,
        help_text=_("Such as a date. A new one asks everybody again at the next sign-in. Empty: nobody is asked."),
    )


class Methods(PolicyPage):
    """The ways in and sign-up."""

    tab = "methods"
    cards = (
        Card("ways", _("Ways in"), _("What people can sign in with"), WaysForm),
        Card("sign-up", _("Sign-up"), _("Who may make an account"), SignUpForm),
        Card("bots", _("Bots"), _("For sign-up and forgotten passwords"), BotForm),
        Card("terms", _("Terms"), _("What people accept before they come in"), TermsForm),
    )

    def beside(self, request: ConsoleRequest) -> dict[str, Any]:
        """The page that comes of it."""
        return {"look": look_of(request.realm)}
