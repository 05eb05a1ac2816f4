"""One kind of token never passes for another, and no header chooses how it is verified (RFC 8725; RFC 9068, 4)."""

import base64
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey, Key, RSAKey

from identity.kernel.context import realm_scope
from identity.kernel.crypto import unseal
from identity.kernel.naming import issuer_of
from identity.oauth import signing
from identity.oauth.hints import read_hint
from identity.oauth.models import KeyStatus, SigningKey
from identity.oauth.tests.flows import Flow


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def own_key(flow: Flow) -> tuple[str, Key]:
    """The realm's own private key: whatever is refused in spite of it is refused for what it says."""
    with realm_scope(flow.realm):
        row = SigningKey.objects.get(status=KeyStatus.ACTIVE)
        raw = unseal(row.private_sealed, realm_id=flow.realm.pk, table=signing.TABLE, pk=row.pk, field=signing.FIELD)
    return row.kid, ECKey.import_key(json.loads(raw))


def signed(header: dict[str, Any], body: bytes, key: Key | bytes) -> str:
    """A compact JWS, made by hand: the library would refuse to make what an attacker makes."""
    payload = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    message = f"{part(header)}.{payload}".encode()
    if isinstance(key, bytes):
        signature = hmac.digest(key, message, "sha256")
    elif isinstance(key, ECKey):
        r, s = decode_dss_signature(key.private_key.sign(message, ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32) + s.to_bytes(32)
    else:
        signature = key.private_key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return f"{message.decode()}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def forged(flow: Flow, *, header: dict[str, Any] | None = None, key: Key | bytes | None = None, **claims: Any) -> str:
    """The flow's own access token, signed anew with changes; None removes."""
    kid, own = own_key(flow)
    good = flow.decoded(flow.tokens()["access_token"]).claims
    changed = {name: value for name, value in {**good, **claims}.items() if value is not None}
    head = {"alg": "ES256", "typ": "at+jwt", "kid": kid, **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    return signed(head, json.dumps(changed).encode(), key or own)


def assert_refused(flow: Flow, token: str) -> None:
    assert flow.introspect(token) == {"active": False}
    assert flow.userinfo(token).status_code == 401
    assert flow.revoke(token).status_code == 200


def test_the_forger_of_these_tests_makes_good_tokens_when_nothing_is_changed(flow: Flow):
    token = forged(flow)
    assert flow.introspect(token)["active"] is True
    assert flow.userinfo(token).status_code == 200


def test_an_id_token_is_no_access_token(flow: Flow):
    assert_refused(flow, flow.tokens()["id_token"])


def test_an_access_token_is_no_id_token_hint(flow: Flow):
    with realm_scope(flow.realm):
        assert read_hint(flow.realm, flow.tokens()["access_token"]) is None
        assert read_hint(flow.realm, flow.tokens()["id_token"]) is not None


@pytest.mark.parametrize("typ", ["JWT", None, "AT+JWT", "application/at+jwt", "logout+jwt", "at+jwt ", 1])
def test_the_type_is_exact(flow: Flow, typ):
    assert_refused(flow, forged(flow, header={"typ": typ}))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
def test_alg_none_is_refused(flow: Flow, alg: str):
    token = flow.tokens()["access_token"]
    head = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    for signature in ("", token.split(".")[2]):
        assert_refused(flow, f"{part({**head, 'alg': alg})}.{token.split('.')[1]}.{signature}")


def test_hs256_with_the_public_key_as_secret_is_refused(flow: Flow):
    public = next(key for key in flow.document("jwks.json")["keys"] if key["kid"] == own_key(flow)[0])
    _, own = own_key(flow)
    for secret in (json.dumps(public).encode(), own.as_pem(private=False), public["x"].encode(), b"x" * 32):
        assert_refused(flow, forged(flow, header={"alg": "HS256"}, key=secret))


def test_another_algorithm_of_ours_with_another_key_is_refused(flow: Flow):
    assert_refused(flow, forged(flow, header={"alg": "RS256"}, key=RSAKey.generate_key(2048)))


def test_another_key_under_our_kid_is_refused(flow: Flow):
    assert_refused(flow, forged(flow, key=ECKey.generate_key("P-256")))


def test_an_unknown_or_missing_kid_is_refused(flow: Flow):
    for kid in ("unknown", "", None, 7, "x" * 10_000, "../keys", "' OR 1=1 --"):
        assert_refused(flow, forged(flow, header={"kid": kid}))


def test_keys_that_the_header_brings_are_not_looked_at(flow: Flow):
    mine = ECKey.generate_key("P-256")
    brought = {"jwk": mine.as_dict(private=False), "jku": "https://evil.example/k", "x5u": "https://evil.example/c"}
    for name, value in brought.items():
        assert_refused(flow, forged(flow, header={name: value}, key=mine))


def test_critical_headers_are_refused(flow: Flow):
    token = forged(flow)
    kid, _ = own_key(flow)
    head = part({"alg": "ES256", "typ": "at+jwt", "kid": kid, "crit": ["b64"], "b64": False})
    assert_refused(flow, f"{head}.{token.split('.')[1]}.{token.split('.')[2]}")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "4102444800"},
        {"exp": True},
        {"iat": None},
        {"jti": None},
        {"jti": "x"},
        {"jti": 7},
        {"sub": None},
        {"sub": "00000000-0000-7000-8000-000000000000"},
        {"sub": "portal"},
        {"sub": 7},
        {"client_id": None},
        {"client_id": "unknown"},
        {"client_id": ["portal"]},
        {"sid": None, "fid": None},
        {"sid": "00000000-0000-7000-8000-000000000000", "fid": None},
        {"fid": "00000000-0000-7000-8000-000000000000"},
        {"fid": "x"},
        {"scope": ["openid"]},
    ],
)
def test_claims_that_no_token_of_ours_has_are_refused_even_if_signed(flow: Flow, claims):
    assert_refused(flow, forged(flow, **claims))


def test_a_token_that_names_itself_cannot_take_over_a_person(flow: Flow, service: Flow):
    """`sub` equal to `client_id` stands for the application alone: userinfo has nobody to tell of."""
    token = forged(flow, sub="service", client_id="service", scope="openid profile", fid=None, sid=None)
    assert flow.userinfo(token).status_code == 401


@pytest.mark.parametrize("body", ["[]", "null", "1", '"x"', "{", "", "[" * 5000])
def test_a_payload_that_is_no_object_is_refused(flow: Flow, body: str):
    kid, own = own_key(flow)
    assert_refused(flow, signed({"alg": "ES256", "typ": "at+jwt", "kid": kid}, body.encode(), own))


def test_the_issuer_is_the_realms(flow: Flow):
    assert flow.decoded(flow.tokens()["access_token"]).claims["iss"] == issuer_of(flow.realm)
