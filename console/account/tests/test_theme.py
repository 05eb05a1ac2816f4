"""A realm's colors on the account pages: readable whatever the realm chose."""

import re

import pytest

from console.account.theme import account_stylesheet
from console.shell.colors import contrast
from identity.sessions.testing import RealmClient

BRANDS = ["#0f6d7d", "#ffd400", "#ffffff", "#000000", "#1a237e", "#ff6600", "#107d10", "#c0392b", "#7f7f7f", "#00ffcc"]
LIGHT_SURFACES = ("#ffffff", "#f7f5f2", "#faf8f6")
DARK_SURFACES = ("#1f1d1a", "#161412", "#272421")


def tokens(css):
    """The custom properties of the light and of the dark theme."""
    light, dark = css.split("@media")
    return dict(re.findall(r"(--[\w-]+):(#\w+)", light)), dict(re.findall(r"(--[\w-]+):(#\w+)", dark))


@pytest.mark.parametrize("brand", BRANDS)
def test_text_in_the_accent_is_readable_on_every_surface(brand):
    light, dark = tokens(account_stylesheet(brand))
    for theme, surfaces in ((light, LIGHT_SURFACES), (dark, DARK_SURFACES)):
        for surface in (*surfaces, theme["--rk-accent-soft"]):
            assert contrast(theme["--rk-accent-ink"], surface) >= 4.5
        assert contrast(theme["--rk-on-accent"], theme["--rk-accent"]) >= 4.5
        assert contrast(theme["--rk-on-accent"], theme["--rk-accent-hover"]) >= 4.5


@pytest.mark.parametrize("brand", BRANDS)
def test_the_mark_keeps_the_brand_and_its_letter_is_readable(brand):
    light, _dark = tokens(account_stylesheet(brand))
    assert light["--realm-accent"] == brand
    assert contrast(light["--realm-on-accent"], brand) >= 4.5


def test_what_is_no_color_gives_the_default():
    assert account_stylesheet("red;}body{display:none") == account_stylesheet(None)


def test_each_realm_has_its_own_stylesheet_for_anybody(realm_a, realm_b):
    realm_a.branding = {"accent": "#ff6600"}
    realm_a.save(update_fields=["branding"])
    answers = [RealmClient(realm).get("/theme.css") for realm in (realm_a, realm_b)]
    assert all(answer["Content-Type"] == "text/css; charset=utf-8" for answer in answers)
    assert "#ff6600" in answers[0].content.decode()
    assert "#ff6600" not in answers[1].content.decode()
    again = RealmClient(realm_a).get("/theme.css", HTTP_IF_NONE_MATCH=answers[0]["ETag"])
    assert again.status_code == 304
