"""Translations: extracts what the sources say into locale/*/…/django.po, compiles django.mo and checks both.

Only the extraction needs GNU gettext. Compiled catalogs are written here and not by msgfmt, so that every machine makes
the same bytes of them and the check needs no other program.

    bin/catalogs.py --extract | --compile | --check | --coverage
"""

import os
import re
import shutil
import struct
import sys
import tempfile
from ast import literal_eval
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.core.management import call_command
from django.core.management.commands import makemessages

ROOT = Path(__file__).resolve().parent.parent
CATALOGS = "*/LC_MESSAGES/django.po"
SOURCES = ("config", "console", "identity", "templates")
NOT_SHOWN = ("tests", "migrations", "conftest.py", "testing.py", "testing", "snippets")
SKIPPED = 77  # what bin/lint takes for "skipped"
WHOLE = 0.95  # a language is offered whole: half a page in German helps nobody


@dataclass
class Entry:
    """One message of a catalog: its texts (one, or one for each plural form) and its translations."""

    context: str | None = None
    texts: list[str] = field(default_factory=list)
    translations: list[str] = field(default_factory=list)
    is_fuzzy: bool = False

    @property
    def key(self) -> tuple[str | None, str]:
        return self.context, self.texts[0]

    @property
    def is_translated(self) -> bool:
        return bool(self.translations) and all(self.translations)


KEYWORD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d\])?) (".*")$')


def parse(text: str) -> list[Entry]:
    """The entries of a .po file; the first one is its header."""
    entries: list[Entry] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        entry, last = Entry(), ""
        values: dict[str, str] = {}
        for line in block.splitlines():
            if line.startswith("#,") and "fuzzy" in line:
                entry.is_fuzzy = True
            elif match := KEYWORD.match(line):
                last = match[1]
                values[last] = literal_eval(match[2])
            elif line.startswith('"'):
                values[last] += literal_eval(line)
            elif not line.startswith("#"):
                raise SystemExit(f"Not a line of a catalog: {line}")
        if "msgid" in values:
            entry.context = values.get("msgctxt")
            entry.texts = [values[name] for name in ("msgid", "msgid_plural") if name in values]
            entry.translations = [value for name, value in values.items() if name.startswith("msgstr")]
            entries.append(entry)
    return entries


def compiled(entries: list[Entry]) -> bytes:
    """The catalog as gettext reads it: translated entries, sorted, without the hash table that Python ignores."""
    pairs = []
    for entry in entries:
        if entry.is_translated and (not entry.is_fuzzy or not entry.texts[0]):
            key = "\0".join(entry.texts)
            key = key if entry.context is None else f"{entry.context}\x04{key}"
            pairs.append((key.encode(), "\0".join(entry.translations).encode()))
    pairs.sort()
    start = 28 + 16 * len(pairs)
    keys, values = b"\0".join(key for key, _ in pairs) + b"\0", b"\0".join(value for _, value in pairs) + b"\0"
    tables = [b"", b""]
    for which, offset in ((0, start), (1, start + len(keys))):
        for pair in pairs:
            tables[which] += struct.pack("<II", len(pair[which]), offset)
            offset += len(pair[which]) + 1
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, start)
    return head + tables[0] + tables[1] + keys + values


PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w*\}|%%|%[sd]|</?[a-z]+")


def _placeholders(text: str) -> Counter[str]:
    return Counter(PLACEHOLDER.findall(text))


def wrong_placeholders(entry: Entry) -> bool:
    """Would a translation lose a value or ask for one that nobody gives? A singular may say its number in words."""
    most = _placeholders(entry.texts[-1])
    for form, translation in enumerate(entry.translations):
        found = _placeholders(translation)
        if len(entry.texts) == 2 and form == 0:
            if not set(_placeholders(entry.texts[0])) - {"%(n)s", "%(count)s"} <= set(found) <= set(most):
                return True
        elif set(found) != set(most) or (found["%s"], found["%d"]) != (most["%s"], most["%d"]):
            return True
    return False


def problems(catalog: Path) -> Iterator[str]:
    """What must not be committed."""
    entries = parse(catalog.read_text())
    binary = catalog.with_suffix(".mo")
    if not binary.exists() or binary.read_bytes() != compiled(entries):
        yield "django.mo does not correspond to django.po: run `make messages`"
    for entry in entries[1:]:
        if entry.is_fuzzy:
            yield f"fuzzy: {entry.texts[0]!r}"
        if entry.is_translated and wrong_placeholders(entry):
            yield f"other placeholders or tags than the original's: {entry.texts[-1]!r}"


