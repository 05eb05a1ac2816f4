"""The tabs above a list: its own views first, then what the person and the admins saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.shell.http import ConsoleRequest
from console.shell.lists import ALL, ListState
from identity.accounts.models import SavedView
from identity.accounts.queries import saved_views
from identity.accounts.rules import checked_query
from identity.kernel.actor import Actor
from identity.kernel.permissions import Permission


@dataclass(frozen=True, slots=True)
class SavedList:
    """A list of which views can be saved, and what opens it."""

    label: str | Promise
    permission: Permission


LISTS: dict[str, SavedList] = {
    "users": SavedList(gettext_lazy("Users"), Permission.USERS_READ),
    "organizations": SavedList(gettext_lazy("Organizations"), Permission.ORGANIZATIONS_READ),
    "applications": SavedList(gettext_lazy("Applications"), Permission.APPLICATIONS_READ),
    "sessions": SavedList(gettext_lazy("Sessions"), Permission.SESSIONS_READ),
    "consents": SavedList(gettext_lazy("Consents"), Permission.CONSENTS_READ),
    "audit": SavedList(gettext_lazy("Audit trail"), Permission.AUDIT_READ),
}
"""Name of the list, which is also its URL name."""


def may_save(actor: Actor) -> bool:
    """Operators on a visit keep nothing here."""
    return actor.is_person and actor.home_realm_id == actor.realm_id


def view_url(view: SavedView) -> str:
    """The list with the view's filters; without any it is all of the list."""
    return f"{reverse(f'console:{view.area}')}?{view.query or urlencode({ALL: 1})}"


def open_list(
    request: ConsoleRequest, state: ListState, area: str, *, built_in: Sequence[dict[str, Any]] = ()
) -> HttpResponse | None:
    """Put the tabs and the address of "Save view" into a list's state, or leave for the view that is opened first.

    built_in: the list's own views; without any there is "All".
    """
    found = list(saved_views(request.actor, area=area))
    default = next((view for view in found if view.is_default and view.owner_id == request.actor.id), None)
    if default is not None and not request.GET and not state.is_fragment:
        return HttpResponseRedirect(view_url(default))
    state.has_default = default is not None
    here = checked_query(state.query) if len(state.query) <= 1000 else None
    tabs = [{**tab, "current": False} if _is_one_of(found, here) else tab for tab in built_in]
    if found and not built_in:
        tabs = [{"label": _("All"), "url": state.url_of_all, "current": not here}]
    tabs += [
        {
            "label": view.name,
            "url": view_url(view),
            "current": bool(here) and view.query == here,
            "shared": view.shared,
        }
        for view in found
    ]
    state.tabs = tabs
    state.manage_url = f"{reverse('console:views')}" if found else ""
    if state.is_filtered and may_save(request.actor) and not _is_one_of(found, here):
        state.save_url = f"{reverse('console:view_create')}?{urlencode({'area': area})}&{state.query}"
    return None


def _is_one_of(found: Sequence[SavedView], here: str | None) -> bool:
    return bool(here) and any(view.query == here for view in found)
