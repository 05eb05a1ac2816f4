"""Forms of identity providers; which settings are asked follows from the kind."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from console.shell.forms import ChoiceCards, ConsoleForm, Lines
from identity.kernel.errors import Invalid
from identity.realms.models import IdentityProvider, ProviderKind
from identity.realms.providers import (
    ATTRIBUTE,
    OPENID_KINDS,
    OPTIONAL,
    PROFILE,
    REQUIRED,
    SCOPES,
    has_destination,
    mapping_of,
    secret_name,
    trusts_email,
)

KINDS: dict[str, tuple[Any, Any]] = {
    ProviderKind.GOOGLE: (_("Google"), _("Personal and Workspace accounts.")),
    ProviderKind.MICROSOFT: (_("Microsoft"), _("Entra ID of one company or of many, and personal accounts.")),
    ProviderKind.APPLE: (_("Apple"), _("Apple accounts, with hidden addresses if people like.")),
    ProviderKind.GITHUB: (_("GitHub"), _("github.com or a GitHub Enterprise server.")),
    ProviderKind.OIDC: (
        _("OpenID Connect"),
        _("Any provider with a discovery page: Okta, Keycloak, Auth0, …"),
    ),
    ProviderKind.OAUTH2: (_("OAuth 2.0"), _("Any other, by its endpoints. Only if it has no OpenID Connect.")),
}
SIGN_UP = (
    ("link", _("Only people who have an account")),
    ("create", _("Everybody it vouches for")),
    ("approve", _("Everybody, once an admin approves")),
)
SIGN_UP_SENTENCES = {
    "link": _("They sign in to it once, then link the two. Nobody is ever recognized by an address."),
    "create": _("A first sign-in makes an account."),
    "approve": _("A first sign-in makes an account that waits."),
}
TOKEN_AUTH = (
    ("auto", _("As the provider announces")),
    ("basic", _("In the Authorization header")),
    ("post", _("In the request’s body")),
    ("none", _("Without a secret: PKCE alone")),
)
FIELD_NAMES = {
    "email": _("Email"),
    "name": _("Name"),
    "given_name": _("Given name"),
    "family_name": _("Family name"),
    "username": _("Username"),
    "language": _("Language"),
    "time_zone": _("Time zone"),
}
MONO = {"class": "mono", "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}


def _text(label: Any, help_text: Any = "", **kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, max_length=2000, widget=forms.TextInput(attrs=MONO), **kwargs
    )


def setting_fields(kind: str) -> dict[str, forms.Field]:
    """The fields for what this kind needs, by setting."""
    made: dict[str, forms.Field] = {
        "issuer": _text(_("Issuer"), _("Such as https://id.example.com. Its discovery page is found below it.")),
        "tenant": _text(
            _("Directory"), _("The tenant’s id or domain; or common, organizations or consumers."), initial="common"
        ),
        "team_id": _text(_("Team ID"), _("Ten letters and digits, at the top right of Apple’s developer pages.")),
        "key_id": _text(_("Key ID"), _("Of the key below.")),
        "base_url": _text(_("Own server"), _("Such as https://github.example.com. Empty: github.com.")),
        "hosted_domain": _text(_("Only accounts of this Workspace domain"), _("Empty: every Google account.")),
        "authorization_endpoint": _text(_("Authorization endpoint")),
        "token_endpoint": _text(_("Token endpoint")),
        "userinfo_endpoint": _text(_("Page about the person"), _("Answers JSON to the access token.")),
        "subject_claim": _text(
            _("What never changes"), _("The name of the id on that page, such as id or sub. Never an address.")
        ),
        "token_auth": forms.ChoiceField(label=_("How the secret is sent"), choices=TOKEN_AUTH, initial="auto"),
    }
    wanted = [name for name in made if name in REQUIRED[kind] | OPTIONAL[kind]]
    for name in wanted:
        made[name].required = name in REQUIRED[kind]
    fields = {name: made[name] for name in wanted}
    fields["trust_email"] = forms.BooleanField(
        label=_("Addresses that it calls verified need no confirmation here"),
        required=False,
        help_text=_("For new accounts. It never opens an account that exists."),
    )
    return fields


class KindForm(ConsoleForm):
    """What each form of a provider shares: the settings of its kind, as fields."""

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.setting_names = list(setting_fields(kind))

    def settings(self) -> dict[str, Any]:
        """The cleaned settings."""
        return {name: self.cleaned_data[name] for name in self.setting_names}


def secret_field(kind: str, *, required: bool) -> forms.CharField:
    """The secret in the kind's words. It is never filled in."""
    if secret_name(kind) == "private_key":
        return forms.CharField(
            label=_("Private key"),
            required=required,
            strip=False,
            max_length=5000,
            help_text=_("The whole .p8 file."),
            widget=forms.Textarea(attrs={"rows": "5", "class": "mono", "spellcheck": "false", "autocomplete": "off"}),
        )
    return forms.CharField(
        label=_("Client secret"),
        required=required,
        max_length=2000,
        help_text=_("Kept sealed. Nobody sees it again, you neither."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "mono"}),
    )


