"""What methods reach, what a sign-in must still show, codes as people type them."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.mfa import rules
from identity.mfa.rules import Step, accepted_step, acr_of, amr_of, level_of, next_step, shown_of, wanted_level
from identity.sessions.rules import ACR_ONE, ACR_THREE, ACR_TWO

PWD = {"method": "password", "at": 1}
MAIL = {"method": "code", "email": "d@example.com", "at": 1}
SMS = {"method": "code", "phone": "+4930", "at": 1}
FED = {"method": "socialaccount", "at": 1}
TOTP = {"method": "mfa", "type": "totp", "at": 2, "id": "identity.authenticatordevice/1"}
KEY = {"method": "mfa", "type": "passkey", "amr": ["hwk"], "at": 2}
PASSKEY = {"method": "mfa", "type": "passkey", "amr": ["swk", "user"], "at": 2}
RECOVERY = {"method": "mfa", "type": "recovery_codes", "at": 2}
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("records", "amr", "acr"),
    [
        ([PWD], ["pwd"], ACR_ONE),
        ([MAIL], ["otp"], ACR_ONE),
        ([SMS], ["sms"], ACR_ONE),
        ([FED], ["fed"], ACR_ONE),
        ([PWD, TOTP], ["pwd", "otp", "mfa"], ACR_TWO),
        ([PWD, RECOVERY], ["pwd", "otp", "mfa"], ACR_TWO),
        ([PWD, KEY], ["pwd", "hwk", "mfa"], ACR_THREE),
        ([PASSKEY], ["swk", "user", "mfa"], ACR_THREE),
        ([KEY], ["hwk"], ACR_ONE),
        ([MAIL, TOTP], ["otp", "mfa"], ACR_TWO),
        ([SMS, {"method": "mfa", "type": "sms"}], ["sms"], ACR_ONE),
        ([PWD, {"method": "carrier pigeon"}], ["pwd"], ACR_ONE),
        ([{"method": "socialaccount", "amr": ["otp", "mfa"]}], ["fed", "otp", "mfa"], ACR_TWO),
        ([], [], ACR_ONE),
    ],
)
def test_what_methods_say_and_reach(records, amr, acr):
    shown = shown_of(records)
    assert (amr_of(shown), acr_of(shown)) == (amr, acr)


def test_lg_01_nothing_shown_is_no_level_at_all():
    assert level_of([]) == 0


@pytest.mark.parametrize("policy", ["off", "optional", "required"])
@pytest.mark.parametrize("usable", [True, False])
@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("grace", [None, NOW - timedelta(1), NOW + timedelta(1)])
@pytest.mark.parametrize("wanted", [1, 2])
def test_lg_01_a_sign_in_passes_only_for_a_reason(policy, usable, level, trusted, grace, wanted):
    step = next_step(
        policy=policy, usable=usable, level=level, trusted=trusted, grace_until=grace, now=NOW, wanted=wanted
    )
    if step is Step.PASS:
        assert level >= 2 or (usable and trusted and wanted < 2) or (not usable and policy != "required")
    if step is Step.OFFER:
        assert not usable
        assert policy == "required"
        assert grace is not None
        assert grace > NOW
    if step is Step.CHALLENGE:
        assert usable
    if level < 2 and not usable and policy == "required" and (grace is None or grace <= NOW):
        assert step is Step.ENROL


@pytest.mark.parametrize(
    ("asked", "required", "level"),
    [
        ([], "", 1),
        ([ACR_TWO], "", 2),
        ([ACR_THREE, ACR_TWO], "", 2),
        ([ACR_ONE], ACR_TWO, 2),
        (["urn:other", ACR_TWO], "", 2),
        (["urn:other"], "", -1),
        ([], ACR_THREE, 3),
    ],
)
def test_the_easiest_class_that_was_asked_for_serves(asked, required, level):
    assert wanted_level(asked, required) == level


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("123-456", "123456"),
        ("１２３４５６", "123456"),
        ("١٢٣٤٥٦", "123456"),
        ("१२३४५६", "123456"),
        ("12345a", ""),
        ("1²3456", "123456"),
        ("", ""),
        ("-123456", "123456"),
        ("1" * 100, "1" * 40),
    ],
)
def test_lg_16_codes_are_read_as_they_are_typed(typed, read):
    assert rules.typed_digits(typed) == read


def test_lg_16_of_two_steps_with_the_same_code_the_later_one_is_used_up():
    assert accepted_step("111111", {1: "111111", 2: "111111", 3: "000000"}) == 2
    assert accepted_step("222222", {1: "111111"}) is None


@pytest.mark.parametrize("typed", ["k7mq-4t2p", "K7MQ 4T2P", "k7mq4t2p", " k7mq–4t2p "])
def test_lg_17_dashes_and_capitals_of_a_recovery_code_do_not_matter(typed):
    assert rules.typed_recovery_code(typed) == "k7mq4t2p"


@pytest.mark.parametrize(
    ("stored", "new", "fine"),
    [(None, 0, True), (0, 0, True), (None, 5, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)],
)
def test_a_counter_only_goes_on(stored, new, fine):
    assert rules.counter_is_fine(stored, new) is fine


def test_a_hint_shows_the_end_of_a_number_and_the_beginning_of_an_address():
    assert rules.hint_of("sms", "+4915112345642") == "42"
    assert rules.hint_of("email", "dana@example.com") == "d…@example.com"


def test_lg_01_a_code_that_confirmed_a_held_sign_in_is_no_second_factor_to_anybody():
    shown = shown_of([{"method": "password"}, {"method": "code", "email": "x", "for_hold": True}])
    assert (acr_of(shown), level_of(shown)) == (ACR_ONE, 1)
    assert "mfa" not in amr_of(shown)
    assert level_of(shown, with_hold=True) == 2
