"""Providers as pages show them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from console.signin.providers.forms import KINDS, SIGN_UP
from identity.realms.models import IdentityProvider
from identity.signin.social_checks import Outcome, Step

STEP_NAMES = {
    "secret": _("The secret is there and opens"),
    "discovery": _("Its discovery page can be read and names this issuer"),
    "keys": _("It publishes keys that ID tokens can be checked with"),
    "endpoints": _("Its addresses can be asked"),
    "client": _("It knows this client"),
}
FAILURES = {
    "secret": _("Replace the secret."),
    "discovery": _("No usable answer from the issuer. Check the address, letter by letter."),
    "keys": _("No usable answer from its page of keys."),
    "endpoints": _("An address may not be asked from here."),
    "client": _("Client ID or secret were refused, or there was no usable answer."),
}
OUTCOMES = {
    Outcome.RIGHT: ("ok", _("Right")),
    Outcome.WRONG: ("critical", _("Not right")),
    Outcome.UNKNOWN: ("low", _("Can’t be told without a person")),
    Outcome.SKIPPED: ("low", _("Not tried")),
}


def provider_url(provider: IdentityProvider, name: str = "signin_provider") -> str:
    """The address of a page about it."""
    return reverse(f"console:{name}", args=[provider.alias])


def kind_label(kind: str) -> Any:
    """A kind in words."""
    return KINDS[kind][0]


@dataclass(frozen=True)
class ProviderRow:
    """A row of the list."""

    provider: IdentityProvider
    people: int
    last: datetime | None
    first: bool
    final: bool

    @property
    def url(self) -> str:
        """Its page."""
        return provider_url(self.provider)

    @property
    def kind(self) -> str | Promise:
        """In words."""
        return kind_label(self.provider.kind)

    @property
    def sign_up(self) -> str | Promise:
        """In words."""
        return dict(SIGN_UP)[self.provider.sign_up]


def steps_shown(steps: list[Step]) -> list[dict[str, Any]]:
    """The steps of a test for the page."""
    return [
        {
            "label": STEP_NAMES[step.name],
            "severity": OUTCOMES[step.outcome][0],
            "word": OUTCOMES[step.outcome][1],
            "note": FAILURES[step.name] if step.outcome is Outcome.WRONG else "",
        }
        for step in steps
    ]
