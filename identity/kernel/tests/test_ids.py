"""Time-ordered ids and their public spelling."""

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.kernel.clock import clock_at
from identity.kernel.ids import PREFIXES, parse_public_id, public_id, uuid7, uuid7_floor, uuid7_time


def test_ids_of_one_process_sort_by_creation_also_between_threads() -> None:
    made: list[list[uuid.UUID]] = [[] for _ in range(4)]

    def make(out: list[uuid.UUID]) -> None:
        out.extend(uuid7() for _ in range(2000))

    threads = [threading.Thread(target=make, args=(out,)) for out in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(out == sorted(out) for out in made)
    assert len({each for out in made for each in out}) == 8000


def test_an_id_is_a_version_7_uuid_and_holds_its_millisecond() -> None:
    before = datetime.now(UTC)
    made = uuid7()
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert abs(uuid7_time(made) - before) < timedelta(seconds=1)


def test_ids_follow_a_moved_clock() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with clock_at(moment):
        assert uuid7_time(uuid7()) == moment


def test_the_floor_is_below_every_id_of_its_millisecond() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with clock_at(moment):
        assert uuid7_floor(moment) < uuid7() < uuid7_floor(moment + timedelta(milliseconds=1))


def test_a_clock_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"), clock_at(datetime(2026, 1, 1)):
        pass


@given(st.uuids(), st.sampled_from(sorted(PREFIXES)))
def test_a_public_id_reads_back(value: uuid.UUID, kind: str) -> None:
    assert parse_public_id(kind, public_id(kind, value)) == value


@pytest.mark.parametrize(
    "text", ["", "usr_", "app_" + "a" * 26, "usr_" + "1" * 26, "usr_" + "a" * 25, "usr_é" + "a" * 25]
)
def test_what_is_no_public_id_of_this_kind_is_none(text: str) -> None:
    assert parse_public_id("user", text) is None
