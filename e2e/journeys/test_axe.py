"""The console's pages are accessible (WCAG 2.2 A and AA), fit a phone, and say nothing in the browser's console."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page

from e2e.journeys.conftest import Watched
from e2e.screenshots import PASSWORD_LINE, demo_server, sign_in

pytestmark = pytest.mark.browser

OWNER = "nadia.okafor@acme.example"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
LISTS = ["", "users", "roles", "applications", "sessions", "consents", "audit", "alerts", "settings", "keys", "outbox"]
FORMS = ["applications/new", "users/invite", "users/new"]
DETAILS = {
    "users": "/users/usr_",
    "roles": "/roles/rol_",
    "applications": "/applications/app_",
    "sessions": "/sessions/ses_",
    "consents": "/consents/",
}
LOOKS = {
    "a desk, light": {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
    "a desk, dark": {"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}},
    "a phone, light": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
