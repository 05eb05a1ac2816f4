"""The house's own rules that no general linter knows, checked on syntax trees and templates.

Each rule is one function below; its docstring is the rule, and bin/tests/test_house_rules.py shows it good and bad
examples. A line may be excused where it stands, with a reason: `# house: HR03 the caller records`.

    bin/house_rules.py [path …]      default: everything that git knows or would add
"""

import ast
import fnmatch
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
Finding = tuple[int, str]
Rule = Callable[["Source"], Iterator[Finding]]

MOST_LINES = 400
RULES: dict[str, Rule] = {}


@dataclass(frozen=True)
class Source:
    """One file: its path from the root, with forward slashes, and its text."""

    path: str
    text: str
    siblings: dict[str, str] = field(default_factory=dict)  # texts of the other modules of a `commands/` folder
    doors: tuple[str, ...] = ()  # the files that may use all_realms

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.path).parts

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @property
    def is_ours(self) -> bool:
        """Server code: not a test, a migration, a tool or a sample."""
        outside = {"tests", "migrations", "conftest.py", "testing", "testing.py"}
        return self.is_python and self.parts[0] in {"identity", "console", "config"} and not outside & set(self.parts)

    def is_in(self, name: str) -> bool:
        """Is it `name.py` of a room, or a module of its folder `name/`?"""
        return self.is_ours and (self.parts[-1] == f"{name}.py" or name in self.parts[:-1])

    def is_excused(self, line: int, rule: str) -> bool:
        text = self.text.splitlines()[line - 1] if line else ""
        return bool(re.search(rf"# house: {rule} \S+ \S+", text))


def rule(code: str) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        RULES[code] = function
        return function

    return register


