"""Consents as pages show them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from console.users.people import user_url
from identity.consent.models import Consent
from identity.kernel.actor import Actor
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission


def consent_url(consent: Consent, name: str = "consent") -> str:
    """The address of a page about it."""
    return reverse(f"console:{name}", args=[public_id("consent", consent.pk)])


@dataclass(frozen=True)
class ConsentRow:
    """A row of a list."""

    consent: Consent
    public_id: str
    url: str
    withdraw_url: str
    person: str
    person_url: str
    application: str
    application_url: str
    scopes: list[str]
    granted_at: datetime
    is_withdrawn: bool
    offline: str
    may_withdraw: bool
    menu: list[dict[str, Any]]


def offline_of(consent: Consent) -> str:
    """Whether the application may work while the person is away."""
    if not consent.offline:
        return _("only while signed in")
    return _("also while away")


def row_of(consent: Consent, actor: Actor) -> ConsentRow:
    """What a list shows of one consent."""
    scope = ("application", consent.application_id)
    withdrawn = consent.withdrawn_at is not None
    may_withdraw = not withdrawn and actor.can(Permission.CONSENTS_REVOKE, scope)
    menu: list[dict[str, Any]] = [{"label": _("Open"), "url": consent_url(consent), "icon": "handshake"}]
    if may_withdraw:
        menu += [
            {"divider": True},
            {
                "label": _("Withdraw…"),
                "url": consent_url(consent, "consent_withdraw"),
                "icon": "link_off",
                "danger": True,
                "dialog": True,
            },
        ]
    return ConsentRow(
        consent=consent,
        public_id=public_id("consent", consent.pk),
        url=consent_url(consent),
        withdraw_url=consent_url(consent, "consent_withdraw"),
        person=consent.user.display_name,
        person_url=user_url(consent.user_id) if actor.can_somewhere(Permission.USERS_READ) else "",
        application=str(consent.application),
        application_url=reverse("console:application", args=[public_id("application", consent.application_id)])
        if actor.can(Permission.APPLICATIONS_READ, scope)
        else "",
        scopes=list(consent.scopes),
        granted_at=consent.granted_at,
        is_withdrawn=withdrawn,
        offline=offline_of(consent),
        may_withdraw=may_withdraw,
        menu=menu,
    )
