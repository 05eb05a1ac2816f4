"""What may be registered, and which redirect URIs match."""

import pytest

from identity.applications import rules
from identity.applications.rules import Shape
from identity.kernel.errors import Invalid

REGISTERED = ["https://app.example/cb"]


@pytest.mark.parametrize(
    "requested",
    [
        "https://app.example/cb?x=1",
        "https://app.example/cb;p",
        "https://app.example/cb#",
        "https://app.example/cb/",
        "https://app.example/cb/../evil",
        "https://app.example/cb/..;/x",
        "https://app.example/%63b",
        "https://app.example/./cb",
        "https://app.example@evil.example/cb",
        "https://a@b@evil.example/cb",
        "https://app.example.evil.example/cb",
        "HTTPS://APP.EXAMPLE/cb",
        "https://app.example./cb",
        "https://app.example:443/cb",
        "https://app.example/%2e%2e/cb",
        "https://app.example/\tcb",
        "https://app.example/cb\n",
        " https://app.example/cb",
        "https://аpp.example/cb",
        "https://xn--pp-6kc.example/cb",
        "https:\\\\app.example\\cb",
        "http://app.example/cb",
        "//app.example/cb",
        "",
    ],
)
@pytest.mark.parametrize("native", [False, True])
def test_oa_01_only_the_exact_string_matches(requested: str, native: bool) -> None:
    assert not rules.redirect_uri_matches(REGISTERED, requested, native=native)


def test_the_registered_uri_matches() -> None:
    assert rules.redirect_uri_matches(REGISTERED, "https://app.example/cb", native=False)


@pytest.mark.parametrize(
    ("requested", "native", "expected"),
    [
        ("http://127.0.0.1:53682/callback", True, True),
        ("http://[::1]:53682/callback", True, False),
        ("http://127.0.0.1:53682/other", True, False),
        ("http://127.0.0.1:53682/callback?x=1", True, False),
        ("http://127.0.0.1:99999/callback", True, False),
        ("http://127.0.0.2:53682/callback", True, False),
        ("http://localhost:53682/callback", True, False),
        ("https://127.0.0.1:53682/callback", True, False),
        ("http://127.0.0.1:53682/callback", False, False),
        ("http://127.0.0.1:53682@evil.example/callback", True, False),
    ],
)
def test_oa_02_the_port_may_differ_on_a_loopback_address_of_a_native_application(
    requested: str, native: bool, expected: bool
) -> None:
    assert rules.redirect_uri_matches(["http://127.0.0.1/callback"], requested, native=native) is expected


@pytest.mark.parametrize(
    ("uri", "type_"),
    [
        ("https://app.example/cb", "web"),
        ("https://app.example:8443/cb?tenant=1", "spa"),
        ("http://127.0.0.1:8010/callback", "web"),
        ("http://localhost:3000/callback", "spa"),
        ("http://[::1]/cb", "native"),
        ("com.example.app:/callback", "native"),
    ],
)
def test_good_redirect_uris_are_accepted(uri: str, type_: str) -> None:
    assert rules.checked_redirect_uri(uri, type_) == uri


@pytest.mark.parametrize(
    ("uri", "type_"),
    [
        ("http://app.example/cb", "web"),
        ("https://app.example/cb#x", "web"),
        ("https://*.example/cb", "web"),
        ("https://user@app.example/cb", "web"),
        ("https://app.example/../cb", "web"),
        ("https://app.example/%2E%2e/cb", "web"),
        ("https://App.example/cb", "web"),
        ("https://app.example./cb", "web"),
        ("https:///cb", "web"),
        ("https://app.example:0/cb", "web"),
        ("https://app.example:99999/cb", "web"),
        ("https://app.example/c b", "web"),
        ("https://app.example/cb\r\nX: y", "web"),
        ("https://app.example\\evil/cb", "web"),
        ("https://аpp.example/cb", "web"),
        ("javascript:alert(1)", "native"),
        ("data:text/html,x", "native"),
        ("com.example.app:/callback", "web"),
        ("app:/callback", "native"),
        ("https://app.example/" + "x" * 2000, "web"),
    ],
)
def test_oa_01_ambiguous_redirect_uris_are_not_registered(uri: str, type_: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.checked_redirect_uri(uri, type_)
    assert refused.value.field == "redirect_uris"


def shape(**changes: object) -> Shape:
    values: dict[str, object] = {
        "type": "web",
        "grant_types": ("authorization_code",),
        "token_endpoint_auth_method": "client_secret_basic",
        "first_party": False,
        "skip_consent": False,
        "redirect_uris": ("https://app.example/cb",),
        **changes,
    }
    return Shape(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "other"}, "type"),
        ({"grant_types": ("password",)}, "grant_types"),
        ({"grant_types": ("implicit",)}, "grant_types"),
        ({"grant_types": ()}, "grant_types"),
        ({"type": "spa", "grant_types": ("client_credentials",)}, "grant_types"),
        ({"type": "service"}, "grant_types"),
        ({"type": "native"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private"}, "token_endpoint_auth_method"),
        (
            {"grant_types": ("client_credentials",), "token_endpoint_auth_method": "none"},
            "token_endpoint_auth_method",
        ),
        ({"redirect_uris": ()}, "redirect_uris"),
        ({"skip_consent": True}, "skip_consent"),
        (
            {
                "type": "native",
                "token_endpoint_auth_method": "none",
                "first_party": True,
                "skip_consent": True,
                "redirect_uris": ("com.example.app:/cb",),
            },
            "skip_consent",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused_by_name(changes: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.checked_shape(shape(**changes))
    assert refused.value.field == field


def test_the_realms_own_confidential_application_may_skip_consent() -> None:
    rules.checked_shape(shape(first_party=True, skip_consent=True))


@pytest.mark.parametrize("name", ["orders.read", "https://api.example/scope", "a:b_c-d"])
def test_scope_tokens_of_the_rfc_are_accepted(name: str) -> None:
    assert rules.checked_scope_name(name) == name


@pytest.mark.parametrize("name", ["", "two words", 'quote"', "back\\slash", "ümlaut", "x" * 101])
def test_what_is_no_scope_token_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        rules.checked_scope_name(name)