def _dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or attribute chain; calls and subscripts on the way count as their function or value."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return _dotted(node.func)
    if isinstance(node, ast.Subscript):
        return _dotted(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every imported name in full: `from a.b import c` is a.b.c."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _commands(source: Source) -> Iterator[ast.FunctionDef]:
    """A room's commands: the public functions of commands.py; of a folder, those that its __init__.py hands out."""
    handed_out = {name.rsplit(".", 1)[1] for _, name in _imports(ast.parse(source.siblings.get("__init__.py", "")))}
    is_folder = "__init__.py" in source.siblings
    for node in source.tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        if node.name in handed_out or not is_folder:
            yield node


MANAGERS = {"objects", "all_realms", "_base_manager", "_default_manager"}
WRITES = {"save", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
# What has such a method and is no row
NOT_ROWS = re.compile(r"(^|\.)(cache|caches|storage|session|request\.session|super|messages)$")


@rule("HR01")
def no_rows_in_an_edge(source: Source) -> Iterator[Finding]:
    """A page or a view asks a room's queries and calls its commands; it touches no manager and saves nothing."""
    if not (source.is_in("views") or (source.is_ours and source.parts[0] == "console")):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in MANAGERS:
            yield node.lineno, f".{node.attr} in an edge: fetch through the room's queries.py"
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in WRITES and not NOT_ROWS.search(_dotted(node.func.value)):
            yield node.lineno, f".{node.func.attr}() in an edge: call a command"


@rule("HR02")
def no_drawer_for_everything(source: Source) -> Iterator[Finding]:
    """There is no utils, helpers or services module: a line lives with what it is about."""
    names = {"utils", "helpers", "services", "misc", "common"}
    if source.is_python and names & {PurePosixPath(part).stem for part in source.parts}:
        yield 0, "name the module for what it is about (ARCHITECTURE: every room has the same inside)"


def _calls(function: ast.AST) -> set[str]:
    return {_dotted(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}


def _recording_functions(trees: list[ast.Module], room: str) -> set[str]:
    """Names, among these modules, of the functions that record an event themselves or through one another."""
    recording = {"record", "audit.record", "prepare", "record_refusal"}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith(f"{room}.commands"):
                for alias in node.names:
                    # Another room's command is checked where it stands.
                    if "commands" in node.module.split(".") or alias.name == "commands":
                        recording.add(alias.asname or alias.name)
    functions = [n for tree in trees for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    while True:
        found = {
            f.name for f in functions if any(call in recording or call.split(".")[0] in recording for call in _calls(f))
        }
        if found <= recording:
            return recording
        recording |= found


@rule("HR03")
def a_command_says_what_it_did(source: Source) -> Iterator[Finding]:
    """Each public function of commands.py records an event, itself or through another command."""
    if not source.is_in("commands") or "management" in source.parts:
        return
    room = ".".join(source.parts[:2])
    recording = _recording_functions([source.tree, *(ast.parse(text) for text in source.siblings.values())], room)
    for function in _commands(source):
        if function.name not in recording:
            yield function.lineno, f"{function.name}() records no event: nobody will ever know that it happened"


@rule("HR04")
def a_command_knows_no_request(source: Source) -> Iterator[Finding]:
    """Commands, queries and rules know the actor, never HTTP: they run for pages, APIs, jobs and files alike."""
    if "management" in source.parts or not any(source.is_in(name) for name in ("commands", "queries", "rules")):
        return
    for line, name in _imports(source.tree):
        if name.startswith(("django.http", "django.shortcuts", "django.contrib.messages")):
            yield line, f"{name}: parse the request at the edge, pass values"


@rule("HR05")
def few_doors_out_of_the_realm(source: Source) -> Iterator[Finding]:
    """`all_realms` is used only in the files that pyproject.toml lists under [tool.realmkeep]."""
    if not source.is_ours or any(fnmatch.fnmatch(source.path, door) for door in source.doors):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr == "all_realms":
            yield node.lineno, "all_realms: use the scoped manager, or list this file in pyproject.toml and say why"


IMPURE = ("django.db", "django.conf", "django.utils.timezone", "identity.kernel.clock", "identity.kernel.context")
LAYERS = {"models", "queries", "commands", "reactions", "tasks", "views"}


def _is_vocabulary(name: str) -> bool:
    """Is identity.<room>.models.<name> an enumeration or a constant, and no table?"""
    module, _, last = name.rpartition(".")
    file = ROOT / f"{module.replace('.', '/')}.py"
    if last.isupper():
        return True
    if not file.exists():
        return False
    classes = (n for n in ast.parse(file.read_text()).body if isinstance(n, ast.ClassDef) and n.name == last)
    return any(_dotted(base).endswith(("Choices", "Enum")) for found in classes for base in found.bases)


@rule("HR06")
def rules_are_pure(source: Source) -> Iterator[Finding]:
    """rules.py decides from its arguments: no database, no settings, no clock, no other layer of a room."""
    if not source.is_in("rules"):
        return
    for line, name in _imports(source.tree):
        is_layer = name.startswith("identity.") and LAYERS & set(name.split(".")[2:])
        if name.startswith(IMPURE) or (is_layer and not _is_vocabulary(name)):
            yield line, f"{name} in rules: take the value as an argument"


@rule("HR07")
def a_file_is_readable_in_one_sitting(source: Source) -> Iterator[Finding]:
    """Past 400 lines a module becomes a folder of the same name."""
    lines = source.text.count("\n")
    if source.is_ours and lines > MOST_LINES:
        yield 0, f"{lines} lines, and {MOST_LINES} are the most: make it a folder of the same name"


@rule("HR08")
def a_command_is_called_by_name(source: Source) -> Iterator[Finding]:
    """`verb_noun(actor, *, …)`: after the first argument everything is keyword-only, so a call reads as a sentence."""
    if not source.is_in("commands") or "management" in source.parts:
        return
    for function in _commands(source):
        if len(function.args.posonlyargs) + len(function.args.args) > 1 or function.args.vararg:
            yield function.lineno, f"{function.name}(): make everything after the first argument keyword-only (*)"


@rule("HR09")
def saving_a_person_names_the_fields(source: Source) -> Iterator[Finding]:
    """`user.save(update_fields=…)`: a full save of a stale row undoes a lock or a password change (lost update)."""
    if not source.is_ours:
        return
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.Call) and re.search(r"(^|\.)user\.save$", _dotted(node.func))):
            continue
        if not {"update_fields", "force_insert"} & {k.arg for k in node.keywords}:
            yield node.lineno, "user.save() without update_fields"


@rule("HR10")
def subscriptions_stand_in_one_file(source: Source) -> Iterator[Finding]:
    """Who reacts to what is read in config/wiring.py, and nowhere else."""
    if not source.is_ours or source.path == "config/wiring.py":
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _dotted(node.func).split(".")[-1] in {"subscribe", "add_publisher"}:
            yield node.lineno, "subscribe in config/wiring.py"


@rule("HR11")
def a_room_opens_with_words(source: Source) -> Iterator[Finding]:
    """A room's __init__.py is its docstring: purpose, tables, events said and heard. No code."""
    if len(source.parts) == 3 and source.parts[0] == "identity" and source.parts[2] == "__init__.py":
        if source.parts[1] in {"migrations", "management", "tests"}:
            return
        if ast.get_docstring(source.tree) is None:
            yield 0, "say what the room is about"
        for node in source.tree.body[1:]:
            yield node.lineno, "code in a room's __init__.py: import from the module itself"


# What the strict content security policy would block in the browser, without a word to the tests.
TEMPLATE_FAULTS = {
    r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>": "inline script: the policy blocks it",
    r"<style\b": "inline style element: the policy blocks it",
    r"<[^>]*\son[a-z]+\s*=\s*[\"']": "on…= attribute: the policy blocks it; listen in a script file",
    r"javascript:": "javascript: address: the policy blocks it",
    r"\{\{[^}]*\|\s*safe\b": "|safe: build markup with format_html, or the next edit lets an attacker's through (XSS)",
    r"\{%\s*autoescape\s+off": "autoescape off in a page (XSS)",
}


@rule("HR12")
def pages_obey_the_policy(source: Source) -> Iterator[Finding]:
    """No inline script, style element or handler, and no unescaped value, in a template that a browser gets."""
    if not source.path.endswith(".html") or "email" in source.parts:
        return
    text = re.sub(
        r"\{#.*?#\}|\{%\s*comment.*?endcomment\s*%\}", lambda m: "\n" * m[0].count("\n"), source.text, flags=re.DOTALL
    )
    for pattern, message in TEMPLATE_FAULTS.items():
        for match in re.finditer(pattern, text):
            yield text.count("\n", 0, match.start()) + 1, message


def findings(source: Source) -> Iterator[tuple[str, int, str]]:
    """Every breach in one file as (rule, line, message), without the excused ones."""
    for code, check in RULES.items():
        if not source.is_python and check is not pages_obey_the_policy:
            continue
        for line, message in check(source):
            if not source.is_excused(line, code):
                yield code, line, message


def doors() -> tuple[str, ...]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return tuple(settings["tool"]["realmkeep"]["all_realms"])


def read_source(path: str, open_doors: tuple[str, ...]) -> Source:
    file = ROOT / path
    siblings = {}
    if file.parent.name == "commands":
        siblings = {p.name: p.read_text() for p in file.parent.glob("*.py") if p != file}
    return Source(path, file.read_text(), siblings, open_doors)


def known_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py", "*.html"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for path in listed.stdout.splitlines() if (ROOT / path).is_file()]


def main(arguments: list[str]) -> int:
    open_doors = doors()
    count = 0
    for path in arguments or known_files():
        for code, line, message in findings(read_source(path, open_doors)):
            print(f"{path}:{line or 1}: {code} {message}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
