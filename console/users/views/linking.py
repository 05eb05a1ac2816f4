"""Ending a link of somebody's account with one elsewhere."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from console.shell.http import ConsoleRequest
from console.users.views.dialogs import Context, PersonDialog
from identity.accounts.models import User
from identity.kernel.permissions import Permission
from identity.signin.commands import unlink_identity
from identity.signin.social import linked_account


class Unlink(PersonDialog):
    """End a link for somebody. The command refuses the last way in."""

    permission = Permission.USERS_WRITE
    name = "user"
    template = "console/users/unlink.html"

    def get(self, request: ConsoleRequest, public_id: str, alias: str) -> HttpResponse:  # type: ignore[override]
        """Asks."""
        return super().get(request, public_id)

    def post(self, request: ConsoleRequest, public_id: str, alias: str) -> HttpResponse:  # type: ignore[override]
        """Ends it."""
        return super().post(request, public_id)

    def context(self, request: ConsoleRequest, user: User) -> Context:
        """Which one. Raises NotFound."""
        return {"linked": linked_account(user, self.kwargs["alias"]), "action": request.path}

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Unlinks."""
        provider = linked_account(user, self.kwargs["alias"])["provider"]
        unlink_identity(request.actor, user_id=user.pk, provider_id=provider.pk)
        return _("%(provider)s no longer opens the account. A mail says so.") % {"provider": provider.name}
