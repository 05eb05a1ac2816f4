"""Pages of identity providers."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from console.shell.dates import day
from console.shell.fragments import redirect_after, render_page
from console.shell.http import ConsoleRequest, number_in
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.signin.providers.forms import KINDS, ConnectionForm, CreateForm, MappingForm, PolicyForm
from console.signin.providers.rows import ProviderRow, kind_label, provider_url, steps_shown
from console.signin.tabs import tabs_of
from identity.accounts.queries import realm_attributes
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.permissions import Permission
from identity.realms.commands import (
    change_provider,
    create_provider,
    reorder_providers,
)
from identity.realms.models import IdentityProvider
from identity.realms.providers import secret_name
from identity.realms.queries import find_providers, get_provider, provider_key
from identity.signin.queries import use_of_providers
from identity.signin.social_checks import check_provider
from identity.signin.social_protocol import callback_of
from identity.signin.social_state import TEST
from identity.signin.views.providers import came_from_elsewhere, start

LIST = "console:signin_providers"


class Providers(ConsoleView):
    """All of them, in the order of their buttons."""

    permission = Permission.SETTINGS_READ

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The list."""
        providers = list(find_providers(request.actor))
        use = use_of_providers(request.actor, keys=[provider_key(each) for each in providers])
        rows = []
        for number, provider in enumerate(providers):
            people, last = use.get(provider_key(provider), (0, None))
            rows.append(ProviderRow(provider, people, last, first=number == 0, final=number == len(providers) - 1))
        context = {
            "title": _("Sign-in"),
            "tabs": tabs_of("providers"),
            "rows": rows,
            "may_write": request.actor.can(Permission.SETTINGS_WRITE),
            "create_url": reverse("console:signin_provider_create"),
        }
        return render_page(request, "console/signin/providers/list.html", context)


