"""What holds for every template of the console: nothing inline, every icon there, every partial says what it takes."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import TemplateSyntaxError
from django.template.loader import get_template

from console.templatetags.rk import ICONS, icon

ROOT = settings.BASE_DIR / "templates"
TEMPLATES = sorted(path for folder in ("rk", "console", "unfold", "admin") for path in (ROOT / folder).rglob("*.html"))
OURS = [path for path in TEMPLATES if path.relative_to(ROOT).parts[0] in ("rk", "console")]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_it_compiles(path):
    get_template(name_of(path))


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_nothing_is_inline_that_the_policy_refuses(path):
    text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.DOTALL)
    assert not re.search(r"<style\b", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"javascript:", text)
    assert not [tag for tag in re.findall(r"<script\b[^>]*>", text) if "src=" not in tag]


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_every_icon_that_is_named_exists(path):
    used = re.findall(r'{% icon "(\w+)"', path.read_text())
    assert set(used) <= set(ICONS)


def test_an_icon_that_is_missing_is_an_error():
    with pytest.raises(TemplateSyntaxError, match=r"icons\.txt"):
        icon("no_such_icon")


@pytest.mark.parametrize("path", sorted((ROOT / "rk").rglob("*.html")), ids=name_of)
def test_a_partial_passes_nothing_on_that_needs_evaluation(path):
    text = path.read_text()
    assert "hx-on" not in text
    assert "hx-vals='js:" not in text


def test_every_gap_that_templates_name_is_one_of_the_styles():
    """A class that no style knows is no error anywhere: the button just sticks to the text above it."""
    styles = (settings.BASE_DIR / "frontend/src/css/base.css").read_text()
    known = set(re.findall(r"\.(g\d+) {", styles))
    named = re.compile(r'class="[^"]*(?:stack|row)(?: wrap)? (g[0-9]+)')
    used = {gap for path in TEMPLATES for gap in named.findall(path.read_text())}
    assert used <= known, used - known
