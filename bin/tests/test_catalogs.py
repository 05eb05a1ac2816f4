"""The tool of the translations, and the catalogs that are committed."""

import ast
import gettext
import io
import re
import shutil
from pathlib import Path

import pytest

from bin import catalogs

ROOT = Path(__file__).resolve().parents[2]

SAMPLE = r"""
msgid ""
msgstr ""
"Language: de\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

#: console/rows.py
msgid "Sign in"
msgstr "Anmelden"

msgctxt "in a sentence"
msgid "today"
msgstr "heute"

#, python-format
msgid "%(n)s key"
msgid_plural "%(n)s keys"
msgstr[0] "%(n)s Schlüssel"
msgstr[1] "%(n)s "
"Schlüssel „\"“"

#, fuzzy
msgid "Guessed"
msgstr "Geraten"

msgid "Later"
msgstr ""
"""


def entry(texts, translations):
    return catalogs.Entry(texts=texts, translations=translations)


def test_a_compiled_catalog_is_what_gettext_reads():
    words = gettext.GNUTranslations(io.BytesIO(catalogs.compiled(catalogs.parse(SAMPLE))))
    assert words.gettext("Sign in") == "Anmelden"
    assert words.pgettext("in a sentence", "today") == "heute"
    assert words.gettext("today") == "today"
    assert words.ngettext("%(n)s key", "%(n)s keys", 1) == "%(n)s Schlüssel"
    assert words.ngettext("%(n)s key", "%(n)s keys", 2) == '%(n)s Schlüssel „"“'
    assert words.gettext("Guessed") == "Guessed"
    assert words.gettext("Later") == "Later"


def test_compiling_twice_gives_the_same_bytes():
    backwards = [*catalogs.parse(SAMPLE)[::-1]]
    assert catalogs.compiled(backwards) == catalogs.compiled(catalogs.parse(SAMPLE))


@pytest.mark.parametrize(
    ("texts", "translations"),
    [
        (["%(name)s is saved."], ["%(nme)s ist gespeichert."]),
        (["%(name)s is saved."], ["Gespeichert."]),
        (["Saved."], ["{name} gespeichert."]),
        (["{n} new"], ["{m} neue"]),
        (["%s of %s"], ["%s"]),
        (["<strong>You</strong> visit"], ["Sie besuchen"]),
        (["%(n)s key of %(who)s", "%(n)s keys of %(who)s"], ["Ein Schlüssel", "%(n)s Schlüssel von %(who)s"]),
        (["%(n)s key", "%(n)s keys"], ["%(n)s Schlüssel", "Schlüssel"]),
    ],
)
def test_a_lost_or_invented_placeholder_is_found(texts, translations):
    assert catalogs.wrong_placeholders(entry(texts, translations))


@pytest.mark.parametrize(
    ("texts", "translations"),
    [
        (["%(name)s is saved."], ["%(name)s ist gespeichert."]),
        (["%(a)s of %(b)s"], ["von %(b)s %(a)s"]),
        (["%(n)s key", "%(n)s keys"], ["Ein Schlüssel", "%(n)s Schlüssel"]),
        (["One key", "%(n)s keys"], ["Ein Schlüssel", "%(n)s Schlüssel"]),
    ],
)
def test_order_and_a_number_in_words_are_free(texts, translations):
    assert not catalogs.wrong_placeholders(entry(texts, translations))


def test_an_old_binary_and_a_fuzzy_entry_are_found(tmp_path):
    catalog = tmp_path / "django.po"
    catalog.write_text(SAMPLE)
    assert "does not correspond" in "\n".join(catalogs.problems(catalog))
    catalog.with_suffix(".mo").write_bytes(catalogs.compiled(catalogs.parse(SAMPLE)))
    assert list(catalogs.problems(catalog)) == ["fuzzy: 'Guessed'"]


def test_coverage_without_gettext_says_loudly_that_it_is_skipped(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert catalogs.main("--coverage") == 77
    assert "EXTRACTION SKIPPED" in capsys.readouterr().out


@pytest.mark.parametrize(
    "catalog", sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po")), ids=lambda path: path.parts[-3]
)
def test_the_committed_catalogs_are_sound(catalog):
    assert list(catalogs.problems(catalog)) == []
    assert not re.search(r"POT-Creation-Date|^#: \S+:\d", catalog.read_text(), re.MULTILINE)


def test_there_is_no_second_domain_for_scripts():
    assert not list((ROOT / "locale").glob("*/LC_MESSAGES/djangojs.*"))
    scripts = [*ROOT.glob("frontend/src/**/*.[jt]s"), *ROOT.glob("frontend/account/*.js")]
    assert scripts
    assert not [path for path in scripts if re.search(r"\bn?gettext\(", path.read_text())]


def _calls_in_f_strings(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            calls = [
                inner.func.id for inner in ast.walk(node) if isinstance(inner, ast.Call) and hasattr(inner.func, "id")
            ]
            if {"_", "gettext", "ngettext", "pgettext"} & set(calls):
                yield f"{path.relative_to(ROOT)}:{node.lineno}"


def test_no_text_is_marked_inside_an_f_string_where_gettext_does_not_look():
    sources = [path for name in catalogs.SOURCES for path in (ROOT / name).rglob("*.py")]
    assert [place for path in sources for place in _calls_in_f_strings(path)] == []
