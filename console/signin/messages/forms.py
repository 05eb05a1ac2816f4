"""Forms of text messages: limits, and what each kind of provider needs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.settings.forms import SectionForm
from console.shell.forms import ConsoleForm, Lines
from console.signin.policy import WordsField
from identity.accounts.rules import normalized_phone
from identity.courier.models import SmsProvider, SmsProviderKind
from identity.courier.rules.providers import PLAIN_JSON, SECRETS, SETTINGS
from identity.kernel.errors import Invalid
from identity.realms.rules import BOUNDS

MONO = {"class": "mono", "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}


def _count(name: str, label: Any, help_text: Any = "") -> forms.IntegerField:
    least, most = BOUNDS[name]
    return forms.IntegerField(label=label, min_value=least, max_value=most, help_text=help_text)


class LimitsForm(SectionForm):
    """What a day may cost, and where nothing is sent."""

    sms_daily_limit = _count("sms_daily_limit", _("All messages of a day"), _("0: none at all."))
    sms_prefix_daily_limit = _count(
        "sms_prefix_daily_limit",
        _("To one range of numbers"),
        _("Country code and first digits. Fraud takes a range one number after the other."),
    )
    sms_number_daily_limit = _count("sms_number_daily_limit", _("To one number"))
    sms_prefixes_blocked = WordsField(
        label=_("Never to numbers that begin with"),
        help_text=_("One on each line, such as +7 or +4915. Premium and satellite numbers never get any."),
    )


def _text(label: Any, help_text: Any = "", *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=required, max_length=1000, widget=forms.TextInput(attrs=MONO)
    )


def _secret(label: Any, *, held: bool, required: bool) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required and not held,
        max_length=2000,
        widget=forms.PasswordInput(attrs={**MONO, "autocomplete": "new-password"}),
        help_text=_("Kept sealed. Empty: it stays as it is.") if held else _("Kept sealed. Nobody sees it again."),
    )


def _api_key() -> forms.CharField:
    return _text(_("API key SID"), _("SK…, if the secret below belongs to an API key."), required=False)


def _fields(kind: str, *, held: bool) -> dict[str, forms.Field]:
    match kind:
        case SmsProviderKind.TWILIO:
            return {
                "account_sid": _text(_("Account SID"), _("AC…, on the first page of Twilio’s console.")),
                "sender": _text(_("Sender"), _("A number with its country code, a name, or a service (MG…).")),
                "api_key_sid": _api_key(),
                "auth_token": _secret(_("Auth token or API key secret"), held=held, required=True),
            }
        case SmsProviderKind.TWILIO_VERIFY:
            return {
                "account_sid": _text(_("Account SID"), _("AC…, on the first page of Twilio’s console.")),
                "service_sid": _text(
                    _("Verify service SID"), _("VA…. Switch on custom codes in that service: the codes are ours.")
                ),
                "api_key_sid": _api_key(),
                "auth_token": _secret(_("Auth token or API key secret"), held=held, required=True),
            }
        case SmsProviderKind.SNS:
            return {
                "region": _text(_("Region"), _("Such as eu-central-1.")),
                "access_key_id": _text(_("Access key ID"), _("Of a user who may sns:Publish and nothing else.")),
                "sender": _text(_("Sender name"), _("Where countries allow one."), required=False),
                "secret_access_key": _secret(_("Secret access key"), held=held, required=True),
            }
    return _gateway_fields(held=held)


def _gateway_fields(*, held: bool) -> dict[str, forms.Field]:
    return {
        "url": _text(_("Address"), _("Placeholders can stand behind the question mark: {to} {text} {id} {secret}.")),
        "method": forms.ChoiceField(label=_("Method"), choices=[(name, name) for name in ("POST", "PUT", "GET")]),
        "body_kind": forms.ChoiceField(
            label=_("Body"), choices=[("json", _("JSON")), ("form", _("Form fields")), ("none", _("None"))]
        ),
        "body": forms.CharField(
            label=_("What stands in it"),
            required=False,
            max_length=4000,
            widget=forms.Textarea(attrs={**MONO, "rows": "5"}),
            help_text=_(
                "With {to}, {text}, {id} and {secret}; the text can’t break out of its place. "
                "Form fields: name={to}, one on each line."
            ),
        ),
        "headers": Lines(
            label=_("Headers"),
            required=False,
            help_text=_("Name: value, one on each line. Write {secret} for the key."),
        ),
        "secret": _secret(_("Secret"), held=held, required=False),
        "success_from": forms.IntegerField(label=_("Success: status from"), min_value=100, max_value=599),
        "success_to": forms.IntegerField(label=_("Success: status to"), min_value=100, max_value=599),
        "success_path": _text(
            _("Success: place in a JSON answer"),
            _("Such as messages.0.status. Empty: not looked at."),
            required=False,
        ),
        "success_values": Lines(
            label=_("Success: values at that place"), required=False, help_text=_("One on each line.")
        ),
        "success_text": _text(_("Success: words in the answer"), _("* stands for anything."), required=False),
        "refused_text": _text(
            _("Wrong number: words in the answer"),
            _("Then no other provider is asked. * stands for anything."),
            required=False,
        ),
    }


class ProviderForm(ConsoleForm):
    """A provider of one kind: added, or changed."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Yours alone: people never read it."))

    def __init__(self, *args: Any, kind: str, provider: SmsProvider | None = None, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(*args, initial=_initial(kind, provider), **kwargs)
        self.fields.update(_fields(kind, held=provider is not None and provider.secrets_sealed is not None))

    def settings(self) -> dict[str, Any]:
        """What is not secret. Raises Invalid (field headers) for a line that is no header."""
        known = SETTINGS.get(self.kind)
        names = known if known is not None else set(self.fields) - {"name", "secret"}
        out = {name: value for name, value in self.cleaned_data.items() if name in names}
        if "headers" in out:
            out["headers"] = dict(_header(line) for line in out["headers"])
        return out

    def secrets(self) -> dict[str, str]:
        """What was typed of the secrets."""
        return {name: self.cleaned_data[name] for name in SECRETS[self.kind] if self.cleaned_data[name]}


def _initial(kind: str, provider: SmsProvider | None) -> dict[str, Any]:
    if provider is None:
        preset = {**PLAIN_JSON, "success_from": 200, "success_to": 299} if kind == SmsProviderKind.HTTP else {}
        return _lined(preset)
    return {"name": provider.name, **_lined(provider.settings)}


def _lined(settings: dict[str, Any]) -> dict[str, Any]:
    if "headers" in settings:
        settings = {**settings, "headers": [f"{name}: {value}" for name, value in settings["headers"].items()]}
    return settings


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise Invalid(_("Write each line as Name: value."), field="headers")
    return name.strip(), value.strip()


class CheckForm(ConsoleForm):
    """Where a test message goes."""

    to = forms.CharField(
        label=_("Your number"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )

    def number(self, country: str) -> str:
        """As E.164. Raises Invalid (field to)."""
        try:
            return normalized_phone(self.cleaned_data["to"], country)
        except Invalid as error:
            raise Invalid(error.message, field="to") from error
