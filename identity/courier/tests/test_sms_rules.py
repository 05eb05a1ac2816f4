"""Texts, numbers and settings of providers, by table."""

from typing import Any

import pytest

from identity.courier.models import SmsProviderKind
from identity.courier.rules.numbers import hint_of, is_blocked, prefix_of, region_of
from identity.courier.rules.providers import (
    PLAIN_JSON,
    checked_kind,
    checked_provider_settings,
    checked_secrets,
    is_like,
)
from identity.courier.rules.texts import bound_code, fitted, plain_text, segments_of
from identity.courier.tests.accounts import ACCOUNT, SERVICE
from identity.kernel.errors import Invalid


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("äöüß@£" * 26, 1), ("€" * 80, 1),
        ("€" * 81, 2), ("a" * 152 + "€" + "a" * 152, 3), ("я" * 70, 1), ("я" * 71, 2), ("🙂" * 35, 1), ("🙂" * 36, 2),
        ("a" * 159 + "’", 3),
    ],
)  # fmt: skip
def test_segments_are_counted_as_phones_and_bills_do(text: str, segments: int) -> None:
    assert segments_of(text) == segments


def test_in_08_a_text_is_lines_of_printable_signs() -> None:
    assert plain_text("a\x00b\u202ec  d\r\n\r\n‘e’ – “f”…\u00a0g\x1b[0m ") == "a b c d\n\n'e' - \"f\"... g [0m"


@pytest.mark.parametrize(
    ("code", "is_bound"), [("123456", True), ("AB12cd", True), ("", False), ("12", False), ("1 2 3 4", False)]
)
def test_a_code_is_bound_to_its_host_in_the_last_line(code: str, is_bound: bool) -> None:
    text = bound_code("Your code", code, "login.acme.com")
    assert text == (f"Your code\n\n@login.acme.com #{code}" if is_bound else "Your code")


def test_a_long_name_is_cut_to_one_segment_and_no_further() -> None:
    def made(name: str) -> str:
        return bound_code(
            f"123456 is your code for {name}. Nobody will ever ask you for it.", "123456", "id.example.com"
        )

    text = fitted(made, "An association with a very long name " * 3)
    assert segments_of(text) == 1
    assert len(text) > 150
    assert text.endswith("\n\n@id.example.com #123456")
    assert fitted(made, "Acme") == made("Acme")
    assert segments_of(fitted(made, "Общество с длинным названием")) == 2


@pytest.mark.parametrize(
    ("number", "prefix", "hint", "region"),
    [
        ("+4915112345678", "+4915", "+49 … 678", "DE"), ("+14155552671", "+1415", "+1 … 671", ""),
        ("+881612345678", "+88161", "+881 … 678", ""), ("+447911123456", "+4479", "+44 … 456", "GB"),
        ("+35312345678", "+35312", "+353 … 678", "IE"), ("+79123456789", "+791", "+7 … 789", "RU"),
    ],
)  # fmt: skip
def test_a_number_is_counted_under_its_range_and_shown_as_a_hint(
    number: str, prefix: str, hint: str, region: str
) -> None:
    assert (prefix_of(number), hint_of(number), region_of(prefix)) == (prefix, hint, region)


@pytest.mark.parametrize(
    ("number", "blocked", "is_it"),
    [
        ("+4915112345678", [], False), ("+4915112345678", ["+4915"], True), ("+4915112345678", ["+491", "+7"], True),
        ("+4915112345678", ["+4916"], False), ("+979123456789", [], True), ("+881612345678", [], True),
        ("+19005551234", [], True), ("+882161234567", [], True), ("+14155552671", ["+1"], True),
    ],
)  # fmt: skip
def test_lg_13_premium_and_blocked_ranges(number: str, blocked: list[str], is_it: bool) -> None:
    assert is_blocked(number, blocked) is is_it


GATEWAY: dict[str, Any] = {**PLAIN_JSON, "url": "https://sms.example.com/send"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": ""}, "url"), ({"url": "ftp://x.example/"}, "url"), ({"url": "https://a:b@x.example/"}, "url"),
        ({"url": "https://{to}.example/"}, "url"), ({"url": "https://x.example/{to}"}, "url"),
        ({"url": "https://x.example/#f"}, "url"), ({"url": "https://x.example/?a={nothing}"}, "url"),
        ({"method": "DELETE"}, "method"), ({"body_kind": "xml"}, "body_kind"), ({"method": "GET"}, "body_kind"),
        ({"body": "not json"}, "body"), ({"body": '"{to}{text}"'}, "body"), ({"body": '{"to": "{to}"}'}, "body"),
        ({"body": '{"a": "{to}{text}{password}"}'}, "body"), ({"body": "[" * 5000}, "body"),
        ({"headers": {"Host": "x"}}, "headers"), ({"headers": {"X Y": "x"}}, "headers"),
        ({"headers": {"X": "a\r\nb"}}, "headers"), ({"headers": {"Authorization": "Bearer abc"}}, "headers"),
        ({"headers": {f"X-{n}": "" for n in range(30)}}, "headers"),
        ({"success_from": 99}, "success_from"), ({"success_from": 300}, "success_to"),
        ({"success_to": True}, "success_to"),
        ({"success_path": "a b", "success_values": ["x"]}, "success_path"), ({"success_path": "a"}, "success_values"),
        ({"success_values": ["a"]}, "success_path"), ({"nonsense": 1}, "nonsense"),
    ],
)  # fmt: skip
def test_a_gateway_that_can_not_work_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_provider_settings(SmsProviderKind.HTTP, {**GATEWAY, **changes})
    assert refused.value.field == field


def test_the_preset_needs_only_an_address() -> None:
    assert checked_provider_settings(SmsProviderKind.HTTP, GATEWAY)["success_to"] == 299


@pytest.mark.parametrize(
    ("kind", "settings", "field"),
    [
        ("twilio", {}, "account_sid"),
        ("twilio", {"account_sid": ACCOUNT}, "sender"),
        ("twilio", {"account_sid": "AC../../x", "sender": "Acme"}, "account_sid"),
        ("twilio", {"account_sid": ACCOUNT, "sender": "far too long a name"}, "sender"),
        ("twilio", {"account_sid": ACCOUNT, "sender": "Acme", "url": "https://evil.example"}, "url"),
        ("twilio_verify", {"account_sid": ACCOUNT, "service_sid": SERVICE[:-1]}, "service_sid"),
        ("sns", {"region": "evil.example/", "access_key_id": "A" * 20}, "region"),
        ("sns", {"region": "eu-central-1", "access_key_id": "x"}, "access_key_id"),
        ("sns", {"region": "eu-central-1", "access_key_id": "A" * 20, "sender": "123"}, "sender"),
    ],
)
def test_in_01_settings_name_no_place_of_their_own(kind: str, settings: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_provider_settings(kind, settings)
    assert refused.value.field == field


def test_kinds_and_secrets_are_checked() -> None:
    with pytest.raises(Invalid):
        checked_kind("carrier_pigeon")
    with pytest.raises(Invalid):
        checked_secrets("twilio", {})
    with pytest.raises(Invalid):
        checked_secrets("twilio", {"auth_token": "with space"})
    assert checked_secrets("http", {}) == {}
    assert checked_secrets("twilio", {"auth_token": " 12345678 "}) == {"auth_token": "12345678"}


def test_words_with_stars_are_found_in_one_pass() -> None:
    assert is_like("aaab", "A*b")
    assert not is_like("ba", "a*b")
    # What would keep a regular expression busy for years
    assert not is_like("a" * 200_000, "*".join("a" * 50) + "*b")
