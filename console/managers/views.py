"""The dialogs that add a manager to an object and take permissions back; areas say which object."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from console.managers.rows import rows_of
from console.managers.wording import USUAL, label_on
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.users.picker import asks_for_matches, matches
from identity.access.commands import grant_several, revoke_several
from identity.access.queries import grantable_by, grants_on
from identity.accounts.models import User
from identity.accounts.queries import get_user
from identity.kernel.actor import Actor
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission


@dataclass(frozen=True)
class Managed:
    """The application or organization at hand, and the addresses of its dialogs."""

    kind: str
    pk: UUID
    name: str
    page_url: str
    add_url: str
    take_url: Callable[[str], str]


def managers_context(actor: Actor, managed: Managed) -> dict[str, Any]:
    """What `console/managers/_card.html` needs; `managers` is None for one who may not know them."""
    may_see = actor.can(Permission.ROLES_READ) and actor.can(Permission.USERS_READ)
    grants = grants_on(actor, kind=managed.kind, object_id=managed.pk) if may_see else None
    return {
        "managed": managed,
        "managers": None if grants is None else rows_of(managed.kind, grants, managed.take_url),
        "may_add_managers": may_see and bool(grantable_by(actor, kind=managed.kind, object_id=managed.pk)),
    }


class _ManagersDialog(ConsoleView):
    """What both dialogs share: giving on single objects takes roles:assign on the whole realm."""

    permission = Permission.ROLES_ASSIGN

    @abstractmethod
    def managed(self, request: ConsoleRequest, public_id: str) -> Managed:
        """The object of the address. Raises NotFound, PermissionDenied."""

    def allowed(self, request: ConsoleRequest, public_id: str) -> Managed:
        """The same, for one who may decide about its managers."""
        managed = self.managed(request, public_id)
        request.actor.require(Permission.ROLES_ASSIGN)
        return managed


class AddManager(_ManagersDialog):
    """Choose a person and what may be done here; nobody gives what he does not hold."""

    fresh = True

    def _dialog(
        self, request: ConsoleRequest, managed: Managed, *, error: str = "", nothing_chosen: str = "", status: int = 200
    ) -> HttpResponse:
        term = (request.POST.get("q") or request.GET.get("q", "")).strip()
        chosen = set(request.POST.getlist("permissions")) if request.method == "POST" else USUAL[managed.kind]
        mine = grantable_by(request.actor, kind=managed.kind, object_id=managed.pk)
        context = {
            "title": _("Add a manager"),
            "crumb": managed.name,
            "managed": managed,
            "term": term,
            "chosen": request.POST.get("user", ""),
            "matches": matches(request.actor, term, among=lambda _ids: (), taken=""),
            "error": error,
            "nothing_chosen": nothing_chosen,
            "permissions": [(str(p), label_on(managed.kind, p), p in chosen) for p in mine],
            "action": managed.add_url,
            "cancel_url": managed.page_url,
        }
        if asks_for_matches(request):
            return render(request, "console/users/_matches.html", context)
        return render_dialog(request, "console/managers/add.html", context, status=status)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks whom and what, or answers the search."""
        return self._dialog(request, self.allowed(request, public_id))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Grants."""
        managed = self.allowed(request, public_id)
        chosen, permissions = request.POST.get("user", ""), request.POST.getlist("permissions")
        if not chosen:
            return self._dialog(request, managed, error=_("Choose a person."), status=422)
        if not permissions:
            return self._dialog(request, managed, nothing_chosen=_("Tick what may be done here."), status=422)
        user = get_user(request.actor, user_id=id_from("user", chosen))
        grant_several(request.actor, user_id=user.pk, permissions=permissions, kind=managed.kind, object_id=managed.pk)
        text = _("%(person)s manages %(name)s now.") % {"person": user.display_name, "name": managed.name}
        return redirect_after(request, managed.page_url, with_trail(request, text, user.pk, name=user.display_name))


class TakeFromManager(_ManagersDialog):
    """Take some or all of what a person holds here."""

    def _held(self, request: ConsoleRequest, managed: Managed, user: User) -> list[str]:
        found = grants_on(request.actor, kind=managed.kind, object_id=managed.pk, user_id=user.pk)
        held = [grant.permission.codename for grant in found]
        if not held:
            raise NotFound
        return held

    def _dialog(
        self, request: ConsoleRequest, managed: Managed, user: User, *, error: str = "", status: int = 200
    ) -> HttpResponse:
        held = self._held(request, managed, user)
        mine = grantable_by(request.actor, kind=managed.kind, object_id=managed.pk)
        context = {
            "title": _("Take permissions"),
            "crumb": managed.name,
            "managed": managed,
            "person": user,
            "is_self": user.pk == request.actor.id,
            "permissions": [(word, label_on(managed.kind, word), word in mine) for word in held],
            "error": error,
            "action": request.path,
            "cancel_url": managed.page_url,
            "danger": True,
        }
        return render_dialog(request, "console/managers/take.html", context, status=status)

    def get(self, request: ConsoleRequest, public_id: str, user_id: str) -> HttpResponse:
        """Asks what."""
        managed = self.allowed(request, public_id)
        return self._dialog(request, managed, get_user(request.actor, user_id=id_from("user", user_id)))

    def post(self, request: ConsoleRequest, public_id: str, user_id: str) -> HttpResponse:
        """Takes it."""
        managed = self.allowed(request, public_id)
        user = get_user(request.actor, user_id=id_from("user", user_id))
        self._held(request, managed, user)
        permissions = request.POST.getlist("permissions")
        if not permissions:
            return self._dialog(request, managed, user, error=_("Tick what to take away."), status=422)
        revoke_several(request.actor, user_id=user.pk, permissions=permissions, kind=managed.kind, object_id=managed.pk)
        text = _("%(person)s holds less on %(name)s now.") % {"person": user.display_name, "name": managed.name}
        return redirect_after(request, managed.page_url, with_trail(request, text, user.pk, name=user.display_name))
