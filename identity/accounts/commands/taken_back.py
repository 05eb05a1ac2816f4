"""What a rescue leaves of the ways back (LG-11): none that was made by what it took back."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from identity.accounts.commands.codes import ADDRESS_LABEL, MOST_TRIES, TABLE
from identity.accounts.links import AboutAddress, AboutNumber
from identity.accounts.models import CodePurpose, OneTimeCode, User
from identity.accounts.rules import REVERT_LIFETIME
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hash, keyed_hashes, seal
from identity.kernel.ids import uuid7

About = AboutAddress | AboutNumber


def _what(about: About) -> str:
    """What is kept as the "address"; no address and no number looks like it."""
    kind = "email" if isinstance(about, AboutAddress) else "phone"
    return f"taken back:{kind}:{about.user_id.hex}"


def _issued(about: About) -> datetime:
    return datetime.fromtimestamp(about.issued, UTC)


def keep_taken_back(actor: Actor, *, user: User, about: About) -> None:  # house: HR03 the rescue says it
    """The link of then was used: it ends, and so does each of its kind that was made after it, until now.

    Two changes in a row give whoever makes them a link of his own, to what he had put there first. The older link wins:
    used last it stays in force, used first it leaves the younger one nothing. As a spent code that nothing can match,
    which the purge takes when no such link is left.
    """
    pk, now, what = uuid7(), clock.now(), _what(about)
    OneTimeCode(
        id=pk,
        realm_id=actor.realm_id,
        purpose=CodePurpose.VERIFY,
        user=user,
        address_hash=keyed_hash(ADDRESS_LABEL, actor.realm_id, what),
        address_sealed=seal(what.encode(), realm_id=actor.realm_id, table=TABLE, pk=pk, field="address"),
        code_hash=keyed_hash(TABLE, actor.realm_id, pk.bytes),
        tries=MOST_TRIES,
        created_at=_issued(about),
        used_at=now,
        expires_at=now + REVERT_LIFETIME + timedelta(minutes=1),
    ).save(force_insert=True)


def is_taken_back(about: About, *, realm_id: UUID) -> bool:  # house: HR03 only reads
    """Whether a link of before works no more, since it or an older one was used after it was made.

    Never what is no link and says no time.
    """
    issued = _issued(about)
    return (
        about.issued > 0
        and OneTimeCode.objects.filter(
            address_hash__in=keyed_hashes(ADDRESS_LABEL, realm_id, _what(about)),
            purpose=CodePurpose.VERIFY,
            created_at__lte=issued,
            used_at__gte=issued,
        ).exists()
    )
