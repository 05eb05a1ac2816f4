"""The console's pages are accessible (WCAG 2.2 A and AA), fit a phone, and log nothing in the browser's console."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from conftest import copy_tables
from console.testing import DARK_DESK, DESK, PHONE, problems
from e2e.journeys.conftest import Watched
from e2e.screenshots import PASSWORD_LINE, demo_server, sign_in

pytestmark = pytest.mark.browser

OWNER = "nadia.okafor@acme.example"
PAGES = [
    "",
    "users",
    "users/invite",
    "organizations",
    "organizations/new",
    "roles",
    "roles/new",
    "roles/compare",
    "applications",
    "applications/new",
    "sessions",
    "consents",
    "audit",
    "security",
    "settings",
    "keys",
    "outbox",
    "views",
    "users?status=locked",
]
DETAILS_OF = ["users", "organizations", "roles", "applications", "sessions", "consents"]


@pytest.fixture(scope="module")
def acme() -> Iterator[tuple[str, str]]:
    """The demo realm on a server of its own: its address, and the password of its people."""
    with demo_server(copy_tables) as (origin, said):
        password = PASSWORD_LINE.search(said)
        assert password is not None, said
        yield f"{origin}/realms/acme", password[1]


@pytest.fixture(scope="module")
def cookies(acme: tuple[str, str], browser: Any) -> list[Any]:
    """The owner's session."""
    mount, password = acme
    context = browser.new_context()
    sign_in(context.new_page(), mount, OWNER, password)
    cookies = context.cookies()
    context.close()
    return cookies


def addresses(page: Page, console: str) -> Iterator[str]:
    """The pages, and the first detail page that each list leads to."""
    for name in PAGES:
        yield f"{console}/{name}"
    for name in DETAILS_OF:
        page.goto(f"{console}/{name}")
        row = page.locator("main [data-row]").first
        yield row.evaluate("link => link.href")


def test_pages_of_the_console_are_accessible_and_fit(
    acme: tuple[str, str], cookies: list[Any], watched: Watched
) -> None:
    context = watched.context()
    context.add_cookies(cookies)
    # One page for all: of two, the browser draws the one behind once a second.
    page = context.new_page()
    found = {}
    for address in list(addresses(page, f"{acme[0]}/console")):
        response = page.goto(address)
        assert response is not None
        assert response.status == 200, address
        found[address] = problems(page, (DESK, DARK_DESK, PHONE))
    assert not any(found.values()), {address: said for address, said in found.items() if said}