class Extraction(makemessages.Command):
    """Django's command; it does not guess translations from similar texts, and its lines do not move when code does."""

    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]


def extract(into: Path) -> None:
    """Catalogs as the sources want them, in the folder `into`.

    Done in a copy: the command writes helper files beside the templates, where other programs would meet them.
    """
    # Settings would name the real locale/ as the place to write to.
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    with tempfile.TemporaryDirectory() as folder:
        for name in SOURCES:
            shutil.copytree(ROOT / name, Path(folder, name), ignore=shutil.ignore_patterns(*NOT_SHOWN, "__pycache__"))
        shutil.copytree(ROOT / "locale", Path(folder, "locale"))
        before = os.getcwd()
        os.chdir(folder)
        try:
            call_command(
                Extraction(), all=True, no_obsolete=True, add_location="file", no_wrap=True, extensions=["html,txt,py"],
                verbosity=0,
            )  # fmt: skip
        finally:
            os.chdir(before)
        for catalog in sorted(Path(folder, "locale").glob(CATALOGS)):
            target = into / catalog.relative_to(Path(folder, "locale"))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_head_kept(catalog.read_text(), catalog.parts[-3]))


def _head_kept(text: str, locale: str) -> str:
    """The same head at each extraction: no dates, which differ at every run and tell nothing."""
    _, _, body = text.partition("\n\n")
    plural = re.search(r'^"Plural-Forms: .*$', text, re.MULTILINE)
    lines = [
        f"# Realmkeep, {locale}. `make messages` brings it up to date; see bin/messages.",
        'msgid ""',
        'msgstr ""',
        f'"Language: {locale}\\n"',
        '"MIME-Version: 1.0\\n"',
        '"Content-Type: text/plain; charset=UTF-8\\n"',
        '"Content-Transfer-Encoding: 8bit\\n"',
        *([plural[0]] if plural else []),
    ]
    return "\n".join(lines) + "\n\n" + body


def _catalogs() -> list[Path]:
    return sorted((ROOT / "locale").glob(CATALOGS))


def _compile() -> int:
    for catalog in _catalogs():
        entries = parse(catalog.read_text())
        catalog.with_suffix(".mo").write_bytes(compiled(entries))
        missing = sum(not entry.is_translated for entry in entries[1:])
        print(f"{catalog.parts[-3]}: {len(entries) - 1} messages, {missing} to be translated")
    return 0


def _check() -> int:
    found = [f"{catalog.relative_to(ROOT)}: {problem}" for catalog in _catalogs() for problem in problems(catalog)]
    print("\n".join(found))
    return 1 if found else 0


def _has_gettext() -> bool:
    return all(shutil.which(program) for program in ("xgettext", "msguniq", "msgmerge", "msgattrib"))


def _coverage() -> int:
    """How much of what the sources say now each catalog translates."""
    if not _has_gettext():
        print("EXTRACTION SKIPPED, coverage is unknown: GNU gettext is not installed")
        return SKIPPED
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        extract(Path(folder))
        for catalog in sorted(Path(folder).glob(CATALOGS)):
            entries = parse(catalog.read_text())[1:]
            missing = [entry for entry in entries if not entry.is_translated]
            share = 1 - len(missing) / max(len(entries), 1)
            print(f"{catalog.parts[-3]}: {share:.1%} of {len(entries)} messages")
            if share < WHOLE:
                status = 1
                print(f"Less than {WHOLE:.0%}: run `make messages` and translate what is new, such as")
                print("\n".join(f"  {entry.texts[0]!r}" for entry in missing[:20]))
    return status


def main(task: str) -> int:
    """Do one of the four tasks; the program's exit status."""
    if task == "--extract":
        if not _has_gettext():
            print("GNU gettext is not installed: `apt install gettext`, `brew install gettext`.", file=sys.stderr)
            return 1
        extract(ROOT / "locale")
        return _compile()
    tasks = {"--compile": _compile, "--check": _check, "--coverage": _coverage}
    if task not in tasks:
        print(__doc__, file=sys.stderr)
        return 2
    return tasks[task]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
