"""Unfold's files that ours shadow, as they were when ours were made.

After an upgrade of Unfold: compare, mend ours, renew the checksums.
"""

import hashlib
from pathlib import Path

import pytest
import unfold
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import get_template

UNFOLD = Path(unfold.__file__).parent

SHADOWS = {
    "templates/admin/base.html": "7428a8411d69ed81",
    "templates/admin/base_site.html": "50eb1e71a0b2729c",
    "templates/admin/change_form.html": "3fc6d1194eda5f6c",
    "templates/unfold/helpers/change_list_filter_button.html": "f5492043bcfa9373",
    "templates/unfold/helpers/empty_results.html": "830db82d60f52b85",
    "templates/unfold/layouts/base_simple.html": "f90e61e284c309cd",
    "templates/unfold/layouts/skeleton.html": "062bb8d9caf56385",
    "static/unfold/js/alpine/alpine.js": "04656d770039b55a",
    "static/unfold/js/htmx/htmx.js": "69caefd0da922690",
}


def ours() -> set[str]:
    roots = (settings.BASE_DIR / "templates", settings.BASE_DIR / "static")
    files = (path for root in roots for path in root.rglob("*") if path.is_file())
    names = {path.relative_to(settings.BASE_DIR).as_posix() for path in files}
    return {name for name in names if (UNFOLD / name).exists()}


def test_every_file_of_unfold_that_we_shadow_is_listed():
    assert ours() == set(SHADOWS)


@pytest.mark.parametrize("name", SHADOWS)
def test_unfold_still_ships_what_our_shadow_was_made_from(name):
    assert hashlib.sha256((UNFOLD / name).read_bytes()).hexdigest()[:16] == SHADOWS[name]


@pytest.mark.parametrize("name", SHADOWS)
def test_ours_is_the_one_that_is_found(name):
    kind, _, rest = name.partition("/")
    found = get_template(rest).origin.name if kind == "templates" else finders.find(rest)
    assert Path(found).is_relative_to(settings.BASE_DIR)
