"""What of invitations, sent codes and former passwords nobody needs any more. No check depends on their purge."""

from datetime import datetime

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from identity.accounts.models import Invitation, OneTimeCode, PasswordRecord
from identity.accounts.password_rules import kept_passwords
from identity.accounts.queries import policy_in_force
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


def former_passwords_to_purge(_now: datetime) -> QuerySet[PasswordRecord]:
    """Hashes of former passwords beyond those that the realm's policy asks for, which may have become fewer."""
    later = PasswordRecord.objects.filter(user=OuterRef("user"), id__gt=OuterRef("id")).order_by()
    counted = later.values("user").annotate(n=Count("pk")).values("n")
    newer = Coalesce(Subquery(counted, output_field=IntegerField()), 0)
    return PasswordRecord.objects.alias(newer=newer).filter(newer__gte=kept_passwords(policy_in_force()))
