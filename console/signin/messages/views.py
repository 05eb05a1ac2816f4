"""The page of text messages, and those of one provider."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.shell.dates import day
from console.shell.fragments import redirect_after, render_page
from console.shell.http import ConsoleRequest, number_in
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.signin.messages import wording
from console.signin.messages.forms import CheckForm, LimitsForm, ProviderForm
from console.signin.policy import Card, PolicyPage
from identity.courier.commands import change_sms_provider, check_sms_provider, create_sms_provider
from identity.courier.models import Message, SmsProvider
from identity.courier.queries import (
    day_end,
    find_messages,
    find_sms_providers,
    get_sms_provider,
    sms_methods_on,
    spend_today,
)
from identity.courier.rules.numbers import region_of
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.ids import parse_public_id, public_id
from identity.kernel.permissions import Permission

LATEST = 15
MOST_RANGES = 12


def provider_url(provider: SmsProvider, name: str = "signin_sms") -> str:
    """The address of a page about it."""
    return reverse(f"console:{name}", args=[public_id("sms_provider", provider.pk)])


def provider_of(request: ConsoleRequest, text: str) -> SmsProvider:
    """The provider of an address. Raises NotFound, PermissionDenied."""
    pk = parse_public_id("sms_provider", text)
    if pk is None:
        raise NotFound
    return get_sms_provider(request.actor, provider_id=pk)


class Messages(PolicyPage):
    """Providers in their order, today's spend, the limits and the latest messages."""

    tab = "messages"
    template = "console/signin/messages/page.html"
    cards = (Card("limits", gettext_lazy("Limits"), gettext_lazy("For each day; more is held back"), LimitsForm),)

    def beside(self, request: ConsoleRequest) -> dict[str, Any]:
        """All but the limits."""
        providers = find_sms_providers(request.actor)
        last = len(providers) - 1
        rows = [
            {
                "provider": provider,
                "id": public_id("sms_provider", provider.pk),
                "url": provider_url(provider),
                "kind": wording.kind_label(provider.kind),
                "first": number == 0,
                "final": number == last,
            }
            for number, provider in enumerate(providers)
        ]
        return {
            "rows": rows,
            "may_write": request.actor.can(Permission.SETTINGS_WRITE),
            "create_url": reverse("console:signin_sms_create"),
            "needed": [wording.METHODS[name] for name in sms_methods_on(request.realm)],
            "is_missing": not any(provider.enabled for provider in providers),
            "development": settings.REALMKEEP_DEVELOPMENT,
            "spend": self._spend(request),
            "messages_sent": [_shown(message) for message in find_messages(request.actor)[:LATEST]],
        }

    @staticmethod
    def _spend(request: ConsoleRequest) -> dict[str, Any]:
        spend = spend_today(request.actor)
        day = int(request.realm.setting("sms_daily_limit"))
        each = int(request.realm.setting("sms_prefix_daily_limit"))
        ranges = [
            {
                "prefix": prefix,
                "region": region_of(prefix),
                "sent": sent,
                "refused": refused,
                "tone": _tone(sent, each),
            }
            for prefix, sent, refused in spend.prefixes[:MOST_RANGES]
        ]
        return {
            "sent": spend.sent,
            "refused": spend.refused,
            "failed": spend.failed,
            "limit": day,
            "tone": _tone(spend.sent, day),
            "range_limit": each,
            "ranges": ranges,
            "more": len(spend.prefixes) - len(ranges),
            "until": day_end(),
        }


def _tone(used: int, limit: int) -> str:
    return "crit" if used >= limit else "high" if used * 5 >= limit * 4 else ""


def _shown(message: Message) -> dict[str, Any]:
    label, tone, icon = wording.STATUSES[message.status]
    tries = [
        {"provider": each["provider"], "outcome": wording.outcome(each["outcome"])} for each in message.tries or ()
    ]
    return {
        "message": message,
        "what": wording.TEMPLATES.get(message.template, message.template),
        "label": label,
        "tone": tone,
        "icon": icon,
        "tries": tries,
        "reason": wording.outcome(message.last_error) if message.last_error and not tries else "",
    }


