"""The audit trail: the list with its drawer, one event's page, the export."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from console.audit.details import details, event_url
from console.audit.export import download, download_prepared
from console.audit.exports import rows_of
from console.audit.searching import filter_of, state_of, view_named, views
from console.audit.wording import view_of
from console.savedviews.tabs import open_list
from console.shell.forms import ChoiceCards, ConsoleForm
from console.shell.fragments import redirect_after, render_dialog, render_page
from console.shell.http import ConsoleRequest, wants_fragment
from console.shell.lists import paginate
from console.shell.views import ConsoleView
from identity.audit.commands import export_events, fetch_export, order_export, record_refusal
from identity.audit.files import Format
from identity.audit.queries import EventFilter, find_events, get_event
from identity.audit.reading import readable
from identity.audit.rules import MOST_AT_ONCE, MOST_EXPORTED, OFFERED_FOR
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.ids import parse_public_id
from identity.kernel.permissions import Permission


class Trail(ConsoleView):
    """The list. `?event=` opens one event in the drawer, with or without scripts."""

    permission = Permission.AUDIT_READ

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The page, the rows, or the drawer alone."""
        state, view = state_of(request), view_named(request.GET.get("view", ""))
        wanted = filter_of(state, view, request.actor, request.realm)
        context: dict[str, Any] = {}
        if opened := request.GET.get("event"):
            row = get_event(request.actor, event_id=_event_id(opened))
            context = details(request.actor, row, state=state, wanted=wanted)
            if wants_fragment(request) and request.htmx.target == "drawer":
                return _drawer(request, context)
            context["drawer_open"] = True
        built_in = [
            {"label": each.label, "url": state.url(view=each.name), "current": each.name == view.name}
            for each in views()
        ]
        leave = open_list(request, state, "audit", built_in=built_in)
        if leave is not None:
            return leave
        page = paginate(state, find_events(request.actor, wanted), order=("-id",))
        context |= {
            "title": _("Audit trail"),
            "lead": _("Every change and sign-in in %(realm)s. Nothing here can be changed or removed.")
            % {"realm": request.realm.name},
            "state": state,
            "page": page,
            "rows": [
                (view_of(event, request.actor.can), event_url(state, event.row.pk)) for event in readable(page.rows)
            ],
            "export_url": f"{reverse('console:audit_export')}?{_query(state.url(view=view.name))}",
            "since": state.get("since"),
            "until": state.get("until"),
            "may_export": request.actor.can(Permission.AUDIT_EXPORT),
            "exports": _exports_in_hand(request),
        }
        return render_page(request, "console/audit/list.html", context, fragment="results")


def _exports_in_hand(request: ConsoleRequest) -> int:
    if not request.actor.can(Permission.AUDIT_EXPORT):
        return 0
    return sum(row.state in ("preparing", "ready") for row in rows_of(request.actor))


def _drawer(request: ConsoleRequest, context: dict[str, Any]) -> HttpResponse:
    response = HttpResponse(render_to_string("rk/audit/event_drawer.html", context, request))
    patch_vary_headers(response, ["HX-Request"])
    return response


def _query(url: str) -> str:
    return url.partition("?")[2]


def _event_id(text: str) -> Any:
    found = parse_public_id("event", text)
    if found is None:
        raise NotFound
    return found


