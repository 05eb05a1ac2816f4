"""What is worth a look in an application's settings: the same rules for its page and for the realm's posture."""

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.applications.rows import application_url
from identity.applications.models import Application, ClientSecret
from identity.kernel import clock

OLD_SECRET = timedelta(days=365)
SOON = timedelta(days=14)


def _passed(label: str) -> dict[str, Any]:
    return {"label": label, "severity": "ok", "text": _("Pass"), "url": ""}


def _finding(label: str, severity: str, text: str, url: str) -> dict[str, Any]:
    return {"label": label, "severity": severity, "text": text, "url": url}


def checks_of(application: Application, redirect_uris: list[str], secrets: list[ClientSecret]) -> list[dict[str, Any]]:
    """The checks card's lines; each finding links to where it is mended."""
    lines = []
    if application.is_confidential:
        lines.append(_secret_check(application, secrets))
    if redirect_uris:
        label = _("Redirects use https and match exactly")
        plain = [uri for uri in redirect_uris if uri.startswith("http://")]
        url = application_url(application, "application_redirects")
        lines.append(_finding(label, "low", _("Development address"), url) if plain else _passed(label))
    if "authorization_code" in application.grant_types:
        lines.append(_passed(_("PKCE is required")))
    if "refresh_token" in application.grant_types:
        lines.append(_passed(_("Refresh tokens rotate")))
    if application.skip_consent:
        lines.append(
            _finding(
                _("People are asked for consent"),
                "low",
                _("Skipped"),
                application_url(application, "application_edit"),
            )
        )
    return lines


def _secret_check(application: Application, secrets: list[ClientSecret]) -> dict[str, Any]:
    label = _("Secret younger than a year")
    url = application_url(application, "application_credentials")
    now = clock.now()
    if not secrets:
        return _finding(_("Has a secret"), "high", _("None"), url)
    expiring = [s for s in secrets if s.expires_at is not None and s.expires_at - now < SOON]
    if expiring and len(expiring) == len(secrets):
        days = max(0, min((s.expires_at - now).days for s in expiring if s.expires_at))
        return _finding(
            _("Secret does not expire soon"),
            "medium",
            ngettext("Due in %(n)s day", "Due in %(n)s days", days) % {"n": days},
            url,
        )
    if all(now - s.created_at > OLD_SECRET for s in secrets):
        return _finding(label, "medium", _("Replace it"), url)
    return _passed(label)
