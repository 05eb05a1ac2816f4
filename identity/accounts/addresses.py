"""Keeps allauth's EmailAddress rows in step with the truth: the account's `email` and `email_verified_at`.

allauth reads these rows to decide whether an address is verified, and keeps a pending change as an unverified row
beside the present one. Every command that writes the account's address calls `mirror` in the same transaction; nothing
else in the product writes them. They stand here, below sign-in, because the commands stand here.
"""

from allauth.account.models import EmailAddress

from identity.accounts.models import User


def mirror(user: User) -> None:
    """One row for the account's present address; whatever else was there, a pending change too, is gone.

    A pending change must not outlive a rescue: an attacker's own link could still swap the address after the password
    was reset (LG-11).
    """
    rows = EmailAddress.objects.filter(user_id=user.pk)
    if not user.email:
        rows.delete()
        return
    rows.exclude(email=user.email).delete()
    changed = rows.update(verified=user.email_verified, primary=True)
    if not changed:
        EmailAddress.objects.bulk_create(
            [EmailAddress(user_id=user.pk, email=user.email, verified=user.email_verified, primary=True)]
        )


def keep_pending(user: User, email: str) -> EmailAddress:
    """The row of an address that the person wants to change to; an earlier wish is replaced."""
    EmailAddress.objects.filter(user_id=user.pk).exclude(email=user.email or "").delete()
    pending = EmailAddress(user_id=user.pk, email=email, verified=False, primary=False)
    pending.user = user
    pending.save(force_insert=True)
    return pending


def pending_of(user: User) -> EmailAddress | None:
    """The address that the person asked to change to and has not confirmed yet."""
    return EmailAddress.objects.filter(user_id=user.pk, verified=False).exclude(email=user.email or "").first()