class EventPage(ConsoleView):
    """One event on a page of its own: what a link in a mail or a ticket opens."""

    permission = Permission.AUDIT_READ

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The page."""
        row = get_event(request.actor, event_id=_event_id(public_id))
        context = details(request.actor, row)
        context |= {"title": context["event"]["text"], "crumb": row.type}
        return render_page(request, "console/audit/event.html", context)


class ExportForm(ConsoleForm):
    """In which form the file is wanted."""

    format = forms.ChoiceField(
        label=_("Format"),
        choices=[("csv", _("CSV")), ("json", _("JSON"))],
        initial="csv",
        widget=ChoiceCards(
            descriptions={"csv": _("For spreadsheets, one row for each event."), "json": _("For programs, complete.")}
        ),
    )


class Export(ConsoleView):
    """The matching events as a file."""

    permission = Permission.AUDIT_EXPORT

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The dialog, with the exact number of rows."""
        return self._dialog(request, ExportForm())

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """The file. A plain form submits here, so that the browser saves it."""
        form = ExportForm(request.POST)
        if not form.is_valid():
            return self._dialog(request, form, status=422)
        file_format: Format = form.cleaned_data["format"]
        state, view = state_of(request), view_named(request.GET.get("view", ""))
        wanted = filter_of(state, view, request.actor, request.realm)
        language = get_language() or "en"
        try:
            if _is_large(request, wanted):
                order_export(request.actor, wanted=wanted, file_format=file_format, language=language)
                return redirect_after(request, reverse("console:audit_exports"))
            export = export_events(request.actor, wanted=wanted, file_format=file_format)
        except (Invalid, Conflict) as error:
            form.add_refusal(error)
            return self._dialog(request, form, status=422)
        return download(request, export, file_format, language)

    def _dialog(self, request: ConsoleRequest, form: ConsoleForm, *, status: int = 200) -> HttpResponse:
        state, view = state_of(request), view_named(request.GET.get("view", ""))
        rows = find_events(request.actor, filter_of(state, view, request.actor, request.realm))
        count = rows.order_by()[: MOST_EXPORTED + 1].count()
        trail = f"{reverse('console:audit')}?{_query(state.url(view=view.name))}"
        context = {
            "form": form,
            "count": count,
            "too_many": count > MOST_EXPORTED,
            "is_large": count > MOST_AT_ONCE,
            "minutes": int(OFFERED_FOR.total_seconds() // 60),
            "view": view,
            "state": state,
            "action": request.get_full_path(),
            "cancel_url": trail,
            "is_download": True,
        }
        return render_dialog(request, "console/audit/export.html", context, status=status)


def _is_large(request: ConsoleRequest, wanted: EventFilter) -> bool:
    """Whether somebody would wait too long for it."""
    return find_events(request.actor, wanted).order_by()[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE


class Exports(ConsoleView):
    """One's own large exports: being prepared, ready, failed, expired. Looks again by itself while one is prepared."""

    permission = Permission.AUDIT_EXPORT

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The page, or its table."""
        rows = rows_of(request.actor)
        context = {
            "title": _("Exports"),
            "crumb": _("Exports"),
            "rows": rows,
            "is_waiting": any(row.state == "preparing" for row in rows),
            "minutes": int(OFFERED_FOR.total_seconds() // 60),
            "trail_url": reverse("console:audit"),
        }
        return render_page(request, "console/audit/exports.html", context)


class ExportFile(View):
    """A prepared file. For everybody but the one person, in the one session, that its link was made for, there is none.

    So it is no ConsoleView: a redirect to the sign-in page or a 403 would tell that there is something (TI-10).
    """

    permission = Permission.AUDIT_EXPORT

    def get(self, request: HttpRequest, public_id: str) -> HttpResponse:
        """The file, or 404. That a signed-in person lacked the permission is remembered all the same."""
        actor = request.actor  # type: ignore[attr-defined]
        export_id = parse_public_id("export", public_id)
        signature = request.GET.get("signature", "")
        if not actor.is_person or export_id is None:
            raise Http404
        try:
            for needed in (Permission.CONSOLE_OPEN, Permission.AUDIT_EXPORT):
                actor.require(needed)
            realm = request.realm  # type: ignore[attr-defined]
            prepared = fetch_export(actor, realm=realm, export_id=export_id, signature=signature)
        except PermissionDenied as error:
            record_refusal(actor, permission=error.permission, path=request.path_info)
            raise Http404
        except NotFound:
            raise Http404
        response = download_prepared(request, prepared)
        add_never_cache_headers(response)
        return response
