"""Spelling of identifiers, refused names, life of links."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.accounts import rules
from identity.accounts.rules import Identifier
from identity.kernel.errors import Invalid

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("dana@example.com", "dana@example.com"),
        ("  Dana@Example.COM ", "dana@example.com"),
        ("ｄａｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "dana@example.com"),
        ("dana+news@example.com", "dana+news@example.com"),
        ("dana@EXÄMPLE.com", "dana@xn--exmple-cua.com"),
        ("dana@example.com.", "dana@example.com"),
    ],
)
def test_lg_25_an_address_has_one_spelling(typed: str, stored: str) -> None:
    assert rules.normalized_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "", "dana", "@example.com", "dana@", "dana@example", "a b@example.com",
        "dana@example.com,eve@evil.example", "dana@example.com;eve@evil.example",
        "dana@example.com\nBcc: eve@evil.example", "dana@example.com\r\n", "dana@exam\u200bple.com",
        "\u0430dmin@example.com",  # a Cyrillic a
        "d\u00e1na@example.com",
        "dana@example.com\0", '"dana eve"@example.com\u202e', f"{'x' * 250}@example.com",
    ],
)  # fmt: skip
def test_lg_04_what_is_not_one_plain_address_is_refused(typed: str) -> None:
    if typed == "dana@example.com\r\n":
        assert rules.normalized_email(typed) == "dana@example.com"  # surrounding space is trimmed, nothing is added
        return
    with pytest.raises(Invalid) as refused:
        rules.normalized_email(typed)
    assert refused.value.field == "email"


@pytest.mark.parametrize("typed", ["+49 30 123456", "0049 30 123456", "＋49 (30) 123456", "+4930123456"])
def test_lg_14_a_number_has_one_spelling(typed: str) -> None:
    assert rules.normalized_phone(typed) == "+4930123456"


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("030 123456", "DE", "+4930123456"), ("0 30/12 34-56", "DE", "+4930123456"),
        ("０３０ １２３４５６", "DE", "+4930123456"),
        ("٠٣٠١٢٣٤٥٦", "DE", "+4930123456"),
        ("\u202a+49\u00a030\u2011123456\u202c", "DE", "+4930123456"), ("0030 1234", "DE", None),
        ("0049 30 123456", "US", "+4930123456"), ("011 49 30 123456", "US", "+4930123456"),
        ("+49 (0)30 123456", "", "+4930123456"), ("4930123456", "DE", "+4930123456"),
        ("(415) 555-2671", "US", "+14155552671"), ("1 415 555 2671", "US", "+14155552671"),
        ("06 12 34 56 78", "FR", "+33612345678"), ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("+39 06 1234567", "DE", "+39061234567"),
        ("030 123456", "", None), ("030 123456 ext 7", "DE", None), ("030 123456 x7", "DE", None),
        ("030123456;ext=7", "DE", None), ("tel:+4930123456", "DE", None), ("+49301234 56#7", "DE", None),
        ("030123456;phone-context=+49", "DE", None), ("1-800-FLOWERS", "US", None), ("112", "DE", None),
        ("", "DE", None), ("0301234567890123456", "DE", None),
    ],
)  # fmt: skip
def test_lg_14_national_input_has_the_same_one_key(typed: str, country: str, number: str | None) -> None:
    if number is None:
        with pytest.raises(Invalid) as refused:
            rules.normalized_phone(typed, country)
        assert refused.value.field == "phone"
    else:
        assert rules.normalized_phone(typed, country) == number
        assert rules.canonical_id(typed, country) == number


@pytest.mark.parametrize("typed", ["030 123456", "+49", "+49 30 123456 ext. 7", "+4930123456;ext=7", "abc", "+1" * 20])
def test_lg_14_what_is_no_whole_number_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        rules.normalized_phone(typed)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("Admin", "admin"), ("ＡＤＭＩＮ", "admin"), ("ádmin", "ádmin"), ("дима", "дима"), ("dana.o-k_1", "dana.o-k_1"),
     ("田中", "田中"), ("田中さん", "田中さん"), ("Straße", "strasse")],
)  # fmt: skip
def test_lg_25_a_username_has_one_spelling(typed: str, stored: str) -> None:
    assert rules.normalized_username(typed) == stored


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("\u0430dmin", "username_confusable"),  # Cyrillic a before Latin letters
        ("\u0430\u0440\u0435", "username_confusable"),  # all Cyrillic, drawn like "ape"
        ("\u03b1dmin", "username_confusable"),
        ("ad\u200bmin", "username_invalid"),
        ("ad\u202emin", "username_invalid"),
        ("a b", "username_invalid"),
        ("12345", "username_invalid"),
        ("_admin", "username_invalid"),
        ("admin.", "username_invalid"),
        ("dana@home", "username_invalid"),
        ("a\u0661", "username_confusable"),  # an Arabic digit
        ("x" * 151, "username_invalid"),
    ],
)
def test_lg_25_names_that_can_be_mistaken_are_refused(typed: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.normalized_username(typed)
    assert refused.value.reason == code


@pytest.mark.parametrize(
    ("typed", "kind"),
    [("dana@example.com", Identifier.EMAIL), ("+49 30 123456", Identifier.PHONE), ("dana", Identifier.USERNAME)],
)
def test_the_three_kinds_of_identifier_never_overlap(typed: str, kind: Identifier) -> None:
    assert rules.kind_of_identifier(typed) is kind


@pytest.mark.parametrize("typed", ["", "\0", "@@@", "x" * 5000, "\ud800", "dana@example.com\nx", "🙂"])
def test_lg_25_the_key_of_a_limit_exists_for_whatever_is_typed(typed: str) -> None:
    assert len(rules.canonical_id(typed)) <= 320


def test_lg_25_spellings_of_one_name_share_one_key() -> None:
    assert len({rules.canonical_id(t) for t in ("Dana@Example.com", " dana@example.com", "ＤＡＮＡ@example.com")}) == 1


@pytest.mark.parametrize("name", ["Dana\r\nBcc: x@y.example", "Dana\0", "Da\u202ena", "x" * 201])
def test_in_08_a_name_is_one_printable_line(name: str) -> None:
    if "\r\n" in name:
        assert rules.checked_text(name, field="name", most=200) == "Dana Bcc: x@y.example"
        return
    with pytest.raises(Invalid):
        rules.checked_text(name, field="name", most=200)


def test_a_lock_has_an_end_or_none() -> None:
    assert rules.lock_end(NOW, None) is None
    assert rules.lock_end(NOW, 30) == NOW + timedelta(minutes=30)
    for minutes in (0, -1, 10**9):
        with pytest.raises(Invalid):
            rules.lock_end(NOW, minutes)


@pytest.mark.parametrize(
    ("accepted", "revoked", "expires", "is_open"),
    [
        (None, None, NOW + timedelta(1), True),
        (NOW, None, NOW + timedelta(1), False),
        (None, NOW, NOW + timedelta(1), False),
        (None, None, NOW, False),
    ],
)
def test_an_invitation_is_open_until_answered_withdrawn_or_over(
    accepted: datetime | None, revoked: datetime | None, expires: datetime, is_open: bool
) -> None:
    assert rules.invitation_is_open(accepted_at=accepted, revoked_at=revoked, expires_at=expires, now=NOW) is is_open
