"""Pure decisions about consent."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.consent import rules

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "asked", "granted", "after"),
    [
        ([], ["openid"], ["openid"], ["openid"]),
        (["openid", "email"], ["openid", "email"], ["openid"], ["openid"]),
        (["openid", "email"], ["openid", "profile"], ["openid", "profile"], ["email", "openid", "profile"]),
        (["email"], [], ["openid"], ["email", "openid"]),
    ],
)
def test_of_what_was_asked_only_what_was_granted_stays(before, asked, granted, after):
    assert rules.merged_scopes(before, asked, granted) == after


@pytest.mark.parametrize(
    ("scopes", "offline", "until", "wanted", "covered"),
    [
        (["openid"], False, None, ["openid"], True),
        (["openid"], False, None, [], True),
        (["openid"], False, None, ["openid", "email"], False),
        (["openid", "offline_access"], False, None, ["offline_access"], False),
        (["openid", "offline_access"], True, None, ["openid", "offline_access"], True),
        (["openid", "offline_access"], True, NOW + timedelta(days=1), ["offline_access"], True),
        (["openid", "offline_access"], True, NOW, ["offline_access"], False),
        (["openid", "offline_access"], True, NOW, ["openid"], True),
    ],
)
def test_a_consent_covers_what_it_names_and_for_as_long_as_it_says(scopes, offline, until, wanted, covered):
    assert rules.covers(scopes, offline=offline, offline_until=until, wanted=wanted, now=NOW) is covered
