"""Keys per subject, and the sealed part of an event: one box for each person whose data is in it."""

import json
import struct
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction

from identity.audit.models import SubjectKey
from identity.kernel import sql
from identity.kernel.crypto import (
    SealBroken,
    new_subject_key,
    realm_subject_key,
    seal,
    seal_for_subject,
    unseal,
    unseal_for_subject,
)

_TABLE = "identity_subjectkey"
_HEAD = struct.Struct(">16sH")
_KEY = sql.Columns(SubjectKey, "k", ("subject_id", "realm_id", "wrapped"))


def _keys(realm_id: UUID, subjects: Iterable[UUID]) -> dict[UUID, bytes]:
    """The keys that exist, by subject. Never cached across requests: an erasure has to bite at once."""
    wanted = set(subjects)
    found: dict[UUID, bytes] = {}
    if realm_id in wanted:
        found[realm_id] = realm_subject_key(realm_id)
        wanted.discard(realm_id)
    if wanted:
        # Not by realm: an operator's key is wrapped for `platform`, also where he visits, so that erasing him there
        # erases him everywhere.
        listed, params = sql.one_of("subject", list(wanted))
        statement = f"SELECT {_KEY.sql} FROM {_TABLE} k WHERE k.subject_id IN ({listed})"  # noqa: S608 - texts of ours
        for row in map(_KEY.load, sql.fetch_all(statement, params)):
            if row is not None:
                found[row.subject_id] = unseal(
                    row.wrapped, realm_id=row.realm_id, table=_TABLE, pk=row.subject_id, field="wrapped"
                )
    return found


def _make_key(realm_id: UUID, subject: UUID) -> bytes:
    wrapped = seal(new_subject_key(), realm_id=realm_id, table=_TABLE, pk=subject, field="wrapped")
    # Two requests may make the first key of one person at once: the row that stands wins, and both read it back. A key
    # without an event harms nobody, so it need not be made in the event's own transaction.
    with transaction.atomic():
        SubjectKey.objects.bulk_create(
            [SubjectKey(subject_id=subject, realm_id=realm_id, wrapped=wrapped)], ignore_conflicts=True
        )
    return _keys(realm_id, [subject])[subject]


def seal_personal(
    realm_id: UUID,
    event_id: UUID,
    data: Mapping[UUID, Mapping[str, str]],
    homes: Mapping[UUID, UUID] | None = None,
) -> bytes | None:
    """The sealed part of an event: subject → personal fields. The realm's own id stands for "nobody known".

    homes: subject → the realm that the person belongs to, where it is another one (operators).
    """
    kept = {subject: values for subject, values in data.items() if values}
    if not kept:
        return None
    keys = _keys(realm_id, kept)
    out = bytearray()
    for subject, values in kept.items():
        key = keys.get(subject) or _make_key((homes or {}).get(subject, realm_id), subject)
        text = json.dumps(dict(values), ensure_ascii=False, separators=(",", ":")).encode()
        box = seal_for_subject(text, key=key, binding=realm_id.bytes + event_id.bytes + subject.bytes)
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
    keys = _keys(realm_id, {subject for _, subject, _ in boxes})
    opened: dict[UUID, dict[str, str]] = {event_id: {} for event_id in sealed}
    for event_id, subject, box in boxes:
        key = keys.get(subject)
        if key is None:
            continue
        try:
            text = unseal_for_subject(box, key=key, binding=realm_id.bytes + event_id.bytes + subject.bytes)
        except SealBroken:
            continue
        opened[event_id].update(json.loads(text))
    return opened


def destroy_key(realm_id: UUID, subject: UUID) -> bool:
    """Erase one person from the whole trail; the rows and their proof stay. Returns whether there was a key."""
    return SubjectKey.objects.filter(realm_id=realm_id, subject_id=subject).delete()[0] > 0
