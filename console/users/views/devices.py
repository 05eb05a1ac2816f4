"""Forgetting a device of somebody's."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.shell.http import ConsoleRequest
from console.users.devices import device_title
from console.users.views.dialogs import Context, PersonDialog
from identity.accounts.models import User
from identity.kernel.errors import NotFound
from identity.kernel.permissions import Permission
from identity.sessions.commands import forget_device
from identity.sessions.models import Device, DeviceStatus
from identity.sessions.queries import count_sessions_on, devices_seen_by


class ForgetDevice(PersonDialog):
    """End what is signed in there, and know it no more."""

    permission = Permission.SESSIONS_END
    name = "user"
    template = "console/users/forget_device.html"

    def get(self, request: ConsoleRequest, public_id: str, device_id: UUID) -> HttpResponse:  # type: ignore[override]
        """Asks."""
        return super().get(request, public_id)

    def post(self, request: ConsoleRequest, public_id: str, device_id: UUID) -> HttpResponse:  # type: ignore[override]
        """Forgets it."""
        return super().post(request, public_id)

    def context(self, request: ConsoleRequest, user: User) -> Context:
        """Which one, and what it hits at this moment. Raises NotFound."""
        device = self._device(request, user)
        return {
            "device": device_title(device),
            "sessions": count_sessions_on(device),
            "action": request.path,
        }

    def _device(self, request: ConsoleRequest, user: User) -> Device:
        rows = devices_seen_by(request.actor, user_id=user.pk).exclude(status=DeviceStatus.DENIED)
        device = rows.filter(pk=self.kwargs["device_id"]).first()
        if device is None:
            raise NotFound
        return device

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Forgets."""
        count = count_sessions_on(self._device(request, user))
        forget_device(request.actor, user_id=user.pk, device_id=self.kwargs["device_id"])
        ended = ngettext("%(n)s session ended.", "%(n)s sessions ended.", count) % {"n": count}
        told = _("The device is forgotten.")
        return f"{told} {ended}"
