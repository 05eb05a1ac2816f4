"""Pages and dialogs of the consents area."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.consents.rows import consent_url, row_of
from console.savedviews.tabs import open_list
from console.sessions.effects import token_note
from console.shell.fragments import redirect_after, render_dialog, render_page
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.lists import Filter, ListState, Option, paginate
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.templatetags.rk import relative_time
from identity.applications.queries import find_applications, realm_scopes
from identity.consent.commands import withdraw_consent
from identity.consent.models import Consent
from identity.consent.queries import find_consents, get_consent
from identity.kernel.errors import Conflict
from identity.kernel.ids import parse_public_id, public_id
from identity.kernel.permissions import Permission
from identity.oauth.queries.issued import issued_under_consent

STATUS = Filter("status", gettext_lazy("Status"), (Option("withdrawn", gettext_lazy("Withdrawn")),))
APPLICATIONS_IN_FILTER = 40


class Consents(ConsoleView):
    """What people let applications use, newest first."""

    permission = Permission.CONSENTS_READ

    def _filters(self, request: ConsoleRequest) -> tuple[Filter, ...]:
        if not request.actor.can_somewhere(Permission.APPLICATIONS_READ):
            return (STATUS,)
        found = find_applications(request.actor)[:APPLICATIONS_IN_FILTER]
        options = tuple(Option(public_id("application", a.pk), a.name) for a in found)
        return (STATUS, Filter("application", _("Application"), options))

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The list."""
        state = ListState(request, self._filters(request))
        leave = open_list(request, state, "consents")
        if leave is not None:
            return leave
        chosen = state.get("application")
        found = find_consents(
            request.actor,
            application_id=parse_public_id("application", chosen) if chosen else None,
            search=state.search,
            withdrawn=state.get("status") == "withdrawn",
        )
        page = paginate(state, found, order=("-id",))
        page.rows[:] = [row_of(consent, request.actor) for consent in page.rows]
        return render_page(
            request,
            "console/consents/list.html",
            {
                "title": _("Consents"),
                "lead": _("What people let applications use. Each person can take it back on the account page."),
                "state": state,
                "page": page,
            },
            fragment="results",
        )


class ConsentDetail(ConsoleView):
    """One consent: who, to what, which scopes."""

    permission = Permission.CONSENTS_READ

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The page."""
        consent = get_consent(request.actor, consent_id=id_from("consent", public_id))
        row = row_of(consent, request.actor)
        known = {scope.name: scope for scope in realm_scopes()}
        when = {"request": request}
        until: Any = relative_time(when, consent.offline_until, "date") if consent.offline_until else ""  # type: ignore[arg-type]
        facts = [
            {"label": _("Person"), "value": row.person, "url": row.person_url},
            {"label": _("Application"), "value": row.application, "url": row.application_url},
            {"label": _("Works"), "value": row.offline},
            {"label": _("While away until"), "value": until},
            {"label": _("Given"), "value": relative_time(when, consent.granted_at, "exact")},  # type: ignore[arg-type]
            {"label": _("Changed"), "value": relative_time(when, consent.updated_at, "exact")}  # type: ignore[arg-type]
            if consent.updated_at != consent.granted_at
            else {"label": "", "value": ""},
            {"label": _("Withdrawn"), "value": relative_time(when, consent.withdrawn_at, "exact")}  # type: ignore[arg-type]
            if consent.withdrawn_at
            else {"label": "", "value": ""},
            {
                "label": _("Refresh tokens"),
                "value": issued_under_consent(request.realm, consent.user_id, consent.application_id)
                if not row.is_withdrawn
                else None,
            },
            {"label": _("Consent ID"), "value": public_id, "to_copy": public_id},
        ]
        return render_page(
            request,
            "console/consents/consent.html",
            {
                "title": row.application,
                "crumb": f"{row.person} · {row.application}",
                "row": row,
                "scopes": [
                    {
                        "name": name,
                        "title": known[name].shown_title if name in known else name,
                        "description": known[name].shown_description if name in known else "",
                        "sensitive": known[name].sensitive if name in known else False,
                    }
                    for name in consent.scopes
                ],
                "facts": facts,
            },
        )


class Withdraw(ConsoleView):
    """Take a consent back for a person."""

    permission = Permission.CONSENTS_REVOKE

    def _dialog(self, request: ConsoleRequest, consent: Consent, error: str = "") -> HttpResponse:
        row = row_of(consent, request.actor)
        return render_dialog(
            request,
            "console/consents/withdraw.html",
            {
                "title": _("Withdraw consent"),
                "crumb": row.application,
                "row": row,
                "error": error,
                "effects": [
                    {
                        "icon": "token",
                        "label": _("Revoke refresh tokens"),
                        "count": issued_under_consent(request.realm, consent.user_id, consent.application_id),
                        "note": _("at once"),
                    },
                    {"icon": "handshake", "label": _("Take back scopes"), "count": len(row.scopes), "note": ""},
                ],
                "token_note": token_note(request.realm),
                "action": consent_url(consent, "consent_withdraw"),
                "cancel_url": consent_url(consent),
                "danger": True,
            },
            status=409 if error else 200,
        )

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks."""
        consent = get_consent(request.actor, consent_id=id_from("consent", public_id))
        request.actor.require(self.permission, ("application", consent.application_id))
        return self._dialog(request, consent)

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Withdraws."""
        consent = get_consent(request.actor, consent_id=id_from("consent", public_id))
        try:
            withdraw_consent(request.actor, consent_id=consent.pk)
        except Conflict:
            return self._dialog(request, consent, _("It was withdrawn meanwhile."))
        row = row_of(consent, request.actor)
        text = _("%(application)s can no longer use the data of %(person)s.") % {
            "application": row.application,
            "person": row.person,
        }
        return redirect_after(request, reverse("console:consents"), with_trail(request, text, consent.user_id))
