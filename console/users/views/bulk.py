"""Acts on a selection of people. A foreign id in it refuses the whole (TI-04)."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.sessions.effects import effects_of, token_note
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest
from console.shell.ids import ids_from
from console.shell.views import ConsoleView
from identity.accounts.commands import disable_user
from identity.accounts.models import User
from identity.accounts.queries import get_user
from identity.kernel.errors import Conflict, PermissionDenied
from identity.kernel.permissions import Permission
from identity.oauth.queries.issued import issued_to_people
from identity.sessions.commands import end_sessions_of_user

MOST = 200


class ManyPeople(ConsoleView):
    """GET asks about the selection, POST acts on each and says how many."""

    url_name = ""
    template = ""

    def selection(self, request: ConsoleRequest, texts: list[str]) -> list[User]:
        """The selected people. Raises NotFound when the actor can't see one of them."""
        return [get_user(request.actor, user_id=pk) for pk in ids_from("user", texts[:MOST])]

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """Asks."""
        people = self.selection(request, request.GET.getlist("ids"))
        if not people:
            return redirect_after(request, reverse("console:users"), _("Select somebody first."), level="info")
        issued = issued_to_people(request.realm, [user.pk for user in people])
        context: dict[str, Any] = {
            "title": _("Selected people"),
            "crumb": _("Selected people"),
            "people": people,
            "ids": request.GET.getlist("ids"),
            "names": ", ".join(user.display_name for user in people[:3]),
            "others": max(len(people) - 3, 0),
            "issued": issued,
            "effects": effects_of(issued),
            "token_note": token_note(request.realm),
            "action": reverse(f"console:{self.url_name}"),
            "cancel_url": reverse("console:users"),
            "danger": True,
        }
        return render_dialog(request, self.template, context)


class EndSessionsOfMany(ManyPeople):
    """Sign several people out everywhere."""

    permission = Permission.SESSIONS_END
    url_name = "users_end_sessions"
    template = "console/users/end_sessions_many.html"

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Ends; the sessions of people of higher rank stay, and the result says so."""
        people = self.selection(request, request.POST.getlist("ids"))
        actor = request.actor
        ended, refused = 0, []
        for user in people:
            own = actor.session_id if user.pk == actor.id else None
            try:
                ended += end_sessions_of_user(actor, user_id=user.pk, except_session_id=own)
            except PermissionDenied as error:
                refused.append(f"{user.display_name}: {error.message}")
        text = ngettext("%(n)s session ended.", "%(n)s sessions ended.", ended) % {"n": ended}
        return redirect_after(
            request,
            reverse("console:users"),
            " ".join([text, *refused[:3]]),
            level="warning" if refused else "success",
        )


class DisableMany(ManyPeople):
    """Disable several people."""

    permission = Permission.USERS_DISABLE
    url_name = "users_disable"
    template = "console/users/disable_many.html"

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Disables each; oneself, the last owner and people of higher rank stay, and the result says so."""
        people = self.selection(request, request.POST.getlist("ids"))
        done, refused = 0, []
        for user in people:
            try:
                disable_user(request.actor, user_id=user.pk)
                done += 1
            except (Conflict, PermissionDenied) as error:
                refused.append(f"{user.display_name}: {error.message}")
        text = ngettext("%(n)s account is disabled.", "%(n)s accounts are disabled.", done) % {"n": done}
        return redirect_after(
            request,
            reverse("console:users"),
            " ".join([text, *refused[:3]]),
            level="warning" if refused else "success",
        )
