"""What the consent page shows: who asks, for which real values, for how long, and what it will never get."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from identity.accounts.models import Attribute, User
from identity.accounts.queries import mapped_attributes
from identity.applications.models import Application, Scope
from identity.applications.queries import realm_scopes
from identity.consent.queries import people_of
from identity.oauth import rules
from identity.oauth.claims import Mapped, claims_said

SHARE = "share."
OFFLINE_LABELS = {
    "session": gettext_lazy("Only now"),
    "month": gettext_lazy("30 days"),
    "always": gettext_lazy("Until I stop it"),
}


@dataclass(frozen=True, slots=True)
class Publisher:
    """The application as the page names it. uri_host: where the browser returns to; people: how many allow it."""

    name: str
    first_party: bool
    publisher: str
    privacy_uri: str
    terms_uri: str
    uri_host: str
    people: int
    verified: bool = False


class DecisionForm(forms.Form):
    """The answer. The request itself stays in the address, so that no hidden field can change it."""

    decision = forms.ChoiceField(choices=[("allow", "allow"), ("deny", "deny")])
    offline = forms.ChoiceField(choices=list(OFFLINE_LABELS.items()), required=False)
    narrowable = forms.BooleanField(required=False, initial=True, widget=forms.HiddenInput)
    shown = forms.CharField(required=False, widget=forms.HiddenInput)
    """The custom attributes that the page told of, each as `name:scope`."""

    def granted(self, asked: list[str]) -> list[str]:
        """What the person shares: what is needed, and what was left ticked. Never more than was asked."""
        narrowed = self.cleaned_data["narrowable"]
        shared = [
            name
            for name in asked
            if name == rules.OPENID or (name != rules.OFFLINE and (not narrowed or f"{SHARE}{name}" in self.data))
        ]
        if rules.OFFLINE in asked and self.offline_choice != "session":
            shared.append(rules.OFFLINE)
        return shared

    @property
    def attributes(self) -> set[tuple[str, str]]:
        """The custom attributes that the page told of, each with its scope; none where it does not say."""
        return {
            (name, scope) for name, _, scope in (pair.partition(":") for pair in self.cleaned_data["shown"].split())
        }

    @property
    def offline_choice(self) -> str:
        """How long it may work while the person is away; the shortest unless the person chose (DECISIONS 17)."""
        return self.cleaned_data.get("offline") or "session"


def page(application: Application, user: User, asked: list[str], redirect_uri: str) -> dict[str, Any]:
    """The template's context."""
    known = {scope.name: scope for scope in realm_scopes()}
    return {
        "application": Publisher(
            application.name,
            application.first_party,
            application.publisher,
            application.privacy_uri,
            application.terms_uri,
            urlsplit(redirect_uri).netloc or urlsplit(redirect_uri).scheme,
            people_of(application.pk),
        ),
        "user": user,
        "scopes": scopes_in_words(user, asked, known),
        "offline": {"name": "offline", "choices": list(OFFLINE_LABELS.items()), "default": "session"}
        if rules.OFFLINE in asked
        else None,
        "will_not": _will_not(user, asked),
        "form": DecisionForm(initial={"shown": " ".join(f"{each.name}:{each.scope}" for each in mapped_attributes())}),
    }


def scopes_in_words(
    user: User,
    names: Collection[str],
    known: dict[str, Scope] | None = None,
    *,
    told: Collection[str] | None = None,
) -> list[dict[str, Any]]:
    """What each scope gives away, with the person's real values; also for the page of an application that has them.

    told: the custom attributes that it may have of them; None: whatever the scopes release. A scope that the realm no
    longer has gives nothing and is left out, and how long it lasts is no scope to people.
    """
    if known is None:
        known = {scope.name: scope for scope in realm_scopes()}
    mapped = [each for each in mapped_attributes() if told is None or each.name in told]
    return [
        {
            "scope": name,
            "title": known[name].shown_title,
            "description": known[name].shown_description,
            "sensitive": known[name].sensitive,
            "values": _values(user, name, mapped),
            "required": name == rules.OPENID,
            "field": f"{SHARE}{name}",
        }
        for name in names
        if name != rules.OFFLINE and name in known
    ]


def _values(user: User, scope: str, mapped: list[Attribute]) -> list[str]:
    """The person's own values that this scope gives away; those of custom attributes with what they are called."""
    labels = {each.name: each.label for each in mapped}
    out = []
    for said in claims_said(user, {scope}, [Mapped(each.name, each.claim, each.scope) for each in mapped]).values():
        if said.attribute:
            value = (_("yes") if said.value else _("no")) if isinstance(said.value, bool) else said.value
            out.append(_("%(label)s: %(value)s") % {"label": labels[said.attribute], "value": value})
        elif not isinstance(said.value, bool):
            out.append(str(said.value))
    return out


def _will_not(user: User, asked: list[str]) -> list[str]:
    """Computed from what was not asked, never written by the application."""
    sentences = [_("See your password or sign in as you")]
    if "profile" not in asked and user.name:
        sentences.append(_("See your name"))
    if "email" not in asked and user.email:
        sentences.append(_("See your email address"))
    if "phone" not in asked and user.phone:
        sentences.append(_("See your phone number"))
    if rules.OFFLINE not in asked:
        sentences.append(_("Keep working after you sign out"))
    return sentences
