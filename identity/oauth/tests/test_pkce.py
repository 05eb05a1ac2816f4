"""PKCE (RFC 7636): always, and S256 alone (RFC 9700, 2.1.1)."""

import pytest

from identity.oauth import rules
from identity.oauth.tests.flows import Flow, answer_of

# The worked example of RFC 7636, appendix B. Fixed: parallel runs must collect the same tests.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
OTHER_VERIFIER = "o" * 50


def test_the_worked_example_of_the_rfc_matches():
    assert rules.pkce_matches(VERIFIER, CHALLENGE)


@pytest.mark.parametrize(
    ("verifier", "challenge"),
    [
        ("", ""),
        ("a" * 43, ""),
        ("", CHALLENGE),
        ("a" * 42, CHALLENGE),
        ("a" * 129, CHALLENGE),
        ("ä" * 43, CHALLENGE),
        (OTHER_VERIFIER, CHALLENGE),
    ],
)
def test_anything_else_does_not(verifier: str, challenge: str):
    assert not rules.pkce_matches(verifier, challenge)


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
        {"code_challenge": "=" * 43},
    ],
)
def test_authorization_without_a_right_challenge_is_refused_also_for_confidential_clients(flow: Flow, changes):
    answer = answer_of(flow.authorize(**changes))
    assert answer["error"] == "invalid_request"
    assert "code" not in answer


@pytest.mark.parametrize("verifier", ["", OTHER_VERIFIER, "a" * 43])
def test_oa_07_code_without_its_verifier_is_refused_and_stays_good(flow: Flow, verifier: str):
    code = flow.code()
    assert flow.redeem(code, code_verifier=verifier).json()["error"] == "invalid_grant"
    assert flow.redeem(code).status_code == 200


def test_the_challenge_itself_is_no_verifier(public: Flow):
    parameters = public.parameters()
    code = answer_of(public.browser.get("/oauth/authorize", parameters))["code"]
    assert public.redeem(code, code_verifier=parameters["code_challenge"]).json()["error"] == "invalid_grant"
