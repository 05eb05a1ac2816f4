"""Short codes that are sent to an address or number: made, and spent once."""

import secrets
import unicodedata
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from identity.accounts.models import OneTimeCode, User
from identity.accounts.queries import ADDRESS_LABEL
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.crypto import keyed_hash, keyed_hashes, seal
from identity.kernel.ids import uuid7

LIFETIME = timedelta(minutes=10)
DIGITS = 6
MOST_TRIES = 5
TABLE = "identity_onetimecode"
CODE_LABEL = "one-time-code"


def make_code(  # house: HR03 what the code is for says it: signin, signup or the address that was confirmed
    actor: Actor, *, purpose: str, address: str, user: User | None = None, sent: bool = True, alone: bool = True
) -> tuple[OneTimeCode, str]:
    """A code for one purpose and one address, in its canonical spelling: the row, and the text to send.

    Made for unknown names as well, so that asking costs the same for every name (LG-23). A newer code ends the older
    ones of the same purpose and address: whoever asks again and again gets no more guesses for it than five each.
    Unless `alone` is false: where strangers may ask for somebody's code, theirs must not end his. Each works in the
    browser alone that asked for it, the messages are counted, and the tries are where there is an account.

    sent: whether a message may take it along. One over the limit of messages is never right, so asking on gives no
    guesses, and it ends no other: strangers could keep a person's codes from working.
    """
    pk, text, now = uuid7(), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}", clock.now()
    realm_id = actor.realm_id
    with transaction.atomic():
        former = OneTimeCode.objects.filter(
            purpose=purpose,
            address_hash__in=keyed_hashes(ADDRESS_LABEL, realm_id, address),
            used_at=None,
            expires_at__gt=now,
        )
        if sent and alone:
            former.update(expires_at=now)
        code = OneTimeCode(
            id=pk,
            realm_id=realm_id,
            purpose=purpose,
            user=user,
            address_hash=keyed_hash(ADDRESS_LABEL, realm_id, address),
            address_sealed=seal(address.encode(), realm_id=realm_id, table=TABLE, pk=pk, field="address"),
            code_hash=keyed_hash(CODE_LABEL, realm_id, pk.bytes + text.encode()),
            tries=0 if sent else MOST_TRIES,
            created_at=now,
            expires_at=now + LIFETIME,
        )
        code.save(force_insert=True)
    return code, text


def spend_code(  # house: HR03 what the code is for says it
    actor: Actor, *, code_id: UUID, purpose: str, address: str, text: str
) -> OneTimeCode | None:
    """The code, if these digits are it; it is spent then, once, also when two browsers send it at the same moment.

    None for wrong, spent or expired digits, another purpose or address, and after five wrong tries; each try is counted
    before the digits are compared, so a burst in parallel gets no sixth (LG-01, LG-16).
    """
    now, realm_id = clock.now(), actor.realm_id
    rows = OneTimeCode.objects.filter(
        pk=code_id,
        purpose=purpose,
        address_hash__in=keyed_hashes(ADDRESS_LABEL, realm_id, address),
        used_at=None,
        expires_at__gt=now,
    )
    with transaction.atomic():
        if not rows.filter(tries__lt=MOST_TRIES).update(tries=F("tries") + 1):
            return None
    hashes = keyed_hashes(CODE_LABEL, realm_id, code_id.bytes + digits_of(text).encode())
    with transaction.atomic():
        # The database compares keyed hashes: what it takes tells nothing about the digits.
        if not rows.filter(code_hash__in=hashes).update(used_at=now):
            return None
        return OneTimeCode.objects.filter(pk=code_id).first()


def digits_of(text: str) -> str:
    """The digits of what was typed or pasted: full-width and Arabic ones too, without spaces and hyphens."""
    out = []
    for char in unicodedata.normalize("NFKC", text):
        value = unicodedata.decimal(char, None)
        if value is not None:
            out.append(str(value))
        elif not char.isspace() and char not in "-\u2010\u2011\u2013\u200b":
            return ""
    return "".join(out)
