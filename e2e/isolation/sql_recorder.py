"""Test only: every statement of a request must bind every realm-owned table in it to the request's realm (H8).

A table in a statement is *bound* when, in the AND-terms of WHERE or of a JOIN's ON, its realm_id equals the current
realm, or a foreign key joins it to a bound table, or its key is IN a SELECT that is bound. An OR never binds, and the
ON of an outer join binds only the joined table. The only statement that may name rows by primary key alone is the
deletion collector's, for rows that this request has seen. Library tables without a realm column need a seen owner.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sqlglot
from django.apps import apps
from django.db import connection, models
from django.db.models.signals import post_save
from sqlglot import exp

from identity.kernel.checks import GLOBAL_TABLES
from identity.kernel.context import current_realm_id
from identity.kernel.sql import Columns
from identity.kernel.tenancy import RealmOwned

GLOBAL = GLOBAL_TABLES | {
    "django_content_type",
    "auth_permission",
    "django_migrations",
    "django_tasks_database_dbtaskresult",
}
"""Tables that belong to no realm. Group tables are not listed: asking them fails (DECISIONS 24)."""
LIBRARY = {
    "account_emailaddress",
    "account_emailconfirmation",
    "mfa_authenticator",
    "socialaccount_socialaccount",
}
"""Tables of libraries without a realm column: a statement needs an owner that was seen in this realm."""

PREFIXED = {("socialaccount_socialaccount", "provider")}
"""Columns of such tables whose values begin with the realm (`<realm id>~<alias>`): equal to one, a row is of it."""

REALM, LIB, FREE, UNLISTED = "realm", "library", "global", "unlisted"
_QUIET = re.compile(r"\s*(SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT|PRAGMA|SET |EXPLAIN)", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"'(?:[^']|'')*'|%%|%s|%\(\w+\)s")


@dataclass(frozen=True)
class Table:
    """What the recorder needs to know of one table."""

    kind: str
    pk: str = "id"
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def schema() -> dict[str, Table]:
    """Every table by name, from the models."""
    found: dict[str, Table] = {}
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        keys = {
            f.column: (f.remote_field.model._meta.db_table, f.target_field.column)
            for f in meta.concrete_fields
            if f.remote_field and not isinstance(f.remote_field.model, str)
        }
        kind = (
            REALM
            if issubclass(model, RealmOwned)
            else LIB
            if meta.db_table in LIBRARY
            else FREE
            if meta.db_table in GLOBAL
            else UNLISTED
        )
        found[meta.db_table] = Table(kind, meta.pk.column, keys)
    return found


def plain(value: Any) -> Any:
    """A parameter as it compares: UUIDs in any spelling are 32 hex digits."""
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, str) and len(value) in (32, 36):
        try:
            return uuid.UUID(value).hex
        except ValueError:
            return value
    return value


@lru_cache(maxsize=20_000)
def parse(sql: str, vendor: str) -> exp.Expression:
    """The statement's tree; placeholders become :p0, :p1 … or :name."""
    number = -1

    def named(found: re.Match[str]) -> str:
        nonlocal number
        text = found.group()
        if text == "%%":
            return "%"
        if text == "%s":
            number += 1
            return f":p{number}"
        return ":" + text[2:-2] if text.startswith("%(") else text

    dialect = "postgres" if vendor == "postgresql" else "sqlite"
    return sqlglot.parse_one(_PLACEHOLDER.sub(named, sql), dialect=dialect)


def terms(expression: exp.Expression | None) -> Iterator[exp.Expression]:
    """The AND-terms of a condition."""
    if expression is None:
        return
    inner = expression.unnest() if isinstance(expression, exp.Paren) else expression
    if isinstance(inner, exp.Is) and inner.expression == exp.true():
        # `(a = b) IS TRUE`: kernel.sql.in_realm
        inner = inner.this.unnest() if isinstance(inner.this, exp.Paren) else inner.this
    if isinstance(inner, exp.And):
        yield from terms(inner.left)
        yield from terms(inner.right)
    else:
        yield inner


def bare(expression: Any) -> Any:
    """Without parentheses and casts."""
    while isinstance(expression, (exp.Paren, exp.Cast)):
        expression = expression.this
    return expression


