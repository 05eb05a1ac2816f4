"""Custom attributes' decisions, without a database."""

import re
import time
from dataclasses import dataclass
from decimal import Decimal

import pytest

from identity.accounts.attribute_rules import (
    RESERVED_CLAIMS,
    checked_definition,
    checked_name,
    checked_pattern,
    checked_value,
    checked_values,
    fitting_values,
)
from identity.kernel.errors import Invalid
from identity.oauth.claims import SUPPORTED


@dataclass
class Rule:
    name: str = "badge"
    label: str = "Badge"
    type: str = "text"
    choices: tuple[str, ...] = ()
    pattern: str = ""
    most: int | None = None
    required: bool = False


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("text", "  A  b ", "A b"),
        ("text", "", None),
        ("number", "12", 12),
        ("number", " 1.50 ", 1.5),
        ("number", Decimal("3.0"), 3),
        ("number", -7, -7),
        ("boolean", True, True),
        ("boolean", False, False),
        ("date", "2001-12-31", "2001-12-31"),
        ("choice", "b", "b"),
        ("choice", None, None),
    ],
)
def test_a_value_is_kept_in_its_type(kind, given, kept):
    value = checked_value(Rule(type=kind, choices=("a", "b")), given)
    assert (value, type(value)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("text", 5), ("text", "x" * 501), ("text", "a\u202eb"),
        ("number", "x"), ("number", "nan"), ("number", "Infinity"), ("number", True), ("number", "9" * 41),
        ("number", 10**15), ("number", [1]), ("number", "1e400"),
        ("boolean", "true"), ("boolean", 1),
        ("date", "31.12.2001"), ("date", "2001-02-30"), ("date", 5), ("date", "today"),
        ("choice", "c"), ("choice", 1),
    ],
)  # fmt: skip
def test_what_does_not_fit_names_its_field_and_a_provider_drops_it(kind, given):
    rule = Rule(type=kind, choices=("a", "b"))
    with pytest.raises(Invalid) as refused:
        checked_value(rule, given)
    assert refused.value.field == "attributes.badge"
    assert fitting_values([rule], {"badge": given}) == {}


def test_what_is_needed_can_not_be_empty_or_unticked():
    for kind, empty in (("text", ""), ("number", " "), ("date", None), ("boolean", False)):
        with pytest.raises(Invalid) as refused:
            checked_values([Rule(type=kind, required=True)], {"badge": empty})
        assert refused.value.reason == "attribute_missing"


def test_a_pattern_matches_the_whole_text():
    rule = Rule(pattern=checked_pattern("^[A-Z]{2}-\\d{4}$", 500))
    assert checked_value(rule, "DE-1234") == "DE-1234"
    for wrong in ("xDE-1234", "DE-12345", "de-1234", "DE-1234\nx"):
        with pytest.raises(Invalid):
            checked_value(rule, wrong)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+", "(a|aa)+", "(?:a*)*", "a|b", "(a)\\1", "(?=a)", "a**", "a+?", "a++", "[a-z", "a{2", "\\", "[z-a]",
        "\\b", "\\Ahi", "(?i)a", "a{3,2}", "x" * 201, "\\p{L}", "[[:alpha:]]", "a{,5}", "a\nb",
    ],
)  # fmt: skip
def test_ds_04_groups_alternatives_and_what_re_does_not_know_are_refused(pattern):
    with pytest.raises(Invalid) as refused:
        checked_pattern(pattern, 500)
    assert refused.value.field == "pattern"


@pytest.mark.parametrize(
    "pattern",
    [
        "a*a*a*b",
        "a?" * 18 + "[ab]{480}[bc]",
        "a?" * 30 + "a{30}",
        "[a-z]+[a-z]+[a-z]+x",
        "\\w*\\w*\\w*!",
        "a{0,99}a{0,99}a{0,99}b",
    ],
)
def test_ds_04_a_pattern_that_leaves_too_much_open_is_refused(pattern):
    with pytest.raises(Invalid) as refused:
        checked_pattern(pattern, 500)
    assert refused.value.reason == "pattern_too_open"


@pytest.mark.parametrize(
    ("pattern", "longest", "worst"),
    [
        ("a*a*b", 500, "a" * 500),
        ("\\w+ \\w+", 500, "a" * 500),
        ("a?" * 18 + "a{18}", 500, "a" * 17),
        ("[ab]*a{1,500}c", 500, "a" * 500),
    ],
)
def test_ds_04_the_worst_text_for_an_allowed_pattern_is_answered_at_once(pattern, longest, worst):
    kept = checked_pattern(pattern, longest)
    began = time.process_time()
    assert re.fullmatch(kept, worst) is None
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("name", ["email", "sub", "new", "Name", "1st", "a-b", "", "x" * 61, "roles"])
def test_a_name_is_plain_and_takes_nothing_that_people_have_already(name):
    with pytest.raises(Invalid):
        checked_name(name)


def test_a_definition_keeps_what_belongs_to_its_type():
    made = checked_definition(
        {
            "type": "choice",
            "label": "Size",
            "choices": ["S", "M", "S", ""],
            "pattern": "x",
            "most": 3,
            "person_may_change": True,
        }
    )
    assert (made["choices"], made["pattern"], made["most"]) == (["S", "M"], "", None)
    assert made["person_may_see"] is True
    for wrong in ({"type": "choice", "label": "x"}, {"type": "blob", "label": "x"}, {"type": "text", "label": " "}):
        with pytest.raises(Invalid):
            checked_definition(wrong)


@pytest.mark.parametrize("claim", ["tier", "customer_tier", "https://acme.example/tier", "acme:tier", "a.b-c"])
def test_a_claim_of_its_own_is_taken_as_it_is(claim):
    found = checked_definition({"type": "text", "label": "x", "claim": f" {claim} ", "scope": "profile"})
    assert (found["claim"], found["scope"]) == (claim, "profile")


@pytest.mark.parametrize(
    "claim",
    [
        "sub",
        "Sub",
        "roles",
        "ACR",
        "aud",
        "scope",
        "client_id",
        "email_verified",
        "fid",
        "cnf",
        "1st",
        "a b",
        "a\nb",
        "é",
    ],
)
def test_ti_19_a_claim_that_means_something_already_is_refused(claim):
    with pytest.raises(Invalid) as refused:
        checked_definition({"type": "text", "label": "x", "claim": claim, "scope": "profile"})
    assert refused.value.field == "claim"


def test_whatever_a_token_says_itself_is_reserved():
    assert set(SUPPORTED) <= RESERVED_CLAIMS
    assert {"jti", "client_id", "scope", "fid", "nbf"} <= RESERVED_CLAIMS
