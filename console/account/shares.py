"""What connected applications may use, in words."""

from collections.abc import Iterable
from typing import Any

from identity.accounts.models import User
from identity.applications.queries import realm_scopes
from identity.consent.models import Consent
from identity.oauth import consent_page
from identity.oauth.queries.mapped import told_by


def titles_of(consents: Iterable[Consent]) -> dict[str, str]:
    """Scope → what it is called; nothing is asked when there is no consent to name."""
    if not any(consent.scopes for consent in consents):
        return {}
    return {scope.name: scope.shown_title for scope in realm_scopes()}


def shared_with(consent: Consent, user: User) -> list[dict[str, Any]]:
    """What one application gets, as the page said on which it was allowed; here without the choice."""
    told = told_by(consent, consent.application)
    return [{**scope, "field": ""} for scope in consent_page.scopes_in_words(user, consent.scopes, told=told)]