class Check:
    """One statement against the rule."""

    def __init__(self, recorder: "Recorder | Blind", params: Any) -> None:
        self.recorder = recorder
        self.params = params
        self.problems: list[str] = []

    def value(self, expression: Any) -> Any:
        """A placeholder's or literal's value, else None."""
        expression = bare(expression)
        if isinstance(expression, exp.Placeholder) and isinstance(expression.this, str):
            name = expression.this
            return plain(self.params[name] if isinstance(self.params, dict) else self.params[int(name[1:])])
        if isinstance(expression, exp.Literal):
            return plain(expression.this)
        return None

    @staticmethod
    def sources(node: exp.Expression) -> tuple[dict[str, str], set[str]]:
        """alias → table, and the aliases of derived tables (whose own SELECT is checked by itself)."""
        tables: dict[str, str] = {}
        derived: set[str] = set()

        def add(source: Any) -> None:
            if isinstance(source, exp.Table):
                tables[source.alias_or_name] = source.name
            elif source is not None and source.alias_or_name:
                derived.add(source.alias_or_name)

        first = node.args.get("from_") or node.args.get("from")
        if isinstance(node, (exp.Update, exp.Delete)):
            add(node.this)
        if first:
            add(first.this)
            for other in first.args.get("expressions") or []:
                add(other)
        for join in node.args.get("joins") or []:
            add(join.this)
        for using in node.args.get("using") or []:
            add(using)
        return tables, derived

    def pinned(self, table: str | None, column: str, values: list[Any]) -> bool:
        """Whether `column = value` (or IN values) binds the table."""
        known = schema().get(table or "")
        if known is None:
            return False
        if column == "realm_id" and known.kind == REALM:
            return set(values) == {self.recorder.realm}
        if known.kind == REALM:
            return False
        if (table, column) in PREFIXED:
            return all(plain(str(value).partition("~")[0]) == self.recorder.realm for value in values)
        if column == known.pk:
            return all((table, value) in self.recorder.seen for value in values)
        if column in known.keys:
            return all((known.keys[column][0], value) in self.recorder.seen for value in values)
        return False

    def select(  # noqa: C901 - the rule is one, and its cases belong side by side
        self, node: exp.Expression, outer: frozenset[str], ctes: frozenset[str]
    ) -> None:
        """Find out which tables of one SELECT, UPDATE or DELETE are bound; complain about the rest."""
        tables, derived = self.sources(node)
        tables = {alias: table for alias, table in tables.items() if table not in ctes}
        derived |= ctes
        bound = set(outer) | derived | {a for a, t in tables.items() if t in schema() and schema()[t].kind == FREE}
        links: list[tuple[tuple[str, str], tuple[str, str]]] = []

        def column(expression: Any) -> tuple[str, str] | None:
            expression = bare(expression)
            if not isinstance(expression, exp.Column):
                return None
            alias = expression.table or (next(iter(tables)) if len(tables) == 1 else "")
            return (alias, expression.name) if alias in tables or alias in outer or alias in derived else None

        def take(term: exp.Expression, only: str | None) -> None:
            if isinstance(term, exp.EQ):
                left, right = column(term.left), column(term.right)
                if left and right:
                    links.extend(pair for pair in ((left, right), (right, left)) if only is None or pair[0][0] == only)
                    return
                named, other = (left, term.right) if left else (right, term.left)
                if named is None or (only is not None and named[0] != only):
                    return
                value = self.value(other)
                if value is not None and self.pinned(tables.get(named[0]), named[1], [value]):
                    bound.add(named[0])
            elif isinstance(term, exp.In):
                named = column(term.this)
                if named is None or named[0] not in tables or (only is not None and named[0] != only):
                    return
                query = term.args.get("query")
                if query is None:
                    values = [self.value(each) for each in term.expressions]
                    if values and None not in values and self.pinned(tables[named[0]], named[1], values):
                        bound.add(named[0])
                elif self._is_key(tables[named[0]], named[1]) and self._inner_is_bound(query, frozenset(bound), ctes):
                    bound.add(named[0])

        where = node.args.get("where")
        for term in terms(where.this if where else None):
            take(term, None)
        for join in node.args.get("joins") or []:
            outer_join = str(join.args.get("side") or "").upper() in ("LEFT", "RIGHT", "FULL")
            for term in terms(join.args.get("on")):
                take(term, join.this.alias_or_name if outer_join else None)
        self._spread(links, bound, tables)
        for alias, table in tables.items():
            if alias not in bound and not self._collected(node, table):
                kind = schema()[table].kind if table in schema() else "unknown"
                self.problems.append(f"{table} AS {alias}: not bound to the realm ({kind})")

    def _spread(
        self, links: list[tuple[tuple[str, str], tuple[str, str]]], bound: set[str], tables: dict[str, str]
    ) -> None:
        """A foreign key, either way, or an equal realm_id carries the binding on."""
        changed = True
        while changed:
            changed = False
            for (alias, name), (other, other_name) in links:
                if alias in bound or other not in bound or alias not in tables:
                    continue
                here, there = schema().get(tables[alias]), schema().get(tables.get(other, ""))
                forward = here is not None and here.keys.get(name, ("", ""))[0] == tables.get(other)
                backward = there is not None and there.keys.get(other_name, ("", ""))[0] == tables[alias]
                if forward or backward or name == other_name == "realm_id" or other not in tables:
                    bound.add(alias)
                    changed = True

    @staticmethod
    def _is_key(table: str, name: str) -> bool:
        known = schema().get(table)
        return known is not None and (name == known.pk or name in known.keys)

    def _inner_is_bound(self, query: exp.Expression, outer: frozenset[str], ctes: frozenset[str]) -> bool:
        inner = query.find(exp.Select)
        if inner is None:
            return False
        before = len(self.problems)
        self.select(inner, outer, ctes)
        fine = len(self.problems) == before
        del self.problems[before:]
        return fine and any(schema()[t].kind == REALM for t in self.sources(inner)[0].values() if t in schema())

    def _collected(self, node: exp.Expression, table: str) -> bool:
        """The deletion collector's `DELETE (or UPDATE) … WHERE pk IN (…)`, for rows seen in this request."""
        known = schema().get(table)
        where = node.args.get("where")
        if known is None or where is None or not isinstance(node, (exp.Delete, exp.Update)):
            return False
        condition = list(terms(where.this))
        if len(condition) != 1 or not isinstance(condition[0], exp.In):
            return False
        named = bare(condition[0].this)
        values = [self.value(each) for each in condition[0].expressions]
        return (
            isinstance(named, exp.Column)
            and named.name == known.pk
            and bool(values)
            and all((table, value) in self.recorder.seen for value in values)
        )

    def insert(self, node: exp.Insert) -> None:
        """A new row is of this realm, and each of its keys points at a row that was seen in it."""
        target = node.this
        table = target.this.name if isinstance(target, exp.Schema) else target.name
        known = schema().get(table)
        if known is None or known.kind == UNLISTED:
            self.problems.append(f"INSERT {table}: the table is not listed")
            return
        if known.kind == FREE:
            return
        names = [each.name for each in target.expressions] if isinstance(target, exp.Schema) else []
        source = node.expression
        rows = (
            source.expressions
            if isinstance(source, exp.Values)
            else [source]
            if isinstance(source, exp.Select)
            else None
        )
        if rows is None:
            self.problems.append(f"INSERT {table}: the source is not understood")
            return
        for row in rows:
            values = {name: self.value(each) for name, each in zip(names, row.expressions, strict=False)}
            if known.kind == REALM and values.get("realm_id") != self.recorder.realm:
                self.problems.append(f"INSERT {table}: foreign realm {values.get('realm_id')}")
            for name, (other, _) in known.keys.items():
                value = values.get(name)
                if value is None or other not in schema() or schema()[other].kind not in (REALM, LIB):
                    continue
                if (other, value) not in self.recorder.seen:
                    self.problems.append(f"INSERT {table}.{name}: the row was not seen in this realm")

    def run(self, tree: exp.Expression) -> list[str]:
        """All problems of a statement."""
        ctes = frozenset(cte.alias for cte in tree.find_all(exp.CTE))
        for node in tree.walk():
            if isinstance(node, (exp.Select, exp.Update, exp.Delete)):
                if isinstance(node, exp.Select) and not (node.args.get("from_") or node.args.get("from")):
                    continue
                outer: set[str] = set()
                parent = node.parent
                while parent is not None:
                    if isinstance(parent, (exp.Select, exp.Update, exp.Delete)):
                        outer |= set(self.sources(parent)[0])
                    parent = parent.parent
                self.select(node, frozenset(outer), ctes)
            elif isinstance(node, exp.Insert):
                self.insert(node)
        return self.problems


