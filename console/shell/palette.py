"""The command palette: people, applications, places and actions of this realm.

Bounded (at most 8 of a kind) and never cached: a cache keyed by person and term would show one realm's names in
another (TI), and an unbounded search of a million people takes a minute.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from console.shell.fragments import render_page
from console.shell.http import wants_fragment
from console.shell.navigation import navigation_for
from console.shell.views import console_view
from identity.kernel.actor import Actor
from identity.kernel.permissions import Permission

LIMIT = 8
MAX_TERM = 80


@dataclass(frozen=True, slots=True)
class Hit:
    """One line: `opens_dialog` for actions, whose title ends in an ellipsis."""

    title: str
    url: str
    icon: str
    meta: str = ""
    opens_dialog: bool = False
    jump: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of thing that can be found. `search(actor, term, limit)` must be scoped to the actor's realm.

    always: has something to show without a term too, below the places.
    """

    label: str | Promise
    permission: Permission
    search: Callable[[Actor, str, int], Iterable[Hit]]
    always: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its hits."""

    label: str | Promise
    hits: Sequence[Hit]


SOURCES: list[Source] = []
"""In the order shown. Areas register theirs in console/apps.py."""


def find(request: HttpRequest, term: str) -> list[Section]:
    """What this actor may find and do under `term`; with an empty term, the places and then what can be done."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    term = term.replace("\x00", "").strip()[:MAX_TERM]
    sections = []
    for source in SOURCES:
        if (term or source.always) and actor.can_somewhere(source.permission):
            hits = list(islice(source.search(actor, term, LIMIT), LIMIT))
            sections.append(Section(source.label, hits))
    places = [
        Hit(str(item.label), item.url, item.icon, jump=item.jump.upper())
        for item in navigation_for(request).items
        if term.lower() in str(item.label).lower()
    ]
    sections.insert(len(sections) if term else 0, Section(_("Go to"), places[:LIMIT] if term else places))
    return [section for section in sections if section.hits]


def mark(text: str, term: str) -> SafeString:
    """`text`, escaped, with the first place where `term` occurs marked."""
    at = text.lower().find(term.lower()) if term else -1
    if at < 0:
        return escape(text)
    end = at + len(term)
    parts = escape(text[:at]), escape(text[at:end]), escape(text[end:])
    return mark_safe(f"{parts[0]}<mark>{parts[1]}</mark>{parts[2]}")  # noqa: S308 - each part is escaped above


@console_view(Permission.CONSOLE_OPEN)
def palette(request: HttpRequest) -> HttpResponse:
    """The options for a term; as a full page without scripts."""
    term = request.GET.get("q", "").strip()[:MAX_TERM]
    sections = find(request, term)
    context = {"term": term, "sections": sections, "title": _("Search")}
    if wants_fragment(request):
        response = HttpResponse(render_to_string("rk/shell/palette_options.html", context, request))
    else:
        response = render_page(request, "console/palette.html", context)
    response["Cache-Control"] = "no-store"
    return response
