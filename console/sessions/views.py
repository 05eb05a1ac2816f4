"""Pages and dialogs of the sessions area."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.savedviews.tabs import open_list
from console.sessions.effects import effects_of, token_note
from console.sessions.rows import reason_in_words, row_of, rows_of, session_url
from console.shell.fragments import redirect_after, render_dialog, render_page
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from, ids_from
from console.shell.lists import Filter, ListState, Option, paginate
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.templatetags.rk import relative_time
from console.users.people import user_url
from identity.accounts.queries import get_user
from identity.applications.queries import find_applications, get_application
from identity.kernel.errors import NotFound
from identity.kernel.ids import parse_public_id, public_id
from identity.kernel.permissions import Permission
from identity.oauth.queries.issued import issued_by_sessions, issued_to_application
from identity.sessions.commands import end_session, end_sessions, end_sessions_of_application
from identity.sessions.queries import applications_of, count_live_sessions, find_sessions, get_session

STATUS = Filter(
    "status",
    gettext_lazy("Status"),
    (Option("ended", gettext_lazy("Ended")), Option("all", gettext_lazy("Active and ended"))),
)
PERSON = Filter("user", gettext_lazy("Person"))
APPLICATIONS_IN_FILTER = 40
MOST_SELECTED = 200


class Sessions(ConsoleView):
    """Where people are signed in, newest first; ended ones on request."""

    permission = Permission.SESSIONS_READ

    def _filters(self, request: ConsoleRequest) -> tuple[Filter, ...]:
        if not request.actor.can_somewhere(Permission.APPLICATIONS_READ):
            return (STATUS, PERSON)
        found = find_applications(request.actor)[:APPLICATIONS_IN_FILTER]
        options = tuple(Option(public_id("application", a.pk), a.name) for a in found)
        return (STATUS, Filter("application", _("Application"), options), PERSON)

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The list."""
        actor = request.actor
        labels: dict[str, str] = {}
        person = self._person(request)
        if person is not None:
            labels["user"] = person.display_name
        state = ListState(request, self._filters(request), labels=labels)
        leave = open_list(request, state, "sessions")
        if leave is not None:
            return leave
        if person is None:
            state.values.pop("user", None)
        application_id = parse_public_id("application", state.get("application")) if state.get("application") else None
        status = {"": "active", "ended": "ended", "all": ""}[state.get("status")]
        found = find_sessions(
            actor,
            user_id=person.pk if person else None,
            application_id=application_id,
            search=state.search,
            status=status,
        )
        page = paginate(state, found, order=("-id",))
        page.rows[:] = rows_of(page.rows, actor)
        count = count_live_sessions(actor)
        may_end = actor.can_somewhere(Permission.SESSIONS_END)
        return render_page(
            request,
            "console/sessions/list.html",
            {
                "title": _("Sessions"),
                "lead": ngettext("%(n)s active in %(realm)s.", "%(n)s active in %(realm)s.", count)
                % {"n": count, "realm": request.realm.name},
                "state": state,
                "page": page,
                "may_end": may_end,
                "bulk_actions": [
                    {
                        "label": _("End"),
                        "url": reverse("console:sessions_end"),
                        "icon": "logout",
                        "danger": True,
                        "ellipsis": True,
                    }
                ],
                "end_all": self._end_all(request, person, application_id) if may_end else None,
            },
            fragment="results",
        )

    @staticmethod
    def _person(request: ConsoleRequest) -> Any:
        text = request.GET.get("user", "")
        if not text:
            return None
        try:
            return get_user(request.actor, user_id=id_from("user", text))
        except NotFound:
            return None

    @staticmethod
    def _end_all(request: ConsoleRequest, person: Any, application_id: Any) -> dict[str, str] | None:
        """The page's own act, when the list is about one person or one application."""
        if person is not None:
            label = _("End all of %(name)s…") % {"name": person.display_name}
            return {"url": user_url(person.pk, "user_end_sessions"), "label": label}
        if application_id is not None:
            application = get_application(request.actor, application_id=application_id)
            label = _("Sign everybody out of %(name)s…") % {"name": application.name}
            args = [public_id("application", application.pk)]
            return {"url": reverse("console:sessions_of_application_end", args=args), "label": label}
        return None


