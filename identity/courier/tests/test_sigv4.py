"""AWS Signature Version 4 against AWS's published test suite (aws-sig-v4-test-suite)."""

from datetime import UTC, datetime

import pytest

from identity.courier.providers.sigv4 import Credentials, signed_headers

CREDENTIALS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service")
MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
HOST = "https://example.amazonaws.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("method", "url", "headers", "body", "names", "signature"),
    [
        pytest.param(
            "GET", "/", {}, b"", "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", id="get-vanilla",
        ),
        pytest.param(
            "GET", "/?Param2=value2&Param1=value1", {}, b"", "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500", id="get-vanilla-query-order-key-case",
        ),
        pytest.param(
            "POST", "/", {}, b"", "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b", id="post-vanilla",
        ),
        pytest.param(
            "POST", "/", {"My-Header1": "VALUE1"}, b"", "host;my-header1;x-amz-date",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d", id="post-header-value-case",
        ),
        pytest.param(
            "POST", "/", FORM, b"Param1=value1", "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a", id="post-x-www-form-urlencoded",
        ),
    ],
)  # fmt: skip
def test_a_signature_is_the_published_one(
    method: str, url: str, headers: dict[str, str], body: bytes, names: str, signature: str
) -> None:
    signed = signed_headers(CREDENTIALS, method=method, url=HOST + url, headers=headers, body=body, moment=MOMENT)
    assert signed["X-Amz-Date"] == "20150830T123600Z"
    assert signed["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )


def test_a_secret_is_in_no_representation() -> None:
    assert CREDENTIALS.secret_access_key not in repr(CREDENTIALS)
