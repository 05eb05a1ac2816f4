"""The atoms: words with every color, escaped values, times with their zone."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.utils import translation

from console.templatetags import rk
from identity.kernel.clock import clock_at
from identity.realms.models import Realm

NOW = datetime(2026, 11, 20, 9, 42, tzinfo=UTC)


def render(source, **context):
    realm = Realm(settings={"time_zone": "Europe/Berlin"})
    context.setdefault("request", SimpleNamespace(realm=realm))
    with clock_at(NOW):
        return Template("{% load rk %}" + source).render(Context(context))


@pytest.mark.parametrize("value", ["critical", "high", "medium", "low", "ok"])
def test_a_severity_is_icon_and_word(value):
    html = render("{% severity value %}", value=value)
    assert "<svg" in html
    assert str(rk.SEVERITIES[value][2]) in html


def test_values_are_escaped():
    html = render('{% avatar n %}{% pill n "ok" %}{% state n %}{% copy_id n n %}{% kbd n %}', n='<i>"x')
    assert "<i>" not in html
    assert '"x"' not in html


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Mia Torres", "MT"), ("Wiki", "WI"), ("", "?"), ("mia@acme.example", "MA"), ("Ana de la Cruz", "AC"),
     ("李 小龙", "李小"), ("--", "?")],
)  # fmt: skip
def test_initials(name, letters):
    assert rk.initials(name) == letters


@pytest.mark.parametrize(
    ("passed", "text"),
    [(timedelta(seconds=8), "8 s ago"), (timedelta(minutes=9), "9 min ago"), (timedelta(hours=5), "5 h ago"),
     (timedelta(days=1), "1 day ago"), (timedelta(days=214), "214 days ago"), (timedelta(days=-6), "in 6 days")],
)  # fmt: skip
def test_relative_times(passed, text):
    with clock_at(NOW):
        assert rk.ago(NOW - passed) == text


def test_a_time_says_its_exact_moment_and_zone():
    html = render("{% relative_time t %}", t=NOW - timedelta(seconds=8))
    assert 'title="20 Nov 2026, 10:41:52 CET"' in html
    assert 'datetime="2026-11-20T10:41:52.000+01:00"' in html
    assert " data-relative" in html


@pytest.mark.parametrize(
    ("style", "moment", "text"),
    [("clock", NOW, "10:42:00"), ("clock", NOW - timedelta(days=1), "19 Nov, 10:42"), ("date", NOW, "20 Nov 2026"),
     ("exact", NOW, "20 Nov 2026, 10:42:00 CET")],
)  # fmt: skip
def test_other_styles_of_time(style, moment, text):
    assert f">{text}</time>" in render("{% relative_time t style %}", t=moment, style=style)


def test_no_time_is_said_in_words():
    assert "never" in render("{% relative_time t %}", t=None)
    assert "no sign-ins" in render('{% relative_time t "relative" "no sign-ins" %}', t=None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(900, "15 min"), (60, "1 min"), (3600, "1 hour"), (43200, "12 hours"), (86400, "1 day"),
     (2592000, "30 days"), (90, "90 s"), (None, "")],
)  # fmt: skip
def test_durations(seconds, text):
    assert rk.duration(seconds) == text


def test_a_line_of_one_value_is_no_line():
    assert rk.spark([5]) == ""
    assert rk.spark([0, 0, 0]).count("<polyline") == 1


@pytest.mark.parametrize(("value", "width"), [(-5, "0%"), (38, "38%"), (500, "100%")])
def test_a_meter_stays_in_its_bar(value, width):
    assert f"width:{width}" in rk.meter(value)


def test_a_delta_names_its_base():
    html = rk.delta(6.2, "6.2%", "vs last Friday", "good")
    assert "6.2%" in html
    assert "vs last Friday" in html
    assert "t-ok" in html
    assert rk.delta(None, "", "no sign-ins before") == "<span>no sign-ins before</span>"


@pytest.mark.parametrize(
    ("language", "value", "shown"),
    [("en", 1234567, "1,234,567"), ("de", 1234567, "1.234.567"), ("de", "alle", "alle"), ("de", None, "")],
)
def test_numbers_are_grouped_as_the_language_does_and_words_are_not(language, value, shown):
    with translation.override(language):
        assert rk.grouped(value) == shown


@pytest.mark.parametrize(
    ("style", "text"),
    [("date", "20. Nov 2026"), ("exact", "20. Nov 2026, 10:42:00 CET"), ("clock", "10:42:00")],
)
def test_times_are_written_as_the_language_does(style, text):
    with translation.override("de"):
        assert f">{text}</time>" in render("{% relative_time t style %}", t=NOW, style=style)


@pytest.mark.parametrize(
    ("passed", "text"),
    [(timedelta(seconds=8), "vor 8 s"), (timedelta(days=1), "vor 1 Tag"), (timedelta(days=3), "vor 3 Tagen"),
     (timedelta(days=-6), "in 6 Tagen")],
)  # fmt: skip
def test_relative_times_are_whole_phrases(passed, text):
    with clock_at(NOW), translation.override("de"):
        assert rk.ago(NOW - passed) == text
        assert rk.duration(3 * 86400) == "3 Tage"
        assert rk.percent(6.25) == "6,2\N{NO-BREAK SPACE}%"
