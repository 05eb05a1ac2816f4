"""openid-client, the reference among JavaScript clients, completes every step against a live server, in both realms."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.protocol.browser import Browser
from e2e.protocol.realms import EMAIL, REDIRECT_URI, SCOPE, SECRETS, RealmUnderTest

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "js"


@pytest.fixture(scope="session")
def node() -> str:
    """Node of the environment, with the program's packages in place."""
    subprocess.run([ROOT / "bin" / "js-deps", "e2e/protocol/js"], check=True)
    return str(Path(sys.executable).with_name("node"))


@pytest.fixture
def program(node: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [node, "relying_party.mjs"],
        cwd=FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def test_openid_client_completes_every_step(program: subprocess.Popen[str], realm: RealmUnderTest, ada: Browser):
    send(
        program,
        web={
            "issuer": realm.issuer,
            "client_id": "web",
            "client_secret": SECRETS["WEB_SECRET"],
            "redirect_uri": REDIRECT_URI,
            "scope": SCOPE,
        },
        service={
            "issuer": realm.issuer,
            "client_id": "service",
            "client_secret": SECRETS["SERVICE_SECRET"],
            "scope": "orders.read",
        },
    )
    while "authorize" in (message := receive(program)):
        send(program, callback=ada.visit(message["authorize"], until=REDIRECT_URI))

    subject = message["claims"]["sub"]
    assert message["issuer"] == realm.issuer
    assert message["claims"]["aud"] in ("web", ["web"])
    assert message["userinfo"]["sub"] == subject
    assert message["userinfo"]["email"] == EMAIL
    assert message["userinfo"]["name"] == f"Ada of {realm.slug}"
    assert message["refreshed"] == {"rotated": True, "sub": subject}
    assert message["introspection"]["active"] is True
    assert message["introspection"]["sub"] == subject
    assert message["after_revocation"] == {"refresh": "invalid_grant", "access": {"active": False}}
    assert message["code_replay"] == "invalid_grant"
    assert message["machine"] == {"scope": "orders.read", "has_refresh_token": False}
    assert message["sign_out"].startswith(f"{realm.issuer}/oauth/logout?")


def send(program: subprocess.Popen[str], **message: Any) -> None:
    assert program.stdin
    program.stdin.write(json.dumps(message) + "\n")
    program.stdin.flush()


def receive(program: subprocess.Popen[str]) -> dict[str, Any]:
    assert program.stdout
    assert program.stderr
    line = program.stdout.readline()
    assert line, program.stderr.read()
    return json.loads(line)
