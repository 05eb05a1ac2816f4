"""Sealed fields, keyed hashes and subject keys."""

import base64
import uuid

import pytest
from pytest_django import Settings

from identity.kernel import crypto
from identity.kernel.keyring import Key

REALM, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
ROW = uuid.UUID(int=3)
PLACE = {"realm_id": REALM, "table": "t", "pk": ROW, "field": "f"}


def test_a_sealed_value_opens_in_its_own_place() -> None:
    assert crypto.unseal(crypto.seal(b"secret", **PLACE), **PLACE) == b"secret"


@pytest.mark.parametrize("moved", [{"realm_id": OTHER}, {"table": "u"}, {"pk": uuid.UUID(int=4)}, {"field": "g"}])
def test_dp_02_a_box_moved_elsewhere_does_not_open(moved: dict[str, object]) -> None:
    box = crypto.seal(b"secret", **PLACE)
    with pytest.raises(crypto.SealBroken):
        crypto.unseal(box, **{**PLACE, **moved})


@pytest.mark.parametrize("at", [0, 1, 5, 20, -1])
def test_an_altered_box_does_not_open(at: int) -> None:
    box = bytearray(crypto.seal(b"secret", **PLACE))
    box[at] ^= 1
    with pytest.raises(crypto.SealBroken):
        crypto.unseal(bytes(box), **PLACE)


def test_equal_values_make_different_boxes() -> None:
    assert crypto.seal(b"secret", **PLACE) != crypto.seal(b"secret", **PLACE)


def test_rotation_reads_old_boxes_and_writes_new_ones(settings: Settings) -> None:
    old = crypto.seal(b"secret", **PLACE)
    settings.REALMKEEP_MASTER_KEYS = [Key(2, b"n" * 32), *settings.REALMKEEP_MASTER_KEYS]
    assert crypto.unseal(old, **PLACE) == b"secret"
    assert crypto.needs_resealing(old)
    assert not crypto.needs_resealing(crypto.seal(b"secret", **PLACE))


def test_a_box_of_an_unknown_key_does_not_open(settings: Settings) -> None:
    box = crypto.seal(b"secret", **PLACE)
    settings.REALMKEEP_MASTER_KEYS = [Key(9, b"x" * 32)]
    with pytest.raises(crypto.SealBroken):
        crypto.unseal(box, **PLACE)


def test_keyed_hashes_differ_by_label_realm_and_value() -> None:
    hashes = {
        crypto.keyed_hash("l", REALM, "v"),
        crypto.keyed_hash("m", REALM, "v"),
        crypto.keyed_hash("l", OTHER, "v"),
        crypto.keyed_hash("l", REALM, "w"),
    }
    assert len(hashes) == 4
    assert {len(h) for h in hashes} == {33}


def test_a_hash_is_found_under_every_live_pepper(settings: Settings) -> None:
    old = crypto.keyed_hash("l", REALM, "v")
    settings.REALMKEEP_PEPPERS = [Key(7, b"q" * 32), *settings.REALMKEEP_PEPPERS]
    assert old in crypto.keyed_hashes("l", REALM, "v")
    assert crypto.keyed_hash("l", REALM, "v") != old


def test_a_mac_is_refused_when_the_message_or_the_label_differs() -> None:
    tag = crypto.mac("job", b"realm a")
    assert crypto.mac_is_right("job", b"realm a", tag)
    assert not crypto.mac_is_right("job", b"realm b", tag)
    assert not crypto.mac_is_right("link", b"realm a", tag)


def test_a_subjects_key_binds_the_event() -> None:
    key = crypto.new_subject_key()
    box = crypto.seal_for_subject(b"Mia", key=key, binding=b"event 1")
    assert crypto.unseal_for_subject(box, key=key, binding=b"event 1") == b"Mia"
    with pytest.raises(crypto.SealBroken):
        crypto.unseal_for_subject(box, key=key, binding=b"event 2")
    with pytest.raises(crypto.SealBroken):
        crypto.unseal_for_subject(box, key=crypto.new_subject_key(), binding=b"event 1")


def test_keys_never_show_in_a_representation(settings: Settings) -> None:
    secret = base64.b64encode(settings.REALMKEEP_MASTER_KEYS[0].secret).decode()
    assert secret not in repr(settings.REALMKEEP_MASTER_KEYS)
    assert "mmmm" not in repr(settings.REALMKEEP_MASTER_KEYS)
