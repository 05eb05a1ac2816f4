"""The quick start's API tells good access tokens from everything that looks like one (RFC 9068, RFC 8725)."""

import base64
import json
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, RSAKey

ISSUER = "https://id.example/realms/a"
AUDIENCE = "https://api.example/orders"
KEY = ECKey.generate_key("P-256", {"kid": "k1", "alg": "ES256", "use": "sig"})
SAME_KID = ECKey.generate_key("P-256", {"kid": "k1"})
PUBLIC_AS_SECRET = OctKey.import_key(json.dumps(KEY.as_dict(private=False)))


@pytest.fixture
def access_tokens(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as its users import it: from beside their own."""
    folder = Path(__file__).parents[2] / "docs" / "quickstart" / "resource_server"
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    import access_tokens

    return access_tokens


@pytest.fixture
def fetched(access_tokens: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is read from the issuer, which is not there."""
    fetched: list[str] = []
    documents = {
        f"{ISSUER}/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"},
        f"{ISSUER}/keys": KeySet([KEY]).as_dict(),
    }

    def document(url: str) -> Any:
        fetched.append(url)
        return documents[url]

    monkeypatch.setattr(access_tokens, "_document", document)
    return fetched


@pytest.fixture
def tokens(access_tokens: ModuleType, fetched: list[str]) -> Any:
    return access_tokens.AccessTokens(ISSUER, AUDIENCE)


def token(header: dict[str, str] | None = None, key: Key = KEY, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "person",
        "client_id": "web",
        "scope": "openid orders.read",
        "jti": "1",
        "iat": now,
        "exp": now + 60,
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    head = {"alg": "ES256", "typ": "at+jwt", "kid": "k1", **(header or {})}
    return jwt.encode(head, claims, key, algorithms=["ES256", "RS256", "HS256"])


def unsigned() -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    return f"{head}.{token().split('.')[1]}."


@pytest.mark.parametrize("audience", [AUDIENCE, ["https://other.example", AUDIENCE]])
def test_good_token_is_accepted(tokens: Any, audience: Any):
    assert tokens.verify(f"Bearer {token(aud=audience)}", scope="orders.read")["sub"] == "person"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic d2ViOng="])
def test_no_token_is_challenged_without_an_error(tokens: Any, access_tokens: ModuleType, header: str):
    with pytest.raises(access_tokens.Refused) as refusal:
        tokens.verify(header, scope="orders.read")
    assert refusal.value.status == 401
    assert "error" not in refusal.value.challenge


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("x", id="no JWT"),
        pytest.param("a.b.c", id="not base64"),
        pytest.param("é.é.é", id="not ASCII"),
        pytest.param("bnVsbA.bnVsbA.x", id="no objects"),
        pytest.param(unsigned(), id="alg none"),
        pytest.param(token({"alg": "HS256"}, key=PUBLIC_AS_SECRET), id="public key as secret"),
        pytest.param(token({"alg": "RS256"}, key=RSAKey.generate_key(2048)), id="other kind of key"),
        pytest.param(token(key=SAME_KID), id="other key of the same id"),
        pytest.param(token({"kid": "k9"}), id="unknown key"),
        pytest.param(token({"typ": "JWT"}), id="an ID token"),
        pytest.param(token({"typ": "logout+jwt"}), id="a logout token"),
        pytest.param(token(iss="https://id.example/realms/b"), id="issuer"),
        pytest.param(token(iss=None), id="no issuer"),
        pytest.param(token(aud="https://other.example"), id="audience"),
        pytest.param(token(aud=None), id="no audience"),
        pytest.param(token(exp=int(time.time()) - 60), id="expired"),
        pytest.param(token(exp=None), id="never expires"),
        pytest.param(token(iat=int(time.time()) + 600), id="from the future"),
        pytest.param(token(sub=None), id="about nobody"),
        pytest.param(token(client_id=None), id="to nobody"),
        pytest.param(token(jti=None), id="no id"),
        pytest.param(token()[:-4], id="shortened"),
    ],
)
def test_oa_22_anything_else_is_an_invalid_token(tokens: Any, access_tokens: ModuleType, bad: str):
    with pytest.raises(access_tokens.Refused) as refusal:
        tokens.verify(f"Bearer {bad}", scope="orders.read")
    assert refusal.value.status == 401
    assert 'error="invalid_token"' in refusal.value.challenge


@pytest.mark.parametrize("scope", ["", "orders", "orders.read.all", None])
def test_missing_scope_is_forbidden_and_named(tokens: Any, access_tokens: ModuleType, scope: str | None):
    with pytest.raises(access_tokens.Refused) as refusal:
        tokens.verify(f"Bearer {token(scope=scope)}", scope="orders.read")
    assert refusal.value.status == 403
    assert refusal.value.challenge == 'Bearer realm="orders", error="insufficient_scope", scope="orders.read"'


def test_keys_are_read_once_for_many_tokens(tokens: Any, fetched: list[str]):
    for _ in range(3):
        tokens.verify(f"Bearer {token()}", scope="orders.read")
    assert len(fetched) == 2


def test_oa_23_a_new_key_is_found_without_a_restart(
    tokens: Any, access_tokens: ModuleType, fetched: list[str], monkeypatch: pytest.MonkeyPatch
):
    tokens.verify(f"Bearer {token()}", scope="orders.read")
    new = ECKey.generate_key("P-256", {"kid": "k2"})
    rotated = {f"{ISSUER}/keys": KeySet([KEY, new]).as_dict()}
    old = access_tokens._document
    monkeypatch.setattr(access_tokens, "_document", lambda url: rotated.get(url) or old(url))
    monkeypatch.setattr(access_tokens, "KEYS_REST", -1)
    assert tokens.verify(f"Bearer {token({'kid': 'k2'}, key=new)}", scope="orders.read")


def test_unknown_key_ids_do_not_make_us_ask_the_server_each_time(
    tokens: Any, access_tokens: ModuleType, fetched: list[str]
):
    for _ in range(5):
        with pytest.raises(access_tokens.Refused):
            tokens.verify(f"Bearer {token({'kid': 'k9'})}", scope="orders.read")
    assert len(fetched) == 2


def test_discovery_document_of_another_issuer_is_not_believed(access_tokens: ModuleType, fetched: list[str]):
    impostor = access_tokens.AccessTokens(f"{ISSUER}/", AUDIENCE)
    with pytest.raises(access_tokens.KeysUnavailable):
        impostor.verify(f"Bearer {token()}", scope="orders.read")
