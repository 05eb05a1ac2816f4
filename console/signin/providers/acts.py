"""Acts on one identity provider: another secret, disabling, enabling and deleting, with what each hits."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from console.shell.forms import TypedConfirmForm
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest, number_in
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.signin.providers.forms import SecretForm
from console.signin.providers.rows import provider_url
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.permissions import Permission
from identity.realms.commands import enable_provider, set_provider_secret
from identity.realms.queries import get_provider, provider_key
from identity.signin.commands import close_provider, remove_provider
from identity.signin.queries import depend_on_provider, use_of_providers


class Secret(ConsoleView):
    """Replace the secret."""

    permission = Permission.SETTINGS_WRITE

    def dialog(self, request: ConsoleRequest, alias: str, form: SecretForm | None, status: int = 200) -> HttpResponse:
        """Asks for it."""
        provider = get_provider(request.actor, alias=alias)
        context = {
            "title": _("Replace secret"),
            "crumb": provider.name,
            "provider": provider,
            "form": form or SecretForm(kind=provider.kind),
            "action": request.path,
            "cancel_url": provider_url(provider),
        }
        return render_dialog(request, "console/signin/providers/secret.html", context, status=status)

    def get(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """Asks."""
        return self.dialog(request, alias, None)

    def post(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """From now on the new one."""
        provider = get_provider(request.actor, alias=alias)
        form = SecretForm(request.POST, kind=provider.kind)
        if not form.is_valid():
            return self.dialog(request, alias, form, 422)
        try:
            set_provider_secret(request.actor, provider_id=provider.pk, secret=form.cleaned_data["secret"])
        except Invalid as error:
            form.add_refusal(error)
            return self.dialog(request, alias, form, 422)
        text = with_trail(request, _("The secret is replaced."), provider.pk)
        return redirect_after(request, provider_url(provider), text)


class _Act(ConsoleView):
    """A dialog about one provider, with what it hits."""

    permission = Permission.SETTINGS_WRITE
    template = ""
    danger = False

    def dialog(self, request: ConsoleRequest, alias: str, *, status: int = 200, **extra: Any) -> HttpResponse:
        """With fresh counts."""
        provider = get_provider(request.actor, alias=alias)
        key = provider_key(provider)
        linked, _last = use_of_providers(request.actor, keys=[key]).get(key, (0, None))
        stranded = depend_on_provider(request.actor, provider=provider, realm=request.realm) if provider.enabled else 0
        context = {
            "title": provider.name,
            "crumb": provider.name,
            "provider": provider,
            "effects": [
                {"icon": "link", "label": _("People linked"), "count": linked, "key": "linked"},
                {
                    "icon": "lock",
                    "label": _("People with no other way in"),
                    "count": stranded,
                    "key": "stranded",
                },
            ],
            "action": request.path,
            "cancel_url": provider_url(provider),
            "disable_url": provider_url(provider, "signin_provider_disable"),
            "danger": self.danger,
            **extra,
        }
        return render_dialog(request, self.template, context, status=status)

    def get(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """Asks."""
        return self.dialog(request, alias)


class Disable(_Act):
    """Nobody comes in through it; links stay."""

    template = "console/signin/providers/disable.html"

    def post(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """Disables it."""
        provider = get_provider(request.actor, alias=alias)
        try:
            close_provider(request.actor, provider_id=provider.pk)
        except Conflict as error:
            return self.dialog(request, alias, error=str(error.message), status=409)
        text = with_trail(request, _("%(name)s is disabled.") % {"name": provider.name}, provider.pk)
        return redirect_after(request, provider_url(provider), text)


class Enable(ConsoleView):
    """Let people in through it again."""

    permission = Permission.SETTINGS_WRITE
    http_method_names = ["post"]

    def post(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """Enables it."""
        provider = get_provider(request.actor, alias=alias)
        enable_provider(request.actor, provider_id=provider.pk)
        text = with_trail(request, _("%(name)s lets people in again.") % {"name": provider.name}, provider.pk)
        return redirect_after(request, provider_url(provider), text)


class Delete(_Act):
    """Delete it with its links, once its name was typed and nothing grew meanwhile."""

    template = "console/signin/providers/delete.html"
    danger = True

    def get(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """Asks for the name."""
        return self.dialog(request, alias, form=TypedConfirmForm(expected=alias))

    def post(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """Deletes it."""
        provider = get_provider(request.actor, alias=alias)
        form = TypedConfirmForm(request.POST, expected=alias)
        if not form.is_valid():
            return self.dialog(request, alias, form=form, status=422)
        stranded = depend_on_provider(request.actor, provider=provider, realm=request.realm)
        seen = request.POST.get("seen_stranded", "")
        if provider.enabled and (before := number_in(seen)) is not None and stranded > before:
            grown = _("Meanwhile %(n)s people have no other way in. Look at the numbers again.") % {"n": stranded}
            return self.dialog(request, alias, form=form, error=grown, status=409)
        try:
            remove_provider(request.actor, provider_id=provider.pk, typed_alias=form.cleaned_data["confirm"].strip())
        except Conflict as error:
            return self.dialog(request, alias, form=form, error=str(error.message), status=409)
        text = with_trail(request, _("%(name)s is deleted.") % {"name": provider.name}, provider.pk)
        return redirect_after(request, reverse("console:signin_providers"), text)