class Create(ConsoleView):
    """Add one: first which kind, then what the kind needs."""

    permission = Permission.SETTINGS_WRITE

    def page(self, request: ConsoleRequest, form: ProviderForm | None, status: int = 200) -> HttpResponse:
        """The kinds, or the form of one."""
        kinds = [{"kind": kind, "label": label, "text": text} for kind, (label, text) in wording.KINDS.items()]
        context = {
            "title": _("Add provider"),
            "crumb": _("Add provider"),
            "form": form,
            "kinds": kinds,
            "kind": form.kind if form else "",
            "kind_label": wording.kind_label(form.kind) if form else "",
            "cancel_url": reverse("console:signin_messages"),
            "kinds_url": request.path,
        }
        return render_page(request, "console/signin/messages/create.html", context, status=status)

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """As the address says."""
        kind = request.GET.get("kind", "")
        return self.page(request, ProviderForm(kind=kind) if kind in wording.KINDS else None)

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Adds it, then shows where it can be tried out."""
        kind = request.POST.get("kind", "")
        if kind not in wording.KINDS:
            return self.page(request, None, 422)
        form = ProviderForm(request.POST, kind=kind)
        if not form.is_valid():
            return self.page(request, form, 422)
        try:
            provider = create_sms_provider(
                request.actor,
                name=form.cleaned_data["name"],
                kind=kind,
                settings=form.settings(),
                secrets=form.secrets(),
            )
        except Invalid as error:
            form.add_refusal(error)
            return self.page(request, form, 422)
        text = with_trail(
            request, _("%(name)s is added. Try it out now.") % {"name": provider.name}, provider.pk, "sms_provider"
        )
        return redirect_after(request, provider_url(provider, "signin_sms_check"), text)


class Detail(ConsoleView):
    """One provider."""

    permission = Permission.SETTINGS_READ

    def page(
        self,
        request: ConsoleRequest,
        provider: SmsProvider,
        form: ProviderForm | None = None,
        status: int = 200,
        refusal: str = "",
    ) -> HttpResponse:
        """Its settings."""
        may_write = request.actor.can(Permission.SETTINGS_WRITE)
        shown = form or ProviderForm(kind=provider.kind, provider=provider)
        if not may_write:
            for field in shown.fields.values():
                field.disabled = True
        context = {
            "title": provider.name,
            "crumb": provider.name,
            "provider": provider,
            "provider_id": public_id("sms_provider", provider.pk),
            "kind": wording.kind_label(provider.kind),
            "form": shown,
            "may_write": may_write,
            "refusal": refusal,
            "facts": [
                {"label": _("Kind"), "value": wording.kind_label(provider.kind)},
                {"label": _("Secret"), "value": _("sealed") if provider.secrets_sealed else _("none")},
                {"label": _("Added"), "value": day(timezone.localtime(provider.created_at))},
            ],
        }
        return render_page(request, "console/signin/messages/detail.html", context, status=status)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """The page."""
        return self.page(request, provider_of(request, public_id))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Saves it."""
        request.actor.require(Permission.SETTINGS_WRITE)
        provider = provider_of(request, public_id)
        form = ProviderForm(request.POST, kind=provider.kind, provider=provider)
        if not form.is_valid():
            return self.page(request, provider, form, 422)
        version = request.POST.get("version", "")
        try:
            change_sms_provider(
                request.actor,
                provider_id=provider.pk,
                expected_version=number_in(version),
                name=form.cleaned_data["name"],
                settings=form.settings(),
                secrets=form.secrets(),
            )
        except Invalid as error:
            form.add_refusal(error)
            return self.page(request, provider, form, 422)
        except Conflict as error:
            return self.page(request, provider, form, 409, refusal=str(error.message))
        text = with_trail(request, _("Saved."), provider.pk, "sms_provider", provider.name)
        return redirect_after(request, provider_url(provider), text)


class Check(ConsoleView):
    """Try one out: a real message, and how far it came."""

    permission = Permission.SETTINGS_WRITE

    def page(
        self,
        request: ConsoleRequest,
        provider: SmsProvider,
        form: CheckForm,
        steps: list[dict[str, Any]] | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """The number, and the steps of the last try."""
        context = {
            "title": _("Try out %(name)s") % {"name": provider.name},
            "crumb": provider.name,
            "provider": provider,
            "form": form,
            "steps": steps,
            "back_url": provider_url(provider),
        }
        return render_page(request, "console/signin/messages/check.html", context, status=status)

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks for a number."""
        return self.page(request, provider_of(request, public_id), CheckForm())

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Sends it."""
        provider = provider_of(request, public_id)
        form = CheckForm(request.POST)
        if not form.is_valid():
            return self.page(request, provider, form, status=422)
        try:
            to = form.number(str(request.realm.setting("default_country")))
            found = check_sms_provider(request.actor, provider_id=provider.pk, to=to)
        except Invalid as error:
            form.add_refusal(error)
            return self.page(request, provider, form, status=422)
        return self.page(request, provider, form, wording.steps_of(found))


def ids_of(providers: list[SmsProvider]) -> list[UUID]:
    """Their keys, in order."""
    return [provider.pk for provider in providers]
