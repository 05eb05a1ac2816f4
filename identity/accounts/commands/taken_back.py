"""What a rescue leaves of the ways back (LG-11): none that was made by what it took back."""

from datetime import timedelta

from identity.accounts.commands.codes import MOST_TRIES, TABLE
from identity.accounts.links import About, issued_at
from identity.accounts.models import CodePurpose, OneTimeCode, User
from identity.accounts.queries import ADDRESS_LABEL, taken_back_name
from identity.accounts.rules import REVERT_LIFETIME
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hash, seal
from identity.kernel.ids import uuid7


def keep_taken_back(actor: Actor, *, user: User, about: About) -> None:  # house: HR03 the rescue says it
    """The link of then was used: it ends, and so does each of its kind that was made after it, until now.

    Two changes in a row give whoever makes them a link of his own, to what he had put there first. The older link wins:
    used last it stays in force, used first it leaves the younger one nothing. As a spent code that nothing can match,
    which the purge takes when no such link is left.
    """
    pk, now, what = uuid7(), clock.now(), taken_back_name(about)
    OneTimeCode(
        id=pk,
        realm_id=actor.realm_id,
        purpose=CodePurpose.VERIFY,
        user=user,
        address_hash=keyed_hash(ADDRESS_LABEL, actor.realm_id, what),
        address_sealed=seal(what.encode(), realm_id=actor.realm_id, table=TABLE, pk=pk, field="address"),
        code_hash=keyed_hash(TABLE, actor.realm_id, pk.bytes),
        tries=MOST_TRIES,
        created_at=issued_at(about),
        used_at=now,
        expires_at=now + REVERT_LIFETIME + timedelta(minutes=1),
    ).save(force_insert=True)