@dataclass(frozen=True)
class Blind:
    """Nothing was seen yet: what binds to the realm even so does whatever was seen, since seen rows only add to it."""

    realm: str | None
    seen: frozenset[tuple[str, Any]] = frozenset()


_judged: dict[tuple[str, str, tuple[str, ...]], bool] = {}
"""Realm, statement and what its parameters are to the realm → whether that alone binds it. Most pages ask the same."""


def relation(value: Any, realm: str | None) -> str:
    """All that a parameter says to the rule besides which row it names: the realm, a name below it, nothing, else."""
    if value is None:
        return "nothing"
    if plain(value) == realm:
        return "realm"
    return "below" if plain(str(value).partition("~")[0]) == realm else ""


class Recorder:
    """Collects what each statement did wrong, and which rows were seen."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, Any]] = set()
        self.statements = 0
        self.problems: list[str] = []

    @property
    def realm(self) -> str | None:
        """The current realm's id, 32 hex digits."""
        realm_id = current_realm_id()
        return realm_id.hex if realm_id else None

    def note(self, row: models.Model) -> None:
        """Remember a row of this realm that was read or saved."""
        known = schema().get(row._meta.db_table)
        if known is None or row.__dict__.get(row._meta.pk.attname) is None:
            return
        if known.kind == REALM and plain(row.__dict__.get("realm_id")) != self.realm:
            return
        self.seen.add((row._meta.db_table, plain(row.pk)))

    def _problems(self, sql: str, bound: Any) -> list[str]:
        return Check(self, bound).run(parse(sql, connection.vendor))

    def _is_bound_unseen(self, sql: str, bound: Any) -> bool:
        named = sorted(bound.items()) if isinstance(bound, dict) else enumerate(bound)
        key = (self.realm or "", sql, tuple(f"{name} {relation(value, self.realm)}" for name, value in named))
        if key not in _judged:
            _judged[key] = not Check(Blind(self.realm), bound).run(parse(sql, connection.vendor))
        return _judged[key]

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Django's execute wrapper. Statements outside a realm are the mount's and the sweeper's: not judged here."""
        if self.realm is not None and not _QUIET.match(sql):
            self.statements += 1
            bound = params if isinstance(params, dict) else list(params or ())
            try:
                problems = [] if self._is_bound_unseen(sql, bound) else self._problems(sql, bound)
            except sqlglot.errors.ParseError as error:
                problems = [f"not understood: {error}"]
            self.problems += [f"{problem}\n    {sql[:600]}" for problem in problems]
        return execute(sql, params, many, context)


