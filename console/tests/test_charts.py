"""Charts: figures without colors of their own, a table that says the same, words for those who see neither."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from console.charts import signins_chart, spike_of, step_of

TIMES = [datetime(2026, 11, 20, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(48)]


def chart(failed=None, **kwargs):
    return signins_chart(TIMES, list(range(48)), failed or [1] * 48, zone="Europe/Berlin", **kwargs)


def test_the_figure_is_plain_json():
    figure = json.loads(json.dumps(chart().figure))
    assert [trace["name"] for trace in figure["data"]] == ["Succeeded", "Failed"]
    assert len(figure["data"][0]["x"]) == 48


def test_colors_are_the_pages_own():
    text = json.dumps(chart(failed=[1] * 47 + [200], challenged=[2] * 48).figure)
    assert "#" not in text.replace("#x27", "")
    assert "rgb(" not in text
    assert "var(--rk-accent)" in text


def test_the_table_says_the_same_as_the_lines():
    made = chart(challenged=[3] * 48)
    assert made.columns == ("Time", "Succeeded", "Failed", "Challenged")
    assert made.rows[0] == ("Fri 20 Nov, 01:00", 0, 1, 3)
    assert len(made.rows) == 48


def test_counts_start_at_zero_and_failures_have_an_axis_of_their_own():
    layout = chart().figure["layout"]
    assert layout["yaxis"]["range"][0] == 0
    assert layout["yaxis2"]["range"][0] == 0
    assert layout["showlegend"] is False


def test_a_spike_is_named():
    made = chart(failed=[2] * 40 + [138] + [2] * 7)
    assert any("138 failed at 21:00" in note["text"] for note in made.figure["layout"]["annotations"])
    assert "138" in made.summary


@pytest.mark.parametrize(
    ("values", "index"),
    [([1] * 10, None), ([2, 2, 9, 2], None), ([0, 0, 12, 0], 2), ([100, 100, 390, 100], None),
     ([100, 100, 401, 100], 2), ([50], None), ([], None)],
)  # fmt: skip
def test_what_is_a_spike(values, index):
    assert spike_of(values) == index


@pytest.mark.parametrize(
    ("top", "steps", "step"), [(1, 3, 1), (510, 3, 200), (138, 1, 200), (12, 1, 20), (97, 3, 40), (1, 1, 1)]
)
def test_grid_lines_are_round(top, steps, step):
    assert step_of(top, steps) == step


def test_no_sign_ins_are_said_in_words():
    empty = signins_chart(TIMES, [0] * 48, [0] * 48)
    assert empty.summary == "Nobody signed in during this time."
    assert signins_chart([], [], []).rows == []
