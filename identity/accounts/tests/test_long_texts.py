"""DS-04: parsers of what strangers send take no time that grows faster than the text."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from identity.accounts.rules import checked_query, normalized_identifier
from identity.applications.rules import redirect_uri_matches
from identity.kernel.errors import RealmkeepError
from identity.kernel.ids import parse_public_id
from identity.kernel.origin import clean_user_agent, client_ip
from identity.oauth.errors import ProtocolError
from identity.oauth.wire import parse_parameters
from identity.realms.mount import bare_host

LONG = 100_000
TEXTS = (
    "a" * LONG, "@" * LONG, "a@" * (LONG // 2), "a@" + "a." * (LONG // 2), "a@" + "-" * LONG, " " * LONG + "x",
    "+" + "1" * LONG, "+49 " + "(0) " * (LONG // 4), "https://" + "a." * (LONG // 2),
    "https://a/" + "../" * (LONG // 3), "&" * LONG, "a=1&" * (LONG // 4), "%" * LONG, "[" * LONG,
    "1," * (LONG // 2), "ﷺ" * LONG, "\u0301" * LONG,
)  # fmt: skip
PARSERS: tuple[Callable[[str], object], ...] = (
    normalized_identifier,
    checked_query,
    parse_parameters,
    clean_user_agent,
    bare_host,
    lambda text: client_ip("192.0.2.1", text, 1),
    lambda text: parse_public_id("user", text),
    lambda text: redirect_uri_matches(["http://127.0.0.1/cb", "https://app.example/cb"], text, native=True),
)


@pytest.mark.parametrize("parse", PARSERS)
def test_ds_04_a_hundred_kilobytes_are_answered_at_once(parse: Callable[[str], object]) -> None:
    for text in TEXTS:
        began = time.process_time()
        with suppress(RealmkeepError, ProtocolError):
            parse(text)
        # 50 ms are the promise; CPU time, and room for a slow machine.
        assert time.process_time() - began < 0.25, text[:12]
