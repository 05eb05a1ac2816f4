"""Forms of the applications area."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.shell.forms import ChoiceCards, ConsoleForm, Lines
from identity.applications.models import Application, ApplicationType, AuthMethod, Scope, UriKind
from identity.applications.queries import uris_of
from identity.applications.rules import GRANTS_OF

TYPES = (
    (ApplicationType.WEB, _("Web application")),
    (ApplicationType.SPA, _("Single-page application")),
    (ApplicationType.NATIVE, _("Native application")),
    (ApplicationType.SERVICE, _("Service")),
)
TYPE_SENTENCES = {
    str(ApplicationType.WEB): _("Runs on a server and keeps a secret: Django, Next.js, Laravel, Spring."),
    str(ApplicationType.SPA): _("Runs in the browser alone, without a secret: React, Vue, Svelte."),
    str(ApplicationType.NATIVE): _("Runs on a phone or desktop, without a secret."),
    str(ApplicationType.SERVICE): _("A machine that acts for itself, without people: jobs, integrations."),
}
GRANT_NAMES = {
    "authorization_code": _("Sign people in (authorization code with PKCE)"),
    "refresh_token": _("Stay signed in (refresh tokens that rotate)"),
    "client_credentials": _("Act for itself (client credentials)"),
}
AUTH_NAMES = (
    (AuthMethod.BASIC, _("Secret in the Authorization header")),
    (AuthMethod.POST, _("Secret in the request’s body")),
    (AuthMethod.NONE, _("No secret: PKCE alone")),
)


class CreateForm(ConsoleForm):
    """Type, name and where people come back to."""

    type = forms.ChoiceField(
        label=_("What is it?"), choices=TYPES, widget=ChoiceCards(descriptions=TYPE_SENTENCES), initial="web"
    )
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("People see it when they sign in."))
    redirect_uris = Lines(
        label=_("Redirect URIs"),
        required=False,
        help_text=_("Where people come back to after signing in, one a line, exactly as your code sends them."),
    )

    def clean(self) -> dict[str, Any]:
        """A service has no people to send back."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("type") == ApplicationType.SERVICE:
            values["redirect_uris"] = []
        return values


class EditForm(ConsoleForm):
    """What people see of it, and what it may do."""

    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(label=_("Description"), max_length=300, required=False)
    publisher = forms.CharField(
        label=_("Published by"), max_length=200, required=False, help_text=_("The consent page names it.")
    )
    homepage_uri = forms.CharField(label=_("Home page"), max_length=500, required=False)
    privacy_uri = forms.CharField(label=_("Privacy notice"), max_length=500, required=False)
    terms_uri = forms.CharField(label=_("Terms"), max_length=500, required=False)
    grant_types = forms.MultipleChoiceField(label=_("It may"), required=False, widget=forms.CheckboxSelectMultiple)
    token_endpoint_auth_method = forms.ChoiceField(label=_("It proves itself with"), choices=AUTH_NAMES)
    required_acr = forms.ChoiceField(
        label=_("People must have signed in with"),
        required=False,
        choices=[
            ("", _("whatever the realm asks for")),
            ("urn:realmkeep:acr:2", _("two factors")),
            ("urn:realmkeep:acr:3", _("two factors, one of them a passkey or security key")),
        ],
        help_text=_("Asked on the way to it; a trusted browser doesn’t stand for it."),
    )
    first_party = forms.BooleanField(
        label=_("It is this realm’s own application"),
        required=False,
        help_text=_("Your own product, not a partner’s. Only such an application can skip consent."),
    )
    skip_consent = forms.BooleanField(
        label=_("People are not asked for consent"),
        required=False,
        help_text=_("What it asks for is given without a question. For your own applications alone."),
    )

    def __init__(self, *args: Any, application: Application, may_promote: bool, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {name: getattr(application, name) for name in self.base_fields})
        super().__init__(*args, **kwargs)
        self.fields["grant_types"].choices = [  # type: ignore[attr-defined]
            (grant, GRANT_NAMES[grant]) for grant in GRANTS_OF[application.type]
        ]
        if not may_promote:
            del self.fields["first_party"], self.fields["skip_consent"]


class RedirectsForm(ConsoleForm):
    """Registered URIs."""

    redirect_uris = Lines(
        label=_("Redirect URIs"),
        required=False,
        help_text=_("One a line. Compared letter by letter: no wildcards, no trailing differences."),
    )
    post_logout_redirect_uris = Lines(
        label=_("After signing out"), required=False, help_text=_("Where people may be sent after they signed out.")
    )
    allowed_origins = Lines(
        label=_("Browser origins"),
        required=False,
        help_text=_("For applications that fetch tokens in the browser, such as https://app.example.com."),
    )

    @classmethod
    def initial_of(cls, application: Application) -> dict[str, list[str]]:
        """The URIs as they are."""
        return {
            "redirect_uris": uris_of(application),
            "post_logout_redirect_uris": uris_of(application, UriKind.POST_LOGOUT),
            "allowed_origins": uris_of(application, UriKind.ORIGIN),
        }


class ScopesForm(ConsoleForm):
    """Which scopes it may ask for. The template draws the checkboxes by API."""

    scopes = forms.MultipleChoiceField(label=_("Scopes"), required=False)

    def __init__(self, *args: Any, scopes: list[Scope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [(s.name, s.name) for s in scopes]  # type: ignore[attr-defined]


class ApiForm(ConsoleForm):
    """An API that accepts the realm's tokens."""

    name = forms.CharField(label=_("Name"), max_length=100)
    identifier = forms.CharField(
        label=_("Identifier"),
        max_length=500,
        help_text=_("An absolute URI such as https://api.example.com. Tokens carry it as audience; it never changes."),
    )


class ApiClientForm(ConsoleForm):
    """The application that is to act for an API."""

    application = forms.ChoiceField(
        label=_("Application"),
        help_text=_(
            "One with a secret, best a service of its own. With it the API asks whether a token is still good."
        ),
    )

    def __init__(self, *args: Any, candidates: Iterable[Application], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["application"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose an application")),
            *((str(each.pk), f"{each.name} ({each.client_id})") for each in candidates),
        ]


class ScopeForm(ConsoleForm):
    """A scope value of an API."""

    name = forms.CharField(
        label=_("Scope"), max_length=100, help_text=_("What applications ask for, such as orders.read.")
    )
    title = forms.CharField(label=_("People read"), max_length=200, help_text=_("Such as: See your orders."))
    description = forms.CharField(label=_("In one more sentence"), max_length=300, required=False)
    sensitive = forms.BooleanField(label=_("Sensitive"), required=False, help_text=_("Marked on the consent page."))


class EditScopeForm(ScopeForm):
    """How a scope is explained; its value never changes."""

    name = None  # type: ignore[assignment]
