"""Keys per subject, and the sealed part of an event: one box for each person whose data is in it.

What belongs to nobody known (a typed name, the address of a failed sign-in) is sealed under a key of the realm's own:
a row like the others, with the realm for its subject, so that purging the realm makes that unreadable too.
"""

import struct
from collections.abc import Iterable, Mapping
from functools import partial
from uuid import UUID

import orjson
from django.db import connection, transaction

from identity.audit.models import SubjectKey
from identity.kernel import sql
from identity.kernel.crypto import (
    SealBroken,
    new_subject_key,
    seal,
    seal_for_subject,
    unseal,
    unseal_for_subject,
)

_TABLE = "identity_subjectkey"
_HEAD = struct.Struct(">16sH")
_KEY = sql.Columns(SubjectKey, "k", ("subject_id", "realm_id", "wrapped"))


_MOST = 1000
_own_keys: dict[UUID, bytes] = {}
"""Realm → its own key, for sealing alone: half of all events need it, and nothing is lost if it was destroyed since."""


def _keys(subjects: Iterable[UUID]) -> dict[UUID, bytes]:
    """The keys that exist, by subject. Never remembered: an erasure has to bite at once."""
    wanted = set(subjects)
    found: dict[UUID, bytes] = {}
    if wanted:
        # Not by realm: an operator's key is wrapped for `platform`, also where he visits, so that erasing him there
        # erases him everywhere.
        listed, params = sql.one_of("subject", sorted(wanted))
        statement = f"SELECT {_KEY.sql} FROM {_TABLE} k WHERE k.subject_id IN ({listed})"  # noqa: S608 - texts of ours
        for row in map(_KEY.load, sql.fetch_all(statement, params)):
            if row is not None:
                found[row.subject_id] = unseal(
                    row.wrapped, realm_id=row.realm_id, table=_TABLE, pk=row.subject_id, field="wrapped"
                )
    return found


def _make_key(realm_id: UUID, subject: UUID) -> bytes:
    wrapped = seal(new_subject_key(), realm_id=realm_id, table=_TABLE, pk=subject, field="wrapped")
    # Two requests may make the first key of one person at once: the row that stands wins, and both read it back.
    with transaction.atomic():
        SubjectKey.objects.bulk_create(
            [SubjectKey(subject_id=subject, realm_id=realm_id, wrapped=wrapped)], ignore_conflicts=True
        )
    return _keys([subject])[subject]


def _remember(realm_id: UUID, key: bytes) -> None:
    if len(_own_keys) >= _MOST:
        _own_keys.clear()
    _own_keys[realm_id] = key


def _sealing_keys(realm_id: UUID, subjects: Mapping[UUID, object], homes: Mapping[UUID, UUID]) -> dict[UUID, bytes]:
    """A key for each subject; first ones are made. The realm's own is remembered once its transaction has committed."""
    known = {realm_id: _own_keys[realm_id]} if realm_id in subjects and realm_id in _own_keys else {}
    # Several events of one block are about the same person, in the same moment.
    read = sql.block_memory().setdefault(_TABLE, {})
    keys = known | {subject: read[subject] for subject in subjects if subject in read}
    keys |= _keys(subjects.keys() - keys.keys())
    for subject in subjects:
        if subject not in keys:
            keys[subject] = _make_key(homes.get(subject, realm_id), subject)
    read.update(keys)
    if realm_id in keys and not known:
        transaction.on_commit(partial(_remember, realm_id, keys[realm_id]))
    return keys


def seal_personal(
    realm_id: UUID,
    event_id: UUID,
    data: Mapping[UUID, Mapping[str, str]],
    homes: Mapping[UUID, UUID] | None = None,
    *,
    in_one_statement: bool = False,
) -> bytes | None:
    """The sealed part of an event: subject → personal fields. The realm's own id stands for "nobody known".

    homes: subject → the realm that the person belongs to, where it is another one (operators). in_one_statement: the
    caller writes the event by a single statement, which is a transaction by itself (DECISIONS 23); a first key is then
    made just before it. Raises RuntimeError outside `atomic` otherwise: a person's first key comes with the event that
    it is made for, or not at all.
    """
    if not in_one_statement and not connection.in_atomic_block:
        raise RuntimeError("Personal data is sealed inside the transaction of its event.")
    kept = {subject: values for subject, values in data.items() if values}
    if not kept:
        return None
    keys = _sealing_keys(realm_id, kept, homes or {})
    out = bytearray()
    for subject, values in kept.items():
        text = orjson.dumps(values)
        box = seal_for_subject(text, key=keys[subject], binding=realm_id.bytes + event_id.bytes + subject.bytes)
        out += _HEAD.pack(subject.bytes, len(box)) + box
    return bytes(out)


def _split(pii: bytes) -> Iterable[tuple[UUID, bytes]]:
    at = 0
    while at < len(pii):
        subject, length = _HEAD.unpack_from(pii, at)
        at += _HEAD.size
        yield UUID(bytes=subject), pii[at : at + length]
        at += length


def open_personal(realm_id: UUID, sealed: Mapping[UUID, bytes]) -> dict[UUID, dict[str, str]]:
    """Event id → its personal fields, with one query for the keys of all. An erased person's fields are just absent."""
    boxes = [(event_id, subject, box) for event_id, pii in sealed.items() for subject, box in _split(bytes(pii))]
    keys = _keys({subject for _, subject, _ in boxes})
    opened: dict[UUID, dict[str, str]] = {event_id: {} for event_id in sealed}
    for event_id, subject, box in boxes:
        key = keys.get(subject)
        if key is None:
            continue
        try:
            text = unseal_for_subject(box, key=key, binding=realm_id.bytes + event_id.bytes + subject.bytes)
        except SealBroken:
            continue
        opened[event_id].update(orjson.loads(text))
    return opened


def destroy_key(realm_id: UUID, subject: UUID) -> bool:
    """Erase one person from the whole trail; the rows and their proof stay. Returns whether there was a key."""
    return SubjectKey.objects.filter(realm_id=realm_id, subject_id=subject).delete()[0] > 0
