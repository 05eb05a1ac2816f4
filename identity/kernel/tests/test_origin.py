"""The client's address behind proxies."""

import pytest

from identity.kernel.origin import clean_user_agent, client_ip, network_of


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "expected"),
    [
        ("203.0.113.9", "", 0, "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4", 0, "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9", 2, "10.0.0.1"),
        ("10.0.0.1", "unknown", 1, "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9:4711", 1, "10.0.0.1"),
        ("10.0.0.1", "\x00\xff", 1, "10.0.0.1"),
        ("10.0.0.1", "fe80::1%anything\n", 1, "10.0.0.1"),
        ("10.0.0.1", "2001:db8::1%25", 1, "10.0.0.1"),
        ("::ffff:203.0.113.9", "", 0, "203.0.113.9"),
        ("", "", 0, ""),
        ("/run/socket", "", 0, ""),
    ],
)
def test_rl_01_only_the_configured_hop_counts(remote: str, forwarded: str, proxies: int, expected: str) -> None:
    assert client_ip(remote, forwarded, proxies) == expected


def test_rl_02_one_subscriber_of_ipv6_is_one_key() -> None:
    assert {network_of(f"2001:db8:1:2:{n:x}::1") for n in range(1000)} == {"2001:db8:1:2::"}
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("203.0.113.9") == "203.0.113.9"


def test_in_07_a_user_agent_cannot_forge_lines_or_turn_text_around() -> None:
    assert clean_user_agent("Mozilla\r\nX: y\x1b[31m\u202eabc") == "MozillaX: y[31mabc"
    assert len(clean_user_agent("x" * 1_000_000)) == 300