class Move(ConsoleView):
    """One place up or down."""

    permission = Permission.SETTINGS_WRITE
    http_method_names = ["post"]

    def post(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """Changes places with its neighbor."""
        order: list[UUID] = [each.pk for each in find_providers(request.actor)]
        place = order.index(get_provider(request.actor, alias=alias).pk)
        other = place - 1 if "up" in request.POST else place + 1
        if 0 <= other < len(order):
            order[place], order[other] = order[other], order[place]
            reorder_providers(request.actor, provider_ids=order)
        return redirect(LIST)


class Create(ConsoleView):
    """Add one: first which kind, then what the kind needs."""

    permission = Permission.SETTINGS_WRITE

    def page(self, request: ConsoleRequest, form: CreateForm | None, status: int = 200) -> HttpResponse:
        """The kinds, or the form of one."""
        kinds = [{"kind": kind, "label": label, "text": text} for kind, (label, text) in KINDS.items()]
        context = {
            "title": _("Add provider"),
            "crumb": _("Add provider"),
            "form": form,
            "kinds": kinds,
            "kind": form.kind if form else "",
            "kind_label": kind_label(form.kind) if form else "",
            "callback": callback_of(request.realm),
            "cancel_url": reverse(LIST),
            "kinds_url": request.path,
        }
        return render_page(request, "console/signin/providers/create.html", context, status=status)

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """As the address says."""
        kind = request.GET.get("kind", "")
        return self.page(request, CreateForm(kind=kind) if kind in KINDS else None)

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Adds it, then shows its page, where it can be tested."""
        kind = request.POST.get("kind", "")
        if kind not in KINDS:
            return self.page(request, None, 422)
        form = CreateForm(request.POST, kind=kind)
        if not form.is_valid():
            return self.page(request, form, 422)
        data = form.cleaned_data
        try:
            provider = create_provider(
                request.actor,
                kind=kind,
                alias=data["alias"],
                name=data["name"],
                client_id=data["client_id"],
                secret=data[secret_name(kind)],
                settings=form.settings(),
                scopes=data["scopes"],
                sign_up=data["sign_up"],
            )
        except (Invalid, Conflict) as error:
            form.add_refusal(error)
            return self.page(request, form, 422)
        text = with_trail(request, _("%(name)s is added. Test it now.") % {"name": provider.name}, provider.pk)
        return redirect_after(request, provider_url(provider), text)


class _About(ConsoleView):
    """What the pages about one provider share."""

    permission = Permission.SETTINGS_READ

    def facts(self, request: ConsoleRequest, provider: IdentityProvider) -> list[dict[str, Any]]:
        """The facts column."""
        key = provider_key(provider)
        people, _last = use_of_providers(request.actor, keys=[key]).get(key, (0, None))
        callback = callback_of(request.realm)
        return [
            {"label": _("Kind"), "value": kind_label(provider.kind)},
            {"label": _("Name in links"), "value": provider.alias, "mono": True},
            {"label": _("Callback URL"), "value": callback, "to_copy": callback},
            {"label": _("People linked"), "value": people},
            {"label": _("Added"), "value": day(timezone.localtime(provider.created_at))},
        ]


class Detail(_About):
    """One provider: connection, who gets in, what is taken over."""

    parts = ("connection", "policy", "mapping")

    def form(self, request: ConsoleRequest, provider: IdentityProvider, part: str, data: Any = None) -> Any:
        """The form of a part."""
        match part:
            case "connection":
                return ConnectionForm(data, provider=provider)
            case "policy":
                return PolicyForm(data, provider=provider)
        return MappingForm(data, provider=provider, attributes=realm_attributes())

    def page(
        self, request: ConsoleRequest, provider: IdentityProvider, *, status: int = 200, **changed: Any
    ) -> HttpResponse:
        """All parts; `changed` holds those that were refused."""
        may_write = request.actor.can(Permission.SETTINGS_WRITE)
        texts = {
            "connection": (_("Connection"), _("How it is asked")),
            "policy": (_("Who gets in"), _("First sign-ins, and whom it is for")),
            "mapping": (_("What is taken over"), _("Claims of a first sign-in, and factors of every one")),
        }
        sections = []
        for part in self.parts:
            form = changed.get(part) or self.form(request, provider, part)
            if not may_write:
                for field in form.fields.values():
                    field.disabled = True
            sections.append({"name": part, "title": texts[part][0], "text": texts[part][1], "form": form})
        context = {
            "title": provider.name,
            "crumb": provider.name,
            "provider": provider,
            "kind": kind_label(provider.kind),
            "sections": sections,
            "facts": self.facts(request, provider),
            "may_write": may_write,
            "refusal": changed.get("refusal", ""),
        }
        return render_page(request, "console/signin/providers/detail.html", context, status=status)

    def get(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """The page."""
        return self.page(request, get_provider(request.actor, alias=alias))

    def post(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """One part saves itself."""
        request.actor.require(Permission.SETTINGS_WRITE)
        provider = get_provider(request.actor, alias=alias)
        part = request.POST.get("part", "")
        if part not in self.parts:
            return self.page(request, provider, status=422)
        form = self.form(request, provider, part, request.POST)
        version = request.POST.get("version", "")
        try:
            if form.is_valid():
                change_provider(
                    request.actor,
                    provider_id=provider.pk,
                    expected_version=number_in(version),
                    **form.values(),
                )
                text = with_trail(request, _("Saved."), provider.pk)
                return redirect_after(request, f"{provider_url(provider)}#part-{part}", text)
        except Invalid as error:
            form.add_refusal(error)
        except Conflict as error:
            return self.page(request, provider, status=409, refusal=str(error.message), **{part: form})
        return self.page(request, provider, status=422, **{part: form})


class Check(_About):
    """“Test this provider”: each step, tried now."""

    permission = Permission.SETTINGS_WRITE

    def get(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """What will be tried."""
        return self.page(request, alias, None)

    def post(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """Tries it."""
        provider = get_provider(request.actor, alias=alias)
        return self.page(request, alias, steps_shown(check_provider(provider)))

    def page(self, request: ConsoleRequest, alias: str, steps: list[dict[str, Any]] | None) -> HttpResponse:
        """The steps, and the way to the whole trip."""
        provider = get_provider(request.actor, alias=alias)
        context = {
            "title": _("Test %(name)s") % {"name": provider.name},
            "crumb": provider.name,
            "provider": provider,
            "steps": steps,
            "all_right": steps is not None and all(step["severity"] != "critical" for step in steps),
            "back_url": provider_url(provider),
            "trip_url": provider_url(provider, "signin_provider_trip"),
        }
        return render_page(request, "console/signin/providers/check.html", context)


class Trip(ConsoleView):
    """The whole way there and back, by the person who asks; signs nobody in."""

    permission = Permission.SETTINGS_WRITE

    def get(self, request: ConsoleRequest, alias: str) -> HttpResponse:
        """There. Another site can't begin it."""
        provider = get_provider(request.actor, alias=alias)
        back = provider_url(provider, "signin_provider_check")
        if came_from_elsewhere(request):
            return redirect(back)
        return start(request, provider, process=TEST, next_url=back)
