"""What browser tests look at on a page: accessible, and no wider than the window, in each look that people choose."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from playwright.sync_api import Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
LOOK_RULES = ["color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block"]
"""What another theme and width can break; the rest is asked in the first look alone."""


@dataclass(frozen=True)
class Look:
    """A theme and a window."""

    name: str
    theme: Literal["light", "dark"]
    width: int
    height: int


DESK = Look("a desk, light", "light", 1440, 900)
DARK_DESK = Look("a desk, dark", "dark", 1440, 900)
PHONE = Look("a phone, light", "light", 390, 844)
DARK_PHONE = Look("a phone, dark", "dark", 390, 844)


def problems(page: Page, looks: Iterable[Look] = (DESK, DARK_PHONE)) -> list[str]:
    """What axe finds, and whether the page is wider than the window. The page is loaded once and seen in every look."""
    # Through the debugger's own door, which no policy closes: pages are seen with the policy that people get.
    page.evaluate(AXE)
    out = []
    for number, look in enumerate(looks):
        page.emulate_media(color_scheme=look.theme, reduced_motion="reduce")
        page.set_viewport_size({"width": look.width, "height": look.height})
        # Two frames: what follows the theme and the width by script has drawn itself, too.
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        options = {"resultTypes": ["violations"], "runOnly": LOOK_RULES if number else RULES}
        found = page.evaluate("options => axe.run(document, options).then(all => all.violations)", options)
        out += [f"{look.name}: {rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            out.append(f"{look.name}: wider than the window")
    return out
