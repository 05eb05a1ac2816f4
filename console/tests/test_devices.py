"""User agents in words."""

import pytest

from console.devices import device_of

AGENTS = [
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:130.0) Gecko/20100101 Firefox/130.0",
        "Firefox on macOS",
        "computer",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/130.0.0.0 Safari/537.36",
        "Chrome on Windows",
        "computer",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 (KHTML) Chrome/130.0 Safari/537.36 Edg/130.0",
        "Edge on Windows",
        "computer",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
        "Mobile/15E148 Safari/604.1",
        "Safari on iOS",
        "phone",
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML) CriOS/129.0 Mobile/15E148 "
        "Safari/604.1",
        "Chrome on iPadOS",
        "tablet",
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML) Chrome/130.0 Mobile Safari/537.36",
        "Chrome on Android",
        "phone",
    ),
    ("curl/8.9.1", "curl", ""),
    ("", "Unknown device", ""),
    ("nothing that anybody knows", "Unknown device", ""),
]


@pytest.mark.parametrize(("agent", "words", "kind"), AGENTS)
def test_a_device_is_named_by_browser_and_system(agent, words, kind):
    device = device_of(agent)
    assert (str(device), device.kind) == (words, kind)


def test_each_kind_has_a_symbol():
    assert {device_of(agent).icon for agent, _, _ in AGENTS} == {"computer", "mobile", "devices"}
