"""Pure decisions of the protocol."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.oauth import rules
from identity.oauth.errors import ProtocolError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "successor_used", "theft"),
    [
        (0, False, False),
        (10, False, False),
        (10.001, False, True),
        (86_400, False, True),
        (0, True, True),
        (60, True, True),
    ],
)
def test_oa_13_who_comes_with_a_rotated_token(seconds: float, successor_used: bool, theft: bool):
    rotated = NOW - timedelta(seconds=seconds)
    assert rules.is_theft(rotated_at=rotated, now=NOW, successor_used=successor_used) is theft


def test_a_clock_that_runs_ahead_makes_no_thief():
    assert not rules.is_theft(rotated_at=NOW + timedelta(seconds=2), now=NOW, successor_used=False)


@pytest.mark.parametrize(
    ("text", "allowed", "found"),
    [("", ["a", "b"], ["b"]), ("a", ["a", "b"], ["a"]), ("b a b", ["a", "b"], ["b", "a"])],
)
def test_requested_scopes(text: str, allowed: list[str], found: list[str]):
    assert rules.requested_scopes(text, allowed, default=["b", "c"]) == found


@pytest.mark.parametrize("text", ["c", "a c", " a", "a ", "a  b", 'a"', "a\\b", "ä", "a\nb"])
def test_scopes_that_cannot_be(text: str):
    with pytest.raises(ProtocolError) as refused:
        rules.requested_scopes(text, ["a", "b"], default=[])
    assert refused.value.error == "invalid_scope"


def test_what_is_left_of_granted_scopes():
    assert rules.standing_scopes(["a", "b", "c"], allowed=["a", "b"], consented=["b", "c"]) == ["b"]
    assert rules.standing_scopes(["a", "b", "c"], allowed=["a", "b"], consented=None) == ["a", "b"]


@pytest.mark.parametrize(
    ("prompt", "max_age", "age", "asked", "again"),
    [
        ("", "", 99_999, None, False),
        ("", "60", 60, None, False),
        ("", "60", 61, None, True),
        ("", "0", 1, None, True),
        ("login", "", 0, None, True),
        ("login", "", 5, 10, False),
        ("login", "", 10, 5, True),
        ("", "0", 5, 10, False),
        ("select_account", "", 0, None, True),
        ("consent", "", 99_999, None, False),
    ],
)
def test_when_a_fresh_sign_in_is_needed(prompt: str, max_age: str, age: int, asked, again: bool):
    assert (
        rules.needs_fresh_sign_in(
            rules.checked_prompt(prompt, max_age),
            auth_time=NOW - timedelta(seconds=age),
            asked_at=None if asked is None else NOW - timedelta(seconds=asked),
            now=NOW,
        )
        is again
    )


def test_a_refresh_token_never_outlives_its_family():
    ends = NOW + timedelta(days=3)
    assert rules.refresh_expiry(now=NOW, sliding=timedelta(days=30), family_ends=ends) == ends
    assert rules.refresh_expiry(now=NOW, sliding=timedelta(days=1), family_ends=ends) == NOW + timedelta(days=1)


def test_half_hash_is_the_worked_example_of_openid_connect():
    """OpenID Connect Core 1.0, A.3."""
    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert rules.half_hash(token) == "77QmUPtjPfzWtF2AnpK9RQ"
