"""People who made an account and wait: let in, or refused."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from console.shell.forms import ConsoleForm
from console.shell.http import ConsoleRequest
from console.users.forms import ReasonForm
from console.users.views.dialogs import Context, PersonAct, PersonDialog
from identity.accounts.commands import approve_user, refuse_user
from identity.accounts.models import User
from identity.kernel.permissions import Permission


class Approve(PersonAct):
    """Let a person in who waited for it."""

    permission = Permission.USERS_INVITE

    def act(self, request: ConsoleRequest, user: User) -> str:
        """Approves."""
        approve_user(request.actor, user_id=user.pk)
        return _("%(person)s can sign in now. A message says so.") % {"person": user.display_name}


class Refuse(PersonDialog):
    """Delete an account that nobody ever came in with."""

    permission = Permission.USERS_INVITE
    name = "user_refuse"
    template = "console/users/refuse.html"

    def form(self, request: ConsoleRequest, user: User, data: Any = None) -> ConsoleForm:
        """Why; the person isn't told."""
        return ReasonForm(data)

    def context(self, request: ConsoleRequest, user: User) -> Context:
        """Whether the person hears of it."""
        return {"is_told": user.email_verified or (not user.email and user.phone_verified_at is not None)}

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Refuses."""
        refuse_user(request.actor, user_id=user.pk, reason=data.get("reason", ""))
        return _("The account of %(person)s is refused and deleted.") % {"person": user.display_name}

    def leave_to(self, user: User) -> str:
        """To those who still wait."""
        return f"{reverse('console:users')}?status=pending"
