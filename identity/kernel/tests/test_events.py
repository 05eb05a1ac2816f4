"""The event registry."""

from uuid import uuid4

import pytest

from identity.kernel.events import Event, changes_of, event, personal, registry


def test_names_are_noun_and_past_verb_and_registered_once() -> None:
    with pytest.raises(ValueError, match="wire name"):
        event("UserLocked", target="user", sentence="")(type("X", (Event,), {}))
    with pytest.raises(ValueError, match="exists already"):
        event("realm.created", target="realm", sentence="")(type("X", (Event,), {}))


def test_no_event_is_a_generic_update() -> None:
    assert not [name for name in registry if name.endswith(".updated")]


def test_every_event_has_a_sentence_whose_names_are_its_fields() -> None:
    for name, cls in registry.items():
        sentence = str(cls.sentence)
        assert sentence, name
        known = {"actor", "target", *cls.__dataclass_fields__}
        for piece in sentence.split("{")[1:]:
            assert piece.split("}")[0] in known, (name, sentence)


def test_personal_fields_never_reach_the_open_payload() -> None:
    @event("canary.sung", target="user", sentence="{actor}")
    class CanarySung(Event):
        song: str = ""
        listener: str = personal()

    try:
        made = CanarySung(song="la", listener="Mia", target_name="Mia Torres", target_id=uuid4())
        assert made.payload() == {"song": "la"}
        assert made.personal_data() == {"listener": "Mia", "target_name": "Mia Torres"}
        assert "Mia" not in repr(made)
    finally:
        del registry["canary.sung"]


def test_changes_hold_what_differs_alone() -> None:
    assert changes_of({"a": 1, "b": 2}, {"a": 1, "b": 3}) == {"b": (2, 3)}
