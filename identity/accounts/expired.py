"""What of invitations and sent codes nobody needs any more. No check depends on their purge: each reads the time."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from identity.accounts.models import Invitation, OneTimeCode
from identity.accounts.rules import CODE_KEPT, INVITATION_KEPT


def invitations_to_purge(now: datetime) -> QuerySet[Invitation]:
    """Invitations that were answered, or were replaced by a later one, long ago.

    The last one of somebody who never answered stays: it says that the account may be invited again.
    """
    later = Invitation.objects.filter(user=OuterRef("user"), id__gt=OuterRef("id"))
    answered = Q(user__in=Invitation.objects.exclude(accepted_at=None).values("user"))
    return Invitation.objects.filter(answered | Exists(later), expires_at__lte=now - INVITATION_KEPT)


def one_time_codes_to_purge(now: datetime) -> QuerySet[OneTimeCode]:
    """Codes that were sent and whose time is over since a day."""
    return OneTimeCode.objects.filter(expires_at__lte=now - CODE_KEPT)
