"""Lists of any length: keyset pages whose links keep the filters, counts that stop at 10,000, search and filters.

A view declares its filters, asks `ListState` what is wanted, narrows the room's queryset and calls `paginate`.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connections
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.formats import number_format
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _

EXACT_UP_TO = 10_000
PAGE_SIZE = 50
SEARCH = "q"
AFTER = "after"
ALL = "all"
"""`?all=1`: the whole list, also for one whose saved view opens it otherwise."""


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a filter, and how it reads."""

    value: str
    label: str | Promise


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter in the address: `?name=value`. Without options it takes what the address says (a person's id)."""

    name: str
    label: str | Promise
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter, in words, and the address without it."""

    name: str
    label: str | Promise
    value: str
    value_label: str | Promise
    remove_url: str


@dataclass(frozen=True, slots=True)
class Adder:
    """A filter that is not set, with an address for each of its values."""

    name: str
    label: str | Promise
    links: tuple[tuple[str | Promise, str], ...]


class ListState:
    """What the address asks of a list. Unknown values of a closed filter are ignored, unknown parameters too."""

    def __init__(
        self,
        request: HttpRequest,
        filters: Sequence[Filter] = (),
        *,
        keep: Sequence[str] = (),
        labels: dict[str, str] | None = None,
    ) -> None:
        """keep: parameters that are no filter but stay in links (view). labels: words for values without options."""
        self.path = request.path
        self.filters = tuple(filters)
        self.kept = tuple(keep)
        self.labels = labels or {}
        self.search = request.GET.get(SEARCH, "").replace("\0", "").strip()[:200]  # no text of PostgreSQL holds a NUL
        self.cursor = request.GET.get(AFTER, "")
        self.is_fragment = bool(getattr(request, "htmx", None))
        self._extra = {name: request.GET[name] for name in self.kept if request.GET.get(name)}
        self.tabs: list[dict[str, Any]] = []
        self.save_url = self.manage_url = ""
        self.has_default = False
        self.values = {f.name: value for f in self.filters if (value := self._accepted(f, request.GET.get(f.name, "")))}

    @staticmethod
    def _accepted(declared: Filter, value: str) -> str:
        value = value.replace("\x00", "").strip()[:200]
        if declared.options and value not in {option.value for option in declared.options}:
            return ""
        return value

    def get(self, name: str) -> str:
        """The value of a filter, or an empty string."""
        return self.values.get(name, "")

    @property
    def is_filtered(self) -> bool:
        """Whether an empty list means "no match" instead of "nothing there yet"."""
        return bool(self.values or self.search)

    def url(self, **changes: str) -> str:
        """The address of this list with some parameters changed; an empty value drops one. Always the first page."""
        encoded = self._encoded(**changes)
        if not encoded:
            return self.url_of_all
        return f"{self.path}?{encoded}"

    def _encoded(self, **changes: str) -> str:
        query = QueryDict(mutable=True)
        wanted = {**self._extra, SEARCH: self.search, **self.values, **changes}
        for name, value in wanted.items():
            if value:
                query[name] = value
        return query.urlencode()

    @property
    def query(self) -> str:
        """What the address asks for, without the place in the list: what a saved view keeps."""
        return self._encoded()

    @property
    def url_of_all(self) -> str:
        """The list without anything; said so when a saved view would open in its place."""
        return f"{self.path}?{ALL}=1" if self.has_default else self.path

    @property
    def clear_url(self) -> str:
        """The list without search and filters."""
        return self.url(**{SEARCH: ""}, **dict.fromkeys(self.values, ""))

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the search form must send along."""
        return [*self._extra.items(), *self.values.items()]

    @property
    def chips(self) -> list[Chip]:
        """The active filters."""
        return [
            Chip(f.name, f.label, value, self._label(f, value), self.url(**{f.name: ""}))
            for f in self.filters
            if (value := self.values.get(f.name))
        ]

    @property
    def adders(self) -> list[Adder]:
        """The filters that can still be set from a menu."""
        return [
            Adder(f.name, f.label, tuple((o.label, self.url(**{f.name: o.value})) for o in f.options))
            for f in self.filters
            if f.options and f.name not in self.values
        ]

    def _label(self, declared: Filter, value: str) -> str | Promise:
        for option in declared.options:
            if option.value == value:
                return option.label
        return self.labels.get(declared.name, value)


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows match. Exact to 10,000; above it is the planner's estimate, or only "more than"."""

    number: int
    is_exact: bool
    is_estimate: bool = False

    def __str__(self) -> str:
        shown = number_format(self.number, force_grouping=True)
        if self.is_exact:
            return shown
        return (
            _("about %(number)s") % {"number": shown} if self.is_estimate else _("over %(number)s") % {"number": shown}
        )


@dataclass(frozen=True)
class Page:
    """One page of rows with the links of its pager."""

    rows: list[Any]
    older_url: str
    newest_url: str
    total: Total | None
    state: ListState = field(repr=False)

    @cached_property
    def is_only(self) -> bool:
        """Whether these are all rows."""
        return not self.older_url and not self.newest_url

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Any:
        return iter(self.rows)


def paginate[M: Model](
    state: ListState,
    rows: QuerySet[M],
    *,
    order: Sequence[str] = ("-created_at", "-id"),
    size: int = PAGE_SIZE,
    count: bool = True,
) -> Page:
    """A page of `rows` after the address's cursor.

    `order` names model fields that are never null and end in a unique one; the matching index is the caller's.
    A cursor that can't be read (an old link, a hand-made one) gives the first page.
    """
    ordered = rows.order_by(*order)
    after = _read_cursor(rows.model, order, state.cursor)
    window = ordered.filter(_beyond(order, after)) if after else ordered
    found = list(window[: size + 1])
    more = len(found) > size
    found = found[:size]
    return Page(
        rows=found,
        older_url=state.url(**{AFTER: _write_cursor(found[-1], order)}) if more else "",
        newest_url=state.url() if after else "",
        total=total_of(rows) if count else None,
        state=state,
    )


def total_of(rows: QuerySet[Any]) -> Total:
    """How many rows there are, without ever counting more than 10,001 of them."""
    counted = rows.order_by()[: EXACT_UP_TO + 1].count()
    if counted <= EXACT_UP_TO:
        return Total(counted, is_exact=True)
    if connections[rows.db].vendor == "postgresql":
        plan = json.loads(rows.order_by().explain(format="json"))
        estimate = int(plan[0]["Plan"]["Plan Rows"])
        return Total(max(_rounded(estimate), EXACT_UP_TO), is_exact=False, is_estimate=True)
    return Total(EXACT_UP_TO, is_exact=False)


def _rounded(number: int) -> int:
    """Two significant digits: an estimate that shows more would pretend."""
    digits = max(len(str(number)) - 2, 0)
    return round(number, -digits)


def _names(order: Sequence[str]) -> list[str]:
    return [name.removeprefix("-") for name in order]


def _write_cursor(row: Model, order: Sequence[str]) -> str:
    values = []
    for name in _names(order):
        owner, column = _owner(row, name)
        values.append(owner._meta.get_field(column).value_to_string(owner))
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _owner(row: Any, name: str) -> tuple[Any, str]:
    *path, column = name.split("__")
    for step in path:
        row = getattr(row, step)
    return row, column


def _read_cursor(model: type[Model], order: Sequence[str], cursor: str) -> list[Any]:
    if not cursor:
        return []
    names = _names(order)
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(texts, list) or len(texts) != len(names) or not all(isinstance(t, str) for t in texts):
            return []
        return [_field(model, name).to_python(text) for name, text in zip(names, texts, strict=True)]
    except (ValueError, binascii.Error, ValidationError, RecursionError):
        return []


def _field(model: Any, name: str) -> Any:
    *path, column = name.split("__")
    for step in path:
        model = model._meta.get_field(step).related_model
    return model._meta.get_field(column)


def _beyond(order: Sequence[str], after: Sequence[Any]) -> Q:
    """Rows strictly behind the cursor. The first comparison is repeated alone: it is what an index can seek to."""
    condition = Q()
    equal = Q()
    for name, value in zip(order, after, strict=True):
        column = name.removeprefix("-")
        lookup = "lt" if name.startswith("-") else "gt"
        condition |= equal & Q(**{f"{column}__{lookup}": value})
        equal &= Q(**{column: value})
    first = order[0].removeprefix("-")
    return Q(**{f"{first}__{'lte' if order[0].startswith('-') else 'gte'}": after[0]}) & condition