class SessionDetail(ConsoleView):
    """One session: whose, from where, through which applications."""

    permission = Permission.SESSIONS_READ

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The page."""
        actor = request.actor
        session = get_session(actor, session_id=id_from("session", public_id))
        used = applications_of([session.pk])[session.pk]
        row = row_of(session, used, actor)
        when = {"request": request}
        facts = [
            {"label": _("Person"), "value": row.person, "url": row.person_url},
            {"label": _("Address"), "value": row.address, "mono": True},
            {"label": _("Device"), "value": str(row.device)},
            {"label": _("Started"), "value": relative_time(when, session.created_at, "exact")},  # type: ignore[arg-type]
            {"label": _("Last active"), "value": relative_time(when, session.last_seen_at)},  # type: ignore[arg-type]
            {"label": _("Ends at the latest"), "value": relative_time(when, session.expires_at, "exact")}  # type: ignore[arg-type]
            if row.is_live
            else {
                "label": _("Ended"),
                "value": relative_time(when, session.status_changed_at, "exact")  # type: ignore[arg-type]
                if session.status_changed_at
                else "",
            },
            {"label": _("Because"), "value": reason_in_words(session.end_reason)},
            {"label": _("Methods"), "value": ", ".join(session.amr), "mono": True},
            {"label": _("Session ID"), "value": public_id, "to_copy": public_id},
        ]
        return render_page(
            request,
            "console/sessions/session.html",
            {
                "title": row.person,
                "crumb": row.person,
                "row": row,
                "used": used,
                "facts": facts,
                "user_agent": session.user_agent,
                "more_url": f"{reverse('console:sessions')}?user={_user_id(session)}",
            },
        )


def _user_id(session: Any) -> str:
    return public_id("user", session.user_id)


class End(ConsoleView):
    """End one session, and what it issued."""

    permission = Permission.SESSIONS_END

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks."""
        session = get_session(request.actor, session_id=id_from("session", public_id))
        row = row_of(session, applications_of([session.pk])[session.pk], request.actor)
        return render_dialog(
            request,
            "console/sessions/end.html",
            {
                "title": _("End session"),
                "crumb": row.person,
                "row": row,
                "effects": effects_of(issued_by_sessions(request.realm, [session.pk])),
                "token_note": token_note(request.realm),
                "action": session_url(session, "session_end"),
                "cancel_url": session_url(session),
                "danger": True,
            },
        )

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Ends."""
        session = end_session(request.actor, session_id=id_from("session", public_id))
        name = session.user.display_name if session.user else ""
        text = _("A session of %(person)s ended.") % {"person": name}
        return redirect_after(request, reverse("console:sessions"), with_trail(request, text, session.pk, "session"))


class EndSelected(ConsoleView):
    """End a selection; a foreign id in it refuses the whole (TI-04)."""

    permission = Permission.SESSIONS_END

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """Asks."""
        texts = request.GET.getlist("ids")[:MOST_SELECTED]
        sessions = [get_session(request.actor, session_id=pk) for pk in ids_from("session", texts)]
        if not sessions:
            return redirect_after(request, reverse("console:sessions"), _("Select a session first."), level="info")
        people = {session.user_id for session in sessions}
        return render_dialog(
            request,
            "console/sessions/end_selected.html",
            {
                "title": _("End sessions"),
                "crumb": _("End sessions"),
                "ids": texts,
                "count": len(sessions),
                "people": len(people),
                "has_own": request.actor.session_id in {session.pk for session in sessions},
                "effects": effects_of(issued_by_sessions(request.realm, [session.pk for session in sessions])),
                "token_note": token_note(request.realm),
                "action": reverse("console:sessions_end"),
                "cancel_url": reverse("console:sessions"),
                "danger": True,
            },
        )

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Ends."""
        ids = ids_from("session", request.POST.getlist("ids")[:MOST_SELECTED])
        ended = end_sessions(request.actor, session_ids=ids)
        text = ngettext("%(n)s of %(of)s session ended.", "%(n)s of %(of)s sessions ended.", len(ids)) % {
            "n": ended,
            "of": len(ids),
        }
        if ended < len(ids):
            text = _("%(text)s The others had ended by themselves.") % {"text": text}
        return redirect_after(request, reverse("console:sessions"), text)


class EndOfApplication(ConsoleView):
    """Sign everybody out of one application."""

    permission = Permission.SESSIONS_END

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks."""
        application = get_application(request.actor, application_id=id_from("application", public_id))
        issued = issued_to_application(request.realm, application.pk)
        return render_dialog(
            request,
            "console/sessions/end_of_application.html",
            {
                "title": application.name,
                "crumb": application.name,
                "application": application,
                "issued": issued,
                "effects": effects_of(issued),
                "token_note": token_note(request.realm),
                "action": reverse("console:sessions_of_application_end", args=[public_id]),
                "cancel_url": f"{reverse('console:sessions')}?application={public_id}",
                "danger": True,
            },
        )

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Ends."""
        application = get_application(request.actor, application_id=id_from("application", public_id))
        count = end_sessions_of_application(request.actor, application_id=application.pk)
        text = ngettext(
            "%(n)s session of %(application)s ended.", "%(n)s sessions of %(application)s ended.", count
        ) % {"n": count, "application": application.name}  # fmt: skip
        url = f"{reverse('console:sessions')}?application={public_id}"
        return redirect_after(request, url, with_trail(request, text, application.pk, "application", application.name))
