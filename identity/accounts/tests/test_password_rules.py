"""What a realm asks of a password, as pure decisions."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.accounts import password_rules as rules
from identity.accounts.password_rules import PasswordPolicy
from identity.kernel.errors import Invalid
from identity.realms.models import DEFAULT_SETTINGS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("correct horse battery", []),
        ("pässwörter sind länger", []),
        ("🙂🙃🙂🙃🙂🙃 horse", []),
        ("short", ["password_too_short"]),
        ("x" * 257, ["password_too_long"]),
        ("nul\0inside it here", ["password_unusable"]),
        ("password1234", ["password_too_common"]),
        ("aaaaaaaaaaaaa", ["password_too_common"]),
        ("dana@example.com", ["password_too_similar"]),
        ("Dana.Okafor1", ["password_too_similar"]),
    ],
)
def test_lg_26_a_password_is_long_unguessed_and_not_the_name(password: str, codes: list[str]) -> None:
    problems = rules.password_problems(password, ["Dana Okafor", "dana@example.com", None])
    assert [problem.code for problem in problems] == codes


def test_lg_26_a_password_is_kept_to_the_last_space() -> None:
    assert rules.checked_password("  correct horse battery  ") == "  correct horse battery  "


def test_a_long_word_of_ones_own_in_a_longer_password_is_no_problem() -> None:
    assert rules.password_problems("dana walks nine dogs to the harbour", ["Dana"]) == []


def test_the_defaults_are_those_of_a_realm_that_says_nothing() -> None:
    assert rules.policy_of(DEFAULT_SETTINGS.__getitem__) == rules.DEFAULT_POLICY


@pytest.mark.parametrize(
    ("password", "classes"),
    [
        ("", 0), ("abc", 1), ("ABC", 1), ("aB", 2), ("aB1", 3), ("aB1-", 4), ("a b", 2), ("12", 1), ("ß1", 2),
        ("密码", 1), ("ÄÖ", 1), ("🙂", 1),
    ],
)  # fmt: skip
def test_four_kinds_of_characters_are_told_apart_in_every_script(password: str, classes: int) -> None:
    assert rules.character_classes(password) == classes


@pytest.mark.parametrize(("wanted", "refused"), [(0, False), (2, False), (3, True), (4, True)])
def test_a_realm_may_ask_for_several_kinds_of_characters(wanted: int, refused: bool) -> None:
    problems = rules.password_problems("correct horse battery", policy=PasswordPolicy(character_classes=wanted))
    assert [problem.code for problem in problems] == (["password_too_plain"] if refused else [])


def test_the_refusal_names_each_unmet_rule() -> None:
    with pytest.raises(Invalid) as refused:
        rules.checked_password("dana", ["Dana"], policy=PasswordPolicy(min_length=12, character_classes=3))
    assert refused.value.details == {
        "problems": ["password_too_short", "password_too_plain", "password_too_similar", "password_too_common"]
    }
    text = str(refused.value.message)
    assert "at least 12 characters" in text
    assert "at least 3 of these" in text
    assert "your name" in text


def test_without_a_check_of_breaches_the_list_is_not_asked_but_a_held_key_is_refused() -> None:
    off = PasswordPolicy(breach_check="off")
    assert rules.password_problems("password1234", policy=off) == []
    assert rules.password_problems("ababababababab", policy=off)[0].code == "password_too_common"


@pytest.mark.parametrize(
    ("days", "changed", "old"),
    [
        (None, None, False), (None, NOW - timedelta(9999), False), (30, None, True),
        (30, NOW - timedelta(30), True), (30, NOW - timedelta(30) + timedelta(seconds=1), False),
    ],
)  # fmt: skip
def test_a_password_is_too_old_by_the_realms_age(days: int | None, changed: datetime | None, old: bool) -> None:
    policy = PasswordPolicy(max_age=timedelta(days) if days else None)
    assert rules.is_too_old(policy, changed, NOW) is old


@pytest.mark.parametrize(("history", "kept"), [(0, 0), (1, 0), (2, 1), (24, 23)])
def test_the_present_password_is_the_first_of_those_that_are_refused(history: int, kept: int) -> None:
    assert rules.kept_passwords(PasswordPolicy(history=history)) == kept
