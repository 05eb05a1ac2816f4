"""Pages and dialogs of the realms area."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.realms.forms import EnterForm, FoundForm, SuspendForm
from console.realms.rows import console_of, realm_page, row_of, status_of, visit_of
from console.shell.forms import ConsoleForm, TypedConfirmForm
from console.shell.fragments import redirect_after, render_dialog, render_page
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.lists import Filter, ListState, Option, paginate
from console.shell.views import ConsoleView
from console.templatetags.rk import relative_time
from identity.access.commands import end_visit, open_visit
from identity.access.queries import visits_to
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.naming import issuer_of
from identity.kernel.permissions import Permission
from identity.oauth.commands.founding import found_realm
from identity.oauth.queries.sizes import RealmSize, size_of
from identity.realms.commands import delete_realm, resume_realm, suspend_realm
from identity.realms.models import Realm
from identity.realms.queries import get_realm_as_operator, list_realms
from identity.signin.rules import safe_return

STATUS = Filter(
    "status",
    gettext_lazy("Status"),
    (
        Option("active", gettext_lazy("Active")),
        Option("suspended", gettext_lazy("Suspended")),
        Option("deleting", gettext_lazy("Deleted")),
    ),
)
VISITS_SHOWN = 10


class Realms(ConsoleView):
    """All realms, newest first."""

    permission = Permission.REALMS_READ

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The list."""
        state = ListState(request, (STATUS,))
        found = list_realms(request.actor, search=state.search, status=state.get("status"))
        page = paginate(state, found, order=("-id",))
        page.rows[:] = [row_of(realm, request.actor) for realm in page.rows]
        return render_page(
            request,
            "console/realms/list.html",
            {
                "title": _("Realms"),
                "lead": _("Each realm is a tenant with its own people, applications, keys and console."),
                "state": state,
                "page": page,
                "may_create": request.actor.can(Permission.REALMS_WRITE),
            },
            fragment="results",
        )


class Create(ConsoleView):
    """Found a realm and invite its first owner."""

    permission = Permission.REALMS_WRITE

    def _page(self, request: ConsoleRequest, form: ConsoleForm, status: int = 200) -> HttpResponse:
        return render_page(
            request,
            "console/form.html",
            {
                "title": _("Create a realm"),
                "crumb": _("New realm"),
                "form": form,
                "action": reverse("console:realm_create"),
                "submit": _("Create realm"),
                "cancel_url": reverse("console:realms"),
            },
            status=status,
        )

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The empty form."""
        return self._page(request, FoundForm())

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Founds it."""
        form = FoundForm(request.POST)
        if form.is_valid():
            fields = dict(form.cleaned_data)
            wanted = {"sign_up_open": fields.pop("sign_up_open")}
            try:
                realm = found_realm(request.actor, settings=wanted, **fields)
            except Invalid as error:
                form.add_refusal(error)
            else:
                text = _("The realm %(name)s stands. An invitation is on its way to %(email)s.") % {
                    "name": realm.name,
                    "email": fields["owner_email"],
                }
                return redirect_after(request, realm_page(realm), text)
        return self._page(request, form, 422)


class RealmDetail(ConsoleView):
    """One realm from outside: state, size, visits. What is in it needs a visit."""

    permission = Permission.REALMS_READ

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The page."""
        actor = request.actor
        realm = get_realm_as_operator(actor, realm_id=id_from("realm", public_id))
        row = row_of(realm, actor)
        when = {"request": request}
        facts: list[dict[str, Any]] = [
            {"label": _("Slug"), "value": realm.slug, "to_copy": realm.slug},
            {"label": _("Issuer"), "value": issuer_of(realm), "to_copy": issuer_of(realm)},
            {"label": _("Own host"), "value": realm.host or "", "mono": True},
            {"label": _("Language"), "value": dict(settings.LANGUAGES).get(realm.setting("language"), "")},
            {"label": _("Time zone"), "value": realm.setting("time_zone")},
            {"label": _("Sign-up"), "value": _("open") if realm.setting("sign_up_open") else _("by invitation")},
            {"label": _("Created"), "value": relative_time(when, realm.created_at, "date")},  # type: ignore[arg-type]
        ]
        return render_page(
            request,
            "console/realms/realm.html",
            {
                "title": realm.name,
                "crumb": realm.name,
                "realm": realm,
                "row": row,
                "menu": [item for item in row.menu[1:] if not item.get("url", "").endswith("/enter")],
                "size": size_of(actor, realm=realm),
                "facts": facts,
                "visits": [visit_of(v, realm, actor) for v in visits_to(actor, realm=realm, limit=VISITS_SHOWN)],
            },
        )


class RealmDialog(ConsoleView):
    """GET asks; POST acts and leaves, or asks again with what was refused."""

    name = ""
    template = ""
    danger = True

    def form(self, realm: Realm, data: Any = None) -> ConsoleForm | None:
        """The dialog's form, if it has one."""
        return None

    def context(self, request: ConsoleRequest, realm: Realm) -> dict[str, Any]:
        """What the template needs besides the realm."""
        return {"effects": effects_of(size_of(request.actor, realm=realm))}

    def act(self, request: ConsoleRequest, realm: Realm, data: dict[str, Any]) -> HttpResponse:
        """Calls the command and leaves."""
        raise NotImplementedError

    def _dialog(
        self, request: ConsoleRequest, realm: Realm, form: ConsoleForm | None, error: str = "", status: int = 200
    ) -> HttpResponse:
        return render_dialog(
            request,
            self.template,
            {
                "title": realm.name,
                "crumb": realm.name,
                "realm": realm,
                "form": form,
                "error": error,
                "action": realm_page(realm, self.name),
                "cancel_url": realm_page(realm),
                "danger": self.danger,
                "status": status_of(realm),
                **self.context(request, realm),
            },
            status=status,
        )

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks."""
        realm = get_realm_as_operator(request.actor, realm_id=id_from("realm", public_id))
        return self._dialog(request, realm, self.form(realm))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Acts."""
        realm = get_realm_as_operator(request.actor, realm_id=id_from("realm", public_id))
        form = self.form(realm, request.POST)
        if form is not None and not form.is_valid():
            return self._dialog(request, realm, form, status=422)
        try:
            return self.act(request, realm, form.cleaned_data if form is not None else {})
        except Invalid as error:
            if form is not None:
                form.add_refusal(error)
            return self._dialog(request, realm, form, "" if form else str(error.message), 422)
        except Conflict as error:
            return self._dialog(request, realm, self.form(realm), str(error.message), 409)


