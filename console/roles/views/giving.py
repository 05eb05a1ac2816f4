"""Giving a role to a person and taking it away."""

from functools import partial
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from console.roles.rows import role_description, role_title, role_url
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.users.picker import LIMIT, Match, asks_for_matches, matches_of
from identity.access.commands import assign_role, unassign_role
from identity.access.models import Role, RoleKind
from identity.access.queries import get_role, holders_among, manages_roles_of
from identity.accounts.models import User
from identity.accounts.queries import get_holder, get_user, people_for_role
from identity.kernel.errors import Conflict, NotFound, RealmkeepError
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission

BACK_TO_PERSON = "person"
"""`?back=person`: the dialog was opened on the person's page."""


class Give(ConsoleView):
    """Give a role to a person, from the role's page."""

    permission = Permission.ROLES_ASSIGN
    fresh = True

    def _dialog(self, request: ConsoleRequest, role: Role, error: str = "", status: int = 200) -> HttpResponse:
        term = (request.POST.get("q") or request.GET.get("q", "")).strip()
        context = {
            "title": _("Give role"),
            "crumb": role_title(role),
            "role": role,
            "role_title": role_title(role),
            "description": role_description(role),
            "is_console": role.kind == RoleKind.CONSOLE,
            "term": term,
            "chosen": request.POST.get("user", ""),
            "matches": self._matches(request, role, term),
            "names_exactly": not request.actor.can_somewhere(Permission.USERS_READ),
            "error": error,
            "action": role_url(role, "role_give"),
            "cancel_url": role_url(role, "role_people"),
        }
        if asks_for_matches(request):
            return render(request, "console/users/_matches.html", context)
        return render_dialog(request, "console/roles/give.html", context, status=status)

    @staticmethod
    def _matches(request: ConsoleRequest, role: Role, term: str) -> list[Match]:
        found = people_for_role(request.actor, role=role, search=term, limit=LIMIT)
        return matches_of(found, among=partial(holders_among, role.pk), taken=_("holds it already"))

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks whom, or answers the search."""
        return self._dialog(request, get_role(request.actor, role_id=id_from("role", public_id)))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Gives it."""
        role = get_role(request.actor, role_id=id_from("role", public_id))
        chosen = request.POST.get("user", "")
        if not chosen:
            return self._dialog(request, role, _("Choose a person."), 422)
        user = self._chosen(request, role, id_from("user", chosen))
        assign_role(request.actor, user_id=user.pk, role_id=role.pk)
        text = _("%(person)s holds the role %(role)s now.") % {"person": user.display_name, "role": role_title(role)}
        return redirect_after(
            request, role_url(role, "role_people"), with_trail(request, text, user.pk, name=user.display_name)
        )

    @staticmethod
    def _chosen(request: ConsoleRequest, role: Role, user_id: UUID) -> User:
        """A person whom the actor sees, or has just named exactly: an id alone must not tell a name. Raises NotFound"""
        if not request.actor.can(Permission.USERS_READ) and manages_roles_of(request.actor, role):
            named = people_for_role(request.actor, role=role, search=request.POST.get("q", ""), limit=LIMIT)
            for user in named:
                if user.pk == user_id:
                    return user
            if not request.actor.can_somewhere(Permission.USERS_READ):
                raise NotFound
        return get_user(request.actor, user_id=user_id)


class Take(ConsoleView):
    """Take a role from a person; the same dialog serves the role's and the person's page."""

    permission = Permission.ROLES_ASSIGN
    fresh = True

    def _dialog(
        self, request: ConsoleRequest, role: Role, user_id: UUID, error: RealmkeepError | None = None
    ) -> HttpResponse:
        user = get_holder(request.actor, role=role, user_id=user_id)
        return render_dialog(
            request,
            "console/roles/take.html",
            {
                "title": _("Take role"),
                "crumb": role_title(role),
                "role": role,
                "role_title": role_title(role),
                "is_console": role.kind == RoleKind.CONSOLE,
                "is_self": user.pk == request.actor.id,
                "person": user,
                "error": error.message if error else "",
                "action": reverse("console:role_take", args=[public_id("role", role.pk), public_id("user", user.pk)])
                + (f"?back={BACK_TO_PERSON}" if request.GET.get("back") == BACK_TO_PERSON else ""),
                "cancel_url": self._back(request, role, user.pk),
                "danger": True,
            },
            status=409 if error else 200,
        )

    @staticmethod
    def _back(request: ConsoleRequest, role: Role, user_id: UUID) -> str:
        if request.GET.get("back") == BACK_TO_PERSON:
            return reverse("console:user_access", args=[public_id("user", user_id)])
        return role_url(role, "role_people")

    def get(self, request: ConsoleRequest, public_id: str, user_id: str) -> HttpResponse:
        """Asks."""
        role = get_role(request.actor, role_id=id_from("role", public_id))
        return self._dialog(request, role, id_from("user", user_id))

    def post(self, request: ConsoleRequest, public_id: str, user_id: str) -> HttpResponse:
        """Takes it; the last owner stays."""
        role = get_role(request.actor, role_id=id_from("role", public_id))
        user = get_holder(request.actor, role=role, user_id=id_from("user", user_id))
        try:
            unassign_role(request.actor, user_id=user.pk, role_id=role.pk)
        except Conflict as error:
            return self._dialog(request, role, user.pk, error)
        text = _("%(person)s no longer holds the role %(role)s.") % {
            "person": user.display_name,
            "role": role_title(role),
        }
        return redirect_after(
            request, self._back(request, role, user.pk), with_trail(request, text, user.pk, name=user.display_name)
        )
