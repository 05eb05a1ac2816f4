"""Acts on a person's password."""

from typing import Any

from django.utils.translation import gettext as _

from console.sessions.effects import effects_of
from console.shell.forms import ConsoleForm
from console.shell.http import ConsoleRequest
from console.users.forms import NewPasswordForm
from console.users.views.dialogs import Context, PersonDialog
from identity.accounts.commands import require_new_password
from identity.accounts.models import User
from identity.kernel.permissions import Permission
from identity.oauth.queries.issued import issued_to_people


class RequireNewPassword(PersonDialog):
    """Let nobody in before the password is replaced."""

    permission = Permission.USERS_WRITE
    name = "user_new_password"
    template = "console/users/new_password.html"

    def form(self, request: ConsoleRequest, user: User, data: Any = None) -> ConsoleForm:
        """Why, and whether what is open ends now."""
        return NewPasswordForm(data)

    def context(self, request: ConsoleRequest, user: User) -> Context:
        """What the second choice would end."""
        return {"effects": effects_of(issued_to_people(request.realm, [user.pk]))}

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Requires it."""
        require_new_password(
            request.actor, user_id=user.pk, reason=data["reason"], end_sessions=bool(data["end_sessions"])
        )
        return _("%(person)s chooses a new password at the next sign-in.") % {"person": user.display_name}