class CreateForm(KindForm):
    """Everything that a new provider needs."""

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, kind=kind, **kwargs)
        label = KINDS[kind][0]
        known = kind not in (ProviderKind.OIDC, ProviderKind.OAUTH2)
        self.fields["name"] = forms.CharField(
            label=_("Name"),
            max_length=100,
            initial=str(label) if known else "",
            help_text=_("People read it on its button."),
        )
        self.fields["alias"] = _text(
            _("Name in links"),
            _("Lower-case letters, digits and hyphens. It never changes."),
            initial=kind if known else "",
        )
        self.fields["client_id"] = _text(_("Services ID") if kind == ProviderKind.APPLE else _("Client ID"))
        self.fields[secret_name(kind)] = secret_field(kind, required=known)
        self.fields.update(setting_fields(kind))
        self.fields["trust_email"].initial = trusts_email(kind, {})
        self.fields["scopes"] = Lines(label=_("Scopes"), required=False, initial=list(SCOPES[kind]))
        self.fields["sign_up"] = forms.ChoiceField(
            label=_("Who gets in"),
            choices=SIGN_UP,
            widget=ChoiceCards(descriptions=SIGN_UP_SENTENCES),
            initial="link",
        )
        for field in self.fields.values():
            if isinstance(field.widget, forms.Textarea) and field.widget.attrs.get("rows") == "10":
                field.widget.attrs["rows"] = "3"


class ConnectionForm(KindForm):
    """How it is asked."""

    def __init__(self, *args: Any, provider: IdentityProvider, **kwargs: Any) -> None:
        kind = provider.kind
        initial = {
            "name": provider.name,
            "client_id": provider.client_id,
            "scopes": provider.scopes,
            **provider.settings,
            "trust_email": trusts_email(kind, provider.settings),
        }
        super().__init__(*args, kind=kind, initial=initial, **kwargs)
        self.fields["name"] = forms.CharField(label=_("Name"), max_length=100)
        self.fields["client_id"] = _text(_("Services ID") if kind == ProviderKind.APPLE else _("Client ID"))
        self.fields.update(setting_fields(kind))
        self.secret_name = secret_name(kind) if has_destination(kind) else ""
        if self.secret_name:
            self.fields[self.secret_name] = secret_field(kind, required=False)
            self.fields[self.secret_name].help_text = _("Only if it is another one, or goes to another address now.")
        self.fields["scopes"] = Lines(label=_("Scopes"), required=False)

    def values(self) -> dict[str, Any]:
        """What the command takes."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "client_id": data["client_id"],
            "settings": self.settings(),
            "scopes": data["scopes"],
            "secret": data[self.secret_name] if self.secret_name else "",
        }


class PolicyForm(ConsoleForm):
    """Who gets in, and who is sent there at once."""

    sign_up = forms.ChoiceField(
        label=_("Who gets in"), choices=SIGN_UP, widget=ChoiceCards(descriptions=SIGN_UP_SENTENCES)
    )
    domains = Lines(
        label=_("Email domains that sign in here"),
        required=False,
        help_text=_("One on each line. Who types such an address on the sign-in page is sent to this provider."),
    )

    def __init__(self, *args: Any, provider: IdentityProvider, **kwargs: Any) -> None:
        super().__init__(*args, initial={"sign_up": provider.sign_up, "domains": provider.domains}, **kwargs)

    def values(self) -> dict[str, Any]:
        """What the command takes."""
        return dict(self.cleaned_data)


class MappingForm(ConsoleForm):
    """Our fields, and the claim that each is taken from; and which of its factors count."""

    def __init__(
        self, *args: Any, provider: IdentityProvider, attributes: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        now = mapping_of(provider.kind, provider.attribute_mapping)
        names = [(name, FIELD_NAMES[name]) for name in PROFILE]
        names += [(f"{ATTRIBUTE}{name}", label) for name, label in attributes]
        self.mapped = [name for name, _label in names]
        for name, label in names:
            self.fields[name] = forms.CharField(
                label=label,
                required=False,
                max_length=100,
                initial=now.get(name, ""),
                widget=forms.TextInput(attrs=MONO),
            )
        if provider.kind in OPENID_KINDS:
            self.fields["amr"] = Lines(
                label=_("Factors that count here"),
                required=False,
                initial=[f"{theirs} = {ours}" for theirs, ours in provider.amr_mapping.items()],
                help_text=_(
                    "One on each line: what its amr or acr says = pwd, otp, sms, hwk, swk or mfa. "
                    "Empty: this realm asks for its own second factor."
                ),
            )

    def values(self) -> dict[str, Any]:
        """What the command takes. Raises Invalid (field amr) for a line that is no pair."""
        data = self.cleaned_data
        values: dict[str, Any] = {
            "attribute_mapping": {name: data[name].strip() for name in self.mapped if data[name].strip()}
        }
        if "amr" in self.fields:
            pairs: dict[str, str] = {}
            for line in data["amr"]:
                theirs, equals, ours = (part.strip() for part in line.rpartition("="))
                if not equals or not theirs:
                    raise Invalid(_now("Write each line as: what it says = what it counts as."), field="amr")
                pairs[theirs] = ours
            values["amr_mapping"] = pairs
        return values

    def add_refusal(self, error: Any) -> None:
        """The room names the column, the form the field."""
        if error.field == "amr_mapping":
            error.field = "amr"
        super().add_refusal(error)


class SecretForm(ConsoleForm):
    """Another secret."""

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["secret"] = secret_field(kind, required=True)

    def add_refusal(self, error: Any) -> None:
        """The room names it as the kind does."""
        error.field = "secret"
        super().add_refusal(error)
