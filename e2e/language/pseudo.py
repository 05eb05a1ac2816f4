"""A language in which every marked text is recognized: its letters are replaced by their full-width twins.

Letters and not brackets around a text: sentences are cut into pieces by links and names, and each piece must show it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from unittest.mock import patch

from django.utils import translation

KEPT = re.compile(r"(%\(\w+\)[a-z]|%%|%[sd]|%?\{\w*\}|<[^>]+>|&\w+;)")
PATTERNS = {"date", "ticks of a chart", "moment in a chart"}
"""Contexts whose texts are patterns for days and times, not words."""

FULL_WIDTH = {code: code + 0xFEE0 for code in [*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1)]}


def pseudo(text: str) -> str:
    """The text in the pseudo language; placeholders and tags stay."""
    pieces = KEPT.split(str(text))
    return "".join(piece if KEPT.fullmatch(piece) else piece.translate(FULL_WIDTH) for piece in pieces)


@contextmanager
def pseudo_language() -> Iterator[None]:
    """Everything that goes through gettext speaks it, templates and lazy texts too."""

    def in_context(context: str, text: str) -> str:
        return text if context in PATTERNS else pseudo(text)

    words = {
        "gettext": pseudo,
        "ngettext": lambda one, many, number: pseudo(one if number == 1 else many),
        "pgettext": in_context,
        "npgettext": lambda context, one, many, number: in_context(context, one if number == 1 else many),
    }
    translation.get_language()  # the real functions are looked up once, then replaced
    with patch.multiple(translation._trans, **words, create=True):
        yield


SPOKEN = {"aria-label", "title", "placeholder", "alt", "aria-description", "aria-roledescription", "label"}
SILENT = {"script", "style", "svg", "code", "pre", "kbd", "bdi"}
QUIET_CLASSES = {"mono", "ava", "mark", "material-symbols-outlined"}
"""Code, initials of a name, and the names of Unfold's icons, which a font draws as pictures."""

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Texts(HTMLParser):
    """What a page says: text nodes and spoken attributes. What is code or somebody's name says so by its element."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        quiet = bool(
            (bool(self.open) and self.open[-1][1])
            or tag in SILENT
            or QUIET_CLASSES & set(values.get("class", "").split())
            or (tag != "html" and "lang" in values)
            or (tag == "select" and values.get("name", "").endswith(("time_zone", "language")))
        )
        if not quiet:
            self.found += [value for name, value in values.items() if name in SPOKEN]
            if tag == "input" and values.get("type") in {"submit", "button", "reset"}:
                self.found.append(values.get("value", ""))
            if values.get("id") == "words":
                self.found += [value for name, value in values.items() if name.startswith("data-")]
        if tag not in VOID:
            self.open.append((tag, quiet))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, -1, -1):
            if self.open[depth][0] == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        if data.strip() and not (self.open and self.open[-1][1]):
            self.found.append(" ".join(data.split()))


def texts_of(html: str) -> list[str]:
    """Everything that a reader of the page sees or hears."""
    parser = Texts()
    parser.feed(html)
    return parser.found
