"""What is done to a provider of text messages: its place, on and off, gone."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from console.shell.forms import TypedConfirmForm
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.signin.messages import wording
from console.signin.messages.views import ids_of, provider_of, provider_url
from identity.courier.commands import change_sms_provider, delete_sms_provider, reorder_sms_providers
from identity.courier.models import MessageStatus, SmsProvider
from identity.courier.queries import find_messages, find_sms_providers, sms_methods_on
from identity.kernel.errors import Conflict
from identity.kernel.permissions import Permission

LIST = "console:signin_messages"


class Move(ConsoleView):
    """One place up or down."""

    permission = Permission.SETTINGS_WRITE
    http_method_names = ["post"]

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Changes places with its neighbor."""
        order = ids_of(find_sms_providers(request.actor))
        place = order.index(provider_of(request, public_id).pk)
        other = place - 1 if "up" in request.POST else place + 1
        if 0 <= other < len(order):
            order[place], order[other] = order[other], order[place]
            reorder_sms_providers(request.actor, provider_ids=order)
        return redirect(LIST)


class Enable(ConsoleView):
    """Use it again."""

    permission = Permission.SETTINGS_WRITE
    http_method_names = ["post"]

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """From now on."""
        provider = provider_of(request, public_id)
        change_sms_provider(request.actor, provider_id=provider.pk, enabled=True)
        text = with_trail(request, _("%(name)s is enabled.") % {"name": provider.name}, provider.pk, "sms_provider")
        return redirect_after(request, provider_url(provider), text)


class _Act(ConsoleView):
    """A dialog about one provider, with what it hits."""

    permission = Permission.SETTINGS_WRITE
    template = ""
    danger = False

    def dialog(self, request: ConsoleRequest, provider: SmsProvider, status: int = 200, **extra: Any) -> HttpResponse:
        """With fresh counts."""
        others = [each for each in find_sms_providers(request.actor) if each.enabled and each.pk != provider.pk]
        is_last = provider.enabled and not others
        methods = [str(wording.METHODS[name]) for name in sms_methods_on(request.realm)] if is_last else []
        waiting = find_messages(request.actor, status=MessageStatus.QUEUED).count()
        context = {
            "title": provider.name,
            "crumb": provider.name,
            "provider": provider,
            "is_last": is_last,
            "development": settings.REALMKEEP_DEVELOPMENT,
            "effects": [
                {
                    "icon": "sms",
                    "label": _("Ways that stop working"),
                    "count": len(methods),
                    "note": ", ".join(methods),
                },
                {
                    "icon": "hourglass_top",
                    "label": _("Messages that wait"),
                    "count": waiting,
                    "note": (_("are not sent") if is_last else _("go by the others")) if waiting else "",
                },
                {"icon": "swap_horiz", "label": _("Other providers"), "count": len(others), "note": ""},
            ],
            "action": request.path,
            "cancel_url": provider_url(provider),
            "disable_url": provider_url(provider, "signin_sms_disable"),
            "danger": self.danger,
            **extra,
        }
        return render_dialog(request, self.template, context, status=status)


class Disable(_Act):
    """Leave it out until it is enabled again."""

    template = "console/signin/messages/disable.html"

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks."""
        return self.dialog(request, provider_of(request, public_id))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """From now on."""
        provider = provider_of(request, public_id)
        change_sms_provider(request.actor, provider_id=provider.pk, enabled=False)
        text = with_trail(request, _("%(name)s is disabled.") % {"name": provider.name}, provider.pk, "sms_provider")
        return redirect_after(request, provider_url(provider), text)


class Delete(_Act):
    """Gone for good, with its secret."""

    template = "console/signin/messages/delete.html"
    danger = True

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks for its name."""
        provider = provider_of(request, public_id)
        return self.dialog(request, provider, form=TypedConfirmForm(expected=provider.name))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Deletes it."""
        provider = provider_of(request, public_id)
        form = TypedConfirmForm(request.POST, expected=provider.name)
        if not form.is_valid():
            return self.dialog(request, provider, 422, form=form)
        try:
            delete_sms_provider(request.actor, provider_id=provider.pk)
        except Conflict as error:
            return self.dialog(request, provider, 409, form=form, error=str(error.message))
        text = with_trail(request, _("%(name)s is deleted.") % {"name": provider.name}, provider.pk, "sms_provider")
        return redirect_after(request, reverse(LIST), text)