_recording: list[Recorder] = []


def note_again(row: models.Model) -> None:
    """A row that an earlier request read, and this one is spared to: who asks, in a crawl."""
    for recorder in _recording:
        recorder.note(row)


@contextmanager
def recorded() -> Iterator[Recorder]:
    """Record every statement of this thread's connection."""
    recorder = Recorder()
    original = models.Model.__dict__["from_db"]

    def from_db(cls: type[models.Model], *args: Any, **kwargs: Any) -> models.Model:
        row: models.Model = original.__func__(cls, *args, **kwargs)
        recorder.note(row)
        return row

    loaded = Columns.load

    def load(columns: Columns[Any], values: Any) -> models.Model | None:
        row: models.Model | None = loaded(columns, values)
        if row is not None:
            recorder.note(row)
        return row

    def saved(instance: models.Model, **_: Any) -> None:
        recorder.note(instance)

    models.Model.from_db = classmethod(from_db)  # type: ignore[method-assign, assignment]
    Columns.load = load  # type: ignore[method-assign]
    post_save.connect(saved)
    _recording.append(recorder)
    try:
        with connection.execute_wrapper(recorder):
            yield recorder
    finally:
        _recording.remove(recorder)
        models.Model.from_db = original  # type: ignore[method-assign]
        Columns.load = loaded  # type: ignore[method-assign]
        post_save.disconnect(saved)