def effects_of(size: RealmSize) -> list[dict[str, Any]]:
    """What loses its use with the realm, counted when the dialog opened."""
    return [
        {"icon": "group", "label": _("People"), "count": size.people, "note": _("can’t sign in")},
        {"icon": "apps", "label": _("Applications"), "count": size.applications, "note": _("are refused")},
        {"icon": "logout", "label": _("Sessions"), "count": size.sessions, "note": _("stop at once")},
        {"icon": "token", "label": _("Refresh tokens"), "count": size.refresh_tokens, "note": _("are refused")},
    ]


class Suspend(RealmDialog):
    """Everybody out, until it is brought back."""

    permission = Permission.REALMS_WRITE
    fresh = True
    name = "realm_suspend"
    template = "console/realms/suspend.html"

    def form(self, realm: Realm, data: Any = None) -> ConsoleForm:
        """Why."""
        return SuspendForm(data)

    def act(self, request: ConsoleRequest, realm: Realm, data: dict[str, Any]) -> HttpResponse:
        """Suspends."""
        suspend_realm(request.actor, realm_id=realm.pk, reason=data["reason"])
        return redirect_after(request, realm_page(realm), _("%(name)s is suspended.") % {"name": realm.name})


class Resume(RealmDialog):
    """Bring back a suspended or deleted realm."""

    permission = Permission.REALMS_WRITE
    name = "realm_resume"
    template = "console/realms/resume.html"
    danger = False

    def act(self, request: ConsoleRequest, realm: Realm, data: dict[str, Any]) -> HttpResponse:
        """Brings back."""
        resume_realm(request.actor, realm_id=realm.pk)
        return redirect_after(request, realm_page(realm), _("%(name)s is back.") % {"name": realm.name})


class Delete(RealmDialog):
    """Suspend at once, purge after 30 days; the slug has to be typed (DECISIONS 29)."""

    permission = Permission.REALMS_DELETE
    fresh = True
    name = "realm_delete"
    template = "console/realms/delete.html"

    def form(self, realm: Realm, data: Any = None) -> ConsoleForm:
        """The slug."""
        return TypedConfirmForm(data, expected=realm.slug)

    def context(self, request: ConsoleRequest, realm: Realm) -> dict[str, Any]:
        """The counts, and what stays."""
        effects = super().context(request, realm)["effects"]
        kept = {"icon": "receipt_long", "label": _("Audit records"), "count": _("all"), "note": _("are kept")}
        return {
            "effects": [*effects, kept],
            "expected": realm.slug,
            "suspend_url": realm_page(realm, "realm_suspend")
            if realm.is_active and request.actor.can(Permission.REALMS_WRITE)
            else "",
        }

    def act(self, request: ConsoleRequest, realm: Realm, data: dict[str, Any]) -> HttpResponse:
        """Deletes."""
        delete_realm(request.actor, realm_id=realm.pk, typed_slug=data["confirm"].strip())
        text = _("%(name)s is deleted. It can be brought back for 30 days.") % {"name": realm.name}
        return redirect_after(request, realm_page(realm), text)


class Enter(RealmDialog):
    """Open a visit and go there."""

    permission = Permission.REALMS_VISIT
    fresh = True
    name = "realm_enter"
    template = "console/realms/enter.html"
    danger = False

    def form(self, realm: Realm, data: Any = None) -> ConsoleForm:
        """Why, and for how long."""
        return EnterForm(data)

    def context(self, request: ConsoleRequest, realm: Realm) -> dict[str, Any]:
        """Nothing is hit."""
        return {}

    def act(self, request: ConsoleRequest, realm: Realm, data: dict[str, Any]) -> HttpResponse:
        """Enters."""
        open_visit(request.actor, realm_id=realm.pk, reason=data["reason"], minutes=int(data["minutes"]))
        return redirect_after(request, console_of(realm))


class Back(ConsoleView):
    """Back into a visit, to the page where a fresh sign-in was asked for: `next` never leaves its own realm."""

    permission = Permission.REALMS_VISIT
    http_method_names = ["get"]

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """To the page `to`, if it is of that realm's console; else to its first."""
        console = console_of(get_realm_as_operator(request.actor, realm_id=id_from("realm", public_id)))
        to = request.GET.get("to", "")
        return redirect(to if safe_return(to, prefix=console.rstrip("/")) else console)


class EndVisit(ConsoleView):
    """End an open visit from the platform's side: one's own, or a colleague's."""

    permission = Permission.REALMS_VISIT
    http_method_names = ["post"]

    def post(self, request: ConsoleRequest, public_id: str, visit_id: str) -> HttpResponse:
        """Ends."""
        realm = get_realm_as_operator(request.actor, realm_id=id_from("realm", public_id))
        end_visit(request.actor, realm_id=realm.pk, visit_id=id_from("visit", visit_id))
        return redirect_after(request, realm_page(realm), _("The visit is over."))
