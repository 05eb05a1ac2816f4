"""Sign-up's decisions, without a database."""

import pytest

from identity.accounts.rules import Identifier, normalized_email
from identity.accounts.sign_up_rules import (
    SignUpPolicy,
    asked_identifiers,
    check_domain,
    check_terms,
    is_of_domain,
    terms_due,
)
from identity.kernel.errors import Invalid
from identity.realms.models import DEFAULT_SETTINGS
from identity.realms.rules import ascii_domain, checked_settings


def policy(**values) -> SignUpPolicy:
    usual = {
        "is_open": True,
        "identifiers": frozenset({"email"}),
        "approval": False,
        "domains_allowed": (),
        "domains_blocked": (),
        "terms_uri": "",
        "terms_version": "",
        "with_password": True,
        "with_passkey": False,
    }
    return SignUpPolicy(**{**usual, **values})


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("kim@acme.example", True),
        ("kim@ACME.Example", True),
        ("kim@ａcme.example", True),
        ("kim@mail.acme.example", True),
        ("kim@acme.example.", True),
        ("kim@evil-acme.example", False),
        ("kim@acme.example.evil.example", False),
        ("acme.example@evil.example", False),
        ('"kim@acme.example"@evil.example', False),
        ("kim@xacme.example", False),
    ],
)
def test_lg_25_a_domain_has_one_spelling_and_counts_with_what_lies_below_it(address, right):
    assert is_of_domain(normalized_email(address), ["acme.example"]) is right


def test_a_domain_in_another_alphabet_is_listed_and_typed_alike():
    listed = checked_settings({"sign_up_domains_allowed": ["MÜNCHEN.example", "@acme.example"]}, {})
    assert listed["sign_up_domains_allowed"] == ["xn--mnchen-3ya.example", "acme.example"]
    for typed in ("kim@münchen.example", "kim@MÜNCHEN.example", "kim@xn--mnchen-3ya.example"):
        check_domain(policy(domains_allowed=tuple(listed["sign_up_domains_allowed"])), normalized_email(typed))
    assert ascii_domain("ACME.example.") == "acme.example"


def test_what_is_blocked_stays_blocked_below_an_allowed_domain():
    both = policy(domains_allowed=("acme.example",), domains_blocked=("guests.acme.example",))
    check_domain(both, "kim@acme.example")
    for address in ("kim@guests.acme.example", "kim@x.guests.acme.example", "kim@other.example"):
        with pytest.raises(Invalid) as refused:
            check_domain(both, address)
        assert (refused.value.field, refused.value.reason) == ("email", "domain_blocked")


def test_only_the_terms_in_force_count():
    assert not terms_due("", "")
    assert not terms_due("", "1")
    assert terms_due("2", "1")
    with pytest.raises(Invalid):
        check_terms(policy(terms_version="2"), "1")


def test_lg_10_what_is_not_asked_is_dropped_and_what_is_asked_can_not_be_left_out():
    asked = asked_identifiers(policy(), email="kim@example.com", phone="+4930123456", username="kim")
    assert asked == {Identifier.EMAIL: "kim@example.com"}
    with pytest.raises(Invalid) as refused:
        asked_identifiers(policy(identifiers=frozenset({"phone"})), email="kim@example.com", phone=" ", username="")
    assert refused.value.field == "phone"


@pytest.mark.parametrize(
    ("identifiers", "password", "passkey", "first"),
    [
        ({"email"}, True, False, None),
        ({"email"}, False, False, "email"),
        ({"email"}, True, True, "email"),
        ({"email", "phone"}, True, False, "phone"),
        ({"phone"}, True, True, "phone"),
        ({"username"}, True, False, None),
    ],
)
def test_what_is_proven_before_there_is_an_account(identifiers, password, passkey, first):
    asked = policy(identifiers=frozenset(identifiers), with_password=password)
    assert asked.proves_first(passkey=passkey) == first


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"terms_version": "2"}, "terms_uri"),
        ({"terms_uri": "https://a.example/terms"}, "terms_version"),
        ({"sign_up_open": True, "sign_up_identifiers": ["phone"]}, "sign_up_identifiers"),
        ({"sign_up_open": True, "sign_up_identifiers": ["username"]}, "sign_up_identifiers"),
        ({"sign_up_open": True, "password_sign_in": False}, "sign_up_open"),
        ({"sign_up_domains_allowed": ["no domain"]}, "sign_up_domains_allowed"),
    ],
)
def test_a_sign_up_that_leads_nowhere_is_refused_and_the_field_is_named(changes, field):
    with pytest.raises(Invalid) as refused:
        checked_settings(changes, {})
    assert refused.value.field == field


def test_what_was_stored_before_keeps_nobody_from_changing_something_else():
    old = {"terms_version": "2", "sign_up_open": True, "sign_up_identifiers": ["username"]}
    assert checked_settings({"language": "de"}, old) == {"language": "de"}
    assert DEFAULT_SETTINGS["sign_up_identifiers"] == ["email"]
