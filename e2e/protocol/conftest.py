"""A real server with two realms, for tests that meet it only through its protocol."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from conftest import copy_tables
from e2e.protocol.browser import Browser
from e2e.protocol.realms import EMAIL, PASSWORD, SECRETS, RealmUnderTest, realm_file

ROOT = Path(__file__).parents[2]
START_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command: list[str], environ: dict[str, str], ready_url: str, log: Path) -> Iterator[None]:
    """Run a program until the block ends, which begins when the program answers."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(ready_url):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[-1]} did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(15)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code < 500
    except httpx.TransportError:
        return False


@pytest.fixture(scope="session")
def storefront_url() -> str:
    """Where the sample client will be: the realms must know it before it runs."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory, storefront_url: str) -> Iterator[str]:
    """A live server on an embedded database of its own, with the realms a and b."""
    folder = tmp_path_factory.mktemp("live")
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    # Nothing of the run's own settings: the server under test is a product, started as `make run` starts it.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "REALMKEEP_"))}
    environ = {
        **kept,
        **SECRETS,
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "PORT": str(port),
        "REALMKEEP_DATA": str(folder / "data"),
        "REALMKEEP_ORIGIN": origin,
    }
    files = {slug: folder / f"{slug}.yaml" for slug in ("a", "b")}
    for slug, file in files.items():
        file.write_text(json.dumps(realm_file(slug, storefront_url)))  # JSON is YAML
    found_realms(folder / "data", files.values(), environ)
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "config.asgi:application"]
    with running(command, environ, f"{origin}/healthz", folder / "server.log"):
        yield origin


def found_realms(data: Path, files: Iterable[Path], environ: dict[str, str]) -> None:
    """A product's tables and realms. One process does it all: to load the product takes longer than each part."""
    commands = [["realm", "apply", str(file)] for file in files]
    if not copy_tables(data / "realmkeep.sqlite3"):
        commands.insert(0, ["migrate", "--verbosity", "0"])
    script = (
        "import json, sys, django; from django.core.management import call_command; django.setup();"
        "[call_command(*each) for each in json.loads(sys.argv[1])]"
    )
    command = [sys.executable, "-c", script, json.dumps(commands)]
    result = subprocess.run(command, cwd=ROOT, env=environ, check=False, capture_output=True, text=True)
    assert result.returncode == 0, f"{commands}: {result.stdout[-1000:]}{result.stderr[-3000:]}"


@pytest.fixture(scope="session")
def realm_a(origin: str) -> RealmUnderTest:
    return RealmUnderTest("a", origin)


@pytest.fixture(scope="session")
def realm_b(origin: str) -> RealmUnderTest:
    return RealmUnderTest("b", origin)


@pytest.fixture(params=["a", "b"])
def realm(request: pytest.FixtureRequest, origin: str) -> RealmUnderTest:
    """Each of the two in turn."""
    return RealmUnderTest(request.param, origin)


@pytest.fixture
def ada() -> Iterator[Browser]:
    """Ada's browser; she has an account with the same address and password in both realms."""
    ada = Browser(EMAIL, PASSWORD)
    with ada.http:
        yield ada


@pytest.fixture(scope="session")
def run_program() -> Callable[..., object]:
    """Start a program beside the server."""
    return running
