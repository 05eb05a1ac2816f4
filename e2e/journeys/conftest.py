"""A product on this machine, started as `make run` starts it, and browsers that tell what went wrong in them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from e2e.protocol.conftest import ROOT, found_realms, free_port, running

OPERATOR, OPERATOR_PASSWORD = "otto@platform.example", "lantern orbit violet 12"
MAIL_SECONDS = 15
# What the policy blocks is said as an error, so that it is found in whichever page it happens.
TELL_OF_VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", event =>
        console.error(`CSP: ${event.violatedDirective} blocked ${event.blockedURI} in ${event.sourceFile}`));
"""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium that the test command found, without the sandbox that root can't have."""
    found = os.environ.get("REALMKEEP_CHROMIUM")
    return {
        **browser_type_launch_args,
        **({"executable_path": found} if found else {}),
        "args": ["--no-sandbox"],
    }


@dataclass
class Watched:
    """Browsers of several people, and everything that their consoles complained about."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)
    _open: list[BrowserContext] = field(default_factory=list)

    def context(self, **looks: Any) -> BrowserContext:
        """A browser of its own: no cookie is shared with another person's."""
        context = self.browser.new_context(**looks)
        context.set_default_timeout(15_000)
        context.add_init_script(TELL_OF_VIOLATIONS)
        context.on("page", self._listen)
        self._open.append(context)
        return context

    def _listen(self, page: Page) -> None:
        def complain(text: str) -> None:
            self.complaints.append(f"{page.url}: {text}")

        page.on("console", lambda said: complain(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complain(str(error)))

    def close(self) -> None:
        for context in self._open:
            context.close()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """Fails a test in whose pages an error was logged, a script broke or the policy blocked something."""
    watched = Watched(browser)
    yield watched
    watched.close()
    assert watched.complaints == []


@dataclass(frozen=True)
class Product:
    """A running Realmkeep and the machine that it runs on."""

    origin: str
    data: Path
    start: Callable[[list[str], dict[str, str], str], object]
    """Starts a program beside it that ends with it: command, environment, the address at which it answers."""

    def mount(self, slug: str) -> str:
        """A realm's address."""
        return f"{self.origin}/realms/{slug}"

    def link_in_mail(self, to: str) -> str:
        """The link of the newest mail to somebody: the development outbox is where mail goes."""
        deadline = time.monotonic() + MAIL_SECONDS
        while time.monotonic() < deadline:
            for file in sorted(self.data.glob("outbox/*/*.eml"), reverse=True):
                mail = message_from_bytes(file.read_bytes(), policy=policy.default)
                if mail["To"] == to:
                    body = mail.get_body(("plain",))
                    assert body is not None
                    return next(word for word in body.get_content().split() if word.startswith(self.origin))
            time.sleep(0.1)
        raise AssertionError(f"No mail to {to} within {MAIL_SECONDS} seconds.")


def surroundings(**own: str) -> dict[str, str]:
    """The environment without the test run's own settings: what is started is a product, not a part of the test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "REALMKEEP_"))}
    return {**kept, "DJANGO_SETTINGS_MODULE": "config.settings.dev", "DATABASE_URL": "", "REDIS_URL": "", **own}


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """An empty product: the platform's realm with one operator, and nothing else."""
    port = free_port()
    origin = f"http://localhost:{port}"
    data = tmp_path / "data"
    environ = surroundings(
        PORT=str(port), REALMKEEP_DATA=str(data), REALMKEEP_ORIGIN=origin, OPERATOR_PASSWORD=OPERATOR_PASSWORD
    )
    file = tmp_path / "platform.yaml"
    file.write_text(json.dumps(PLATFORM))  # JSON is YAML
    found_realms(data, [file], environ)
    web = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), "config.asgi:application"]
    with ExitStack() as stack:
        stack.enter_context(worker(environ, tmp_path / "worker.log"))
        stack.enter_context(running(web, environ, f"{origin}/healthz", tmp_path / "server.log"))

        def start(command: list[str], own: dict[str, str], ready_url: str) -> None:
            stack.enter_context(running(command, surroundings() | own, ready_url, tmp_path / "program.log"))

        yield Product(origin, data, start)
    # A traceback in a log is a failure that the pages kept to themselves.
    for log in ("server.log", "worker.log"):
        assert "Traceback" not in (text := (tmp_path / log).read_text()), text[-4000:]


@contextmanager
def worker(environ: dict[str, str], log: Path) -> Iterator[None]:
    """The worker, which sends the mail and looks for trouble."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_worker"], cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(15)


PLATFORM = {
    "version": 1,
    "realm": {"slug": "platform", "name": "Platform", "settings": {"sign_up_open": False}},
    "users": [
        {
            "key": "otto",
            "email": OPERATOR,
            "name": "Otto Operator",
            "email_verified": True,
            "password": {"env": "OPERATOR_PASSWORD"},
            "console_roles": ["Owner"],
        }
    ],
}
