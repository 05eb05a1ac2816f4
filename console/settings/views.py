"""The settings page: sections that save themselves."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.settings.forms import BrandingForm, LifetimesForm, RegionForm, SectionForm
from console.shell.colors import accent_of, contrast
from console.shell.fragments import redirect_after, render_page
from console.shell.http import ConsoleRequest, number_in, wants_fragment
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.naming import issuer_of
from identity.kernel.permissions import Permission
from identity.realms.commands import change_realm_branding, change_realm_settings
from identity.realms.models import Realm
from identity.sessions.queries import count_idle_longer_than


@dataclass(frozen=True, slots=True)
class SectionKind:
    """One card of the page."""

    name: str
    title: str | Promise
    text: str | Promise
    form: type[SectionForm]


SECTIONS = (
    SectionKind(
        "lifetimes", gettext_lazy("Lifetimes"), gettext_lazy("How long sessions and tokens last"), LifetimesForm
    ),
    SectionKind("branding", gettext_lazy("Branding"), gettext_lazy("How the realm looks to people"), BrandingForm),
    SectionKind("region", gettext_lazy("Language and time"), "", RegionForm),
)


def _section(
    request: ConsoleRequest,
    realm: Realm,
    kind: SectionKind,
    form: SectionForm | None = None,
    **extra: Any,
) -> dict[str, Any]:
    may_write = request.actor.can(Permission.SETTINGS_WRITE)
    shown = form or kind.form(initial=kind.form.initial_of(realm))
    if not may_write:
        for field in shown.fields.values():
            field.disabled = True
    return {
        "id": f"section-{kind.name}",
        "name": kind.name,
        "title": kind.title,
        "text": kind.text,
        "form": shown,
        "url": reverse("console:settings_section", args=[kind.name]),
        "readonly": not may_write,
        "version": realm.version,
        "preview": _preview(shown) if kind.form.is_branding else None,
        **extra,
    }


def _preview(form: SectionForm) -> dict[str, Any]:
    accent = accent_of(str(form["accent"].value() or ""))
    return {"scale": accent.scale, "contrast": number_format(contrast(accent.scale[600], "#ffffff"), 1)}


def _page(request: ConsoleRequest, realm: Realm, sections: list[dict[str, Any]], status: int = 200) -> HttpResponse:
    return render_page(
        request,
        "console/settings/page.html",
        {"title": _("Settings"), "sections": sections, "realm": realm, "issuer": issuer_of(realm)},
        status=status,
    )


class Settings(ConsoleView):
    """All sections."""

    permission = Permission.SETTINGS_READ

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The page."""
        return _page(request, request.realm, [_section(request, request.realm, kind) for kind in SECTIONS])


class Section(ConsoleView):
    """One section saves itself: its card for htmx, the page without scripts."""

    permission = Permission.SETTINGS_WRITE
    http_method_names = ["post"]

    def post(self, request: ConsoleRequest, section: str) -> HttpResponse:
        """Saves it, or asks again."""
        kind = next((each for each in SECTIONS if each.name == section), None)
        if kind is None:
            raise Http404
        form = kind.form(request.POST)
        if not form.is_valid():
            return self._answer(request, request.realm, kind, form, 422)
        if hit := self._newly_idle(request, kind, form):
            return self._answer(request, request.realm, kind, form, 422, hit=hit)
        try:
            realm = self._save(request, kind, form)
        except Invalid as error:
            form.add_refusal(error)
            return self._answer(request, request.realm, kind, form, 422)
        except Conflict:
            # Nothing is overwritten: the person sees what was saved meanwhile and repeats what still applies.
            return self._answer(request, request.realm, kind, form, 409, stale=True)
        saved = with_trail(request, _("Saved."), realm.pk)
        if wants_fragment(request):
            return self._answer(request, realm, kind, None, 200, saved=saved)
        return redirect_after(request, f"{reverse('console:settings')}#section-{kind.name}", saved)

    @staticmethod
    def _newly_idle(request: ConsoleRequest, kind: SectionKind, form: SectionForm) -> int:
        """How many people a shorter idle time signs out at once, unless that number was seen and confirmed."""
        wanted = form.cleaned_data.get("session_idle_lifetime")
        if kind.form is not LifetimesForm or not wanted or wanted >= request.realm.setting("session_idle_lifetime"):
            return 0
        hit = count_idle_longer_than(request.actor, seconds=wanted)
        return 0 if request.POST.get("seen_hit") == str(hit) else hit

    @staticmethod
    def _save(request: ConsoleRequest, kind: SectionKind, form: SectionForm) -> Realm:
        values = dict(form.cleaned_data)
        if kind.form.is_branding:
            return change_realm_branding(request.actor, name=values.pop("name"), branding=values)
        version = request.POST.get("version", "")
        return change_realm_settings(request.actor, changes=values, expected_version=number_in(version))

    @staticmethod
    def _answer(
        request: ConsoleRequest,
        realm: Realm,
        kind: SectionKind,
        form: SectionForm | None,
        status: int,
        **extra: Any,
    ) -> HttpResponse:
        section = _section(request, realm, kind, form, **extra)
        if wants_fragment(request):
            return render_page(
                request, "console/settings/section.html", {"section": section}, fragment="card", status=status
            )
        sections = [section if each is kind else _section(request, realm, each) for each in SECTIONS]
        return _page(request, realm, sections, status)
