"""What of the protocol's rows nobody needs any more. No check depends on their purge: each reads the time."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from identity.oauth import rules
from identity.oauth.models import FamilyStatus, Grant, RefreshFamily, RefreshToken, TokenDenial


def codes_to_purge(now: datetime) -> QuerySet[Grant]:
    """Codes that were used or expired long ago."""
    return Grant.objects.filter(expires__lte=now - rules.CODE_KEPT)


def _families_over(now: datetime) -> QuerySet[RefreshFamily]:
    before = now - rules.FAMILY_KEPT
    revoked = Q(status=FamilyStatus.REVOKED, status_changed_at__lte=before)
    return RefreshFamily.objects.filter(revoked | Q(expires_at__lte=before))


def refresh_tokens_to_purge(now: datetime) -> QuerySet[RefreshToken]:
    """All generations of families that ended long ago. Those of a living family stay: reuse is told by them."""
    return RefreshToken.objects.filter(family__in=_families_over(now))


def families_to_purge(now: datetime) -> QuerySet[RefreshFamily]:
    """Such families, once their generations are gone: one may have thousands."""
    return _families_over(now).filter(~Exists(RefreshToken.objects.filter(family=OuterRef("pk"))))


def denials_to_purge(now: datetime) -> QuerySet[TokenDenial]:
    """Denials of access tokens that have expired by themselves."""
    return TokenDenial.objects.filter(expires_at__lte=now - rules.DENIAL_KEPT)
