"""The console's pages are accessible (WCAG 2.2 A and AA), fit a phone, and log nothing in the browser's console."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from e2e.journeys.conftest import Watched
from e2e.screenshots import PASSWORD_LINE, demo_server, sign_in

pytestmark = pytest.mark.browser

OWNER = "nadia.okafor@acme.example"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
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
LOOKS = {
    "a desk, light": {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
    "a desk, dark": {"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}},
    "a phone, light": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}


@pytest.fixture(scope="module")
def acme() -> Iterator[tuple[str, str]]:
    """The demo realm on a server of its own: its address, and the password of its people."""
    with demo_server() as (origin, said):
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


def problems(page: Page) -> list[str]:
    """What axe finds, and whether the page is wider than the window."""
    # Through the debugger's own door, which no policy closes: pages are seen with the policy that people get.
    page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": RULES}}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    out = [f"{rule['id']}: {node['html'][:140]}" for rule in found for node in rule["nodes"][:3]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        out.append("wider than the window")
    return out


def addresses(page: Page, console: str) -> Iterator[str]:
    """The pages, and the first detail page that each list leads to."""
    for name in PAGES:
        yield f"{console}/{name}"
    for name in DETAILS_OF:
        page.goto(f"{console}/{name}")
        row = page.locator("main [data-row]").first
        yield row.evaluate("link => link.href")


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_pages_of_the_console_are_accessible_and_fit(
    acme: tuple[str, str], cookies: list[Any], watched: Watched, look: dict[str, Any]
) -> None:
    context = watched.context(**look, reduced_motion="reduce")
    context.add_cookies(cookies)
    page = context.new_page()
    found = {}
    for address in addresses(context.new_page(), f"{acme[0]}/console"):
        response = page.goto(address)
        assert response is not None
        assert response.status == 200, address
        found[address] = problems(page)
    assert not any(found.values()), {address: said for address, said in found.items() if said}
