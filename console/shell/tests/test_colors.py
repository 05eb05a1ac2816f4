"""Brand colors: readable in both themes, never another hue."""

import math
import re
from pathlib import Path

import pytest
from django.conf import settings

from console.shell.colors import (
    DARK_ON_ACCENT,
    DARK_SURFACE,
    WHITE,
    _to_oklch,
    accent_of,
    contrast,
    is_hex,
    stylesheet,
)
from identity.realms.rules import DEFAULT_ACCENT

BRANDS = [
    "#006a87", "#0ea5e9", "#ffeb3b", "#00ff00", "#ff0000", "#0000ff", "#111111", "#fafafa", "#7f7f7f", "#e91e63",
    "#ff9800", "#4a148c", "#c0ffee",
]  # fmt: skip


@pytest.mark.parametrize("brand", BRANDS)
def test_text_on_the_accent_is_readable_in_both_themes(brand):
    accent = accent_of(brand)
    assert contrast(WHITE, accent.light) >= 4.5
    assert contrast(DARK_ON_ACCENT, accent.dark) >= 4.5


@pytest.mark.parametrize("brand", BRANDS)
def test_the_accent_is_readable_as_text(brand):
    accent = accent_of(brand)
    assert contrast(accent.scale[700], WHITE) >= 4.5
    assert contrast(accent.scale[700], accent.scale[50]) >= 4.5, "the open area in the sidebar"
    assert contrast(accent.scale[300], DARK_SURFACE) >= 4.5
    assert contrast(accent.scale[300], accent.dark_soft) >= 4.5


@pytest.mark.parametrize("brand", [b for b in BRANDS if b not in ("#111111", "#fafafa", "#7f7f7f")])
@pytest.mark.parametrize("step", [300, 400, 500, 600, 700])
def test_the_hue_is_never_changed(brand, step):
    _, _, wanted = _to_oklch(brand)
    _, chroma, hue = _to_oklch(accent_of(brand).scale[step])
    difference = abs((hue - wanted + math.pi) % (2 * math.pi) - math.pi)
    assert chroma < 0.02 or math.degrees(difference) < 9


@pytest.mark.parametrize(
    ("brand", "shifted"), [("#006a87", False), ("#4a148c", False), ("#0ea5e9", True), ("#ffeb3b", True)]
)
def test_a_brand_color_without_contrast_is_shifted_and_says_so(brand, shifted):
    assert accent_of(brand).shifted is shifted


def test_the_default_is_one_and_the_same_for_settings_console_and_account_pages(realm_a, owner_a, client_for):
    """The scripts' and styles' own fallbacks, the settings page and the realm's stylesheet say the same color."""
    tokens = (Path(settings.BASE_DIR) / "frontend/account/tokens.css").read_text()
    assert set(re.findall(r"--(?:realm|rk)-accent: (#[0-9a-f]{6})", tokens)) >= {DEFAULT_ACCENT}
    assert accent_of(None).brand == DEFAULT_ACCENT
    assert not accent_of(DEFAULT_ACCENT).shifted
    client = client_for(realm_a).sign_in(owner_a)
    assert f'value="{DEFAULT_ACCENT}"' in client.get("/console/settings").content.decode()
    assert f"--realm-accent:{DEFAULT_ACCENT}" in client.get("/theme.css").content.decode()
    assert client.get("/console/theme.css").content.decode() == stylesheet(DEFAULT_ACCENT)


def test_the_default_has_contrast_in_both_themes():
    """WCAG 2 AA: 4.5 for text on it and of it, on every surface of either theme."""
    accent = accent_of(DEFAULT_ACCENT)
    assert min(contrast(accent.light, WHITE), contrast(accent.light, "#f5f6f8")) >= 4.5
    assert contrast(accent.dark, DARK_SURFACE) >= 4.5
    assert contrast(accent.dark, DARK_ON_ACCENT) >= 4.5


def test_a_readable_brand_color_stays_as_it_is():
    assert accent_of("#006a87").light == "#006a87"


@pytest.mark.parametrize("bad", ["", None, "red", "#fff", "#12345g", "#006a87;}body{display:none", "url(x)"])
def test_what_is_no_hex_color_never_reaches_the_stylesheet(bad):
    assert accent_of(bad).brand == DEFAULT_ACCENT
    assert stylesheet(bad) == stylesheet(DEFAULT_ACCENT)


def test_only_six_digits_are_a_color():
    assert is_hex("#A1b2C3")
    assert not is_hex("#a1b2c3\n")


def test_black_on_white_is_21():
    assert round(contrast("#000000", "#ffffff"), 2) == 21
