"""Cards of policy that save themselves, and say first how many people a change would hit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.settings.forms import SectionForm
from console.shell.fragments import redirect_after, render_page
from console.shell.http import ConsoleRequest, number_in, wants_fragment
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.signin.tabs import tabs_of
from console.users.people import user_url
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.permissions import Permission
from identity.realms.models import Realm
from identity.realms.rules import checked_settings
from identity.signin.commands import change_sign_in_policy
from identity.signin.queries import hits_of
from identity.signin.rules import Hit, HitKind


class WordsField(forms.CharField):
    """A list of words, one on each line."""

    widget = forms.Textarea(attrs={"rows": "4", "spellcheck": "false", "autocapitalize": "none"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        """One on each line."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        """Words, in the order typed."""
        return [line.strip().lower() for line in str(value or "").splitlines() if line.strip()]


@dataclass(frozen=True, slots=True)
class Card:
    """One part of the policy. The form's fields are named as the settings that they change."""

    name: str
    title: str | Promise
    text: str | Promise
    form: type[SectionForm]


class PolicyPage(ConsoleView):
    """A tab of cards. A page adds its own by `beside`."""

    permission = Permission.SETTINGS_READ
    tab: ClassVar[str]
    cards: ClassVar[tuple[Card, ...]]
    template: ClassVar[str] = "console/signin/page.html"

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The page."""
        return self.answer(request, [shown(request, request.realm, self.tab, card) for card in self.cards])

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """One card saves itself: its card for htmx, the page without scripts."""
        card = next((each for each in self.cards if each.name == request.POST.get("card")), None)
        if card is None:
            raise Http404
        request.actor.require(Permission.SETTINGS_WRITE)
        form = card.form(request.POST)
        extra: dict[str, Any] = {}
        status = 422
        try:
            if form.is_valid():
                hits = self.hits(request, form.cleaned_data)
                if hits and request.POST.get("seen_hits") != seen(hits):
                    extra = {"hits": [told(hit) for hit in hits], "seen_hits": seen(hits)}
                else:
                    return self.saved(request, card, form)
        except Invalid as error:
            form.add_refusal(error)
        except Conflict as error:
            extra, status = {"refusal": str(error.message), "stale": error.reason == Conflict.code}, 409
        return self.with_card(request, request.realm, card, form, status, **extra)

    def hits(self, request: ConsoleRequest, values: dict[str, Any]) -> Sequence[Hit]:
        """Whom the change would hit. Raises Invalid for values that the realm would refuse."""
        return hits_of(request.actor, realm=request.realm, changes=checked_settings(values, request.realm.policy()))

    def saved(self, request: ConsoleRequest, card: Card, form: SectionForm) -> HttpResponse:
        """Save, then show the card as it is now."""
        version = request.POST.get("version", "")
        realm = change_sign_in_policy(
            request.actor,
            changes=form.cleaned_data,
            expected_version=number_in(version),
        )
        said = with_trail(request, _("Saved."), realm.pk)
        if wants_fragment(request):
            return self.with_card(request, realm, card, None, 200, saved=said)
        return redirect_after(request, f"{request.path}#section-{card.name}", said)

    def with_card(
        self, request: ConsoleRequest, realm: Realm, card: Card, form: SectionForm | None, status: int, **extra: Any
    ) -> HttpResponse:
        """One card for htmx, all of them for a page."""
        section = shown(request, realm, self.tab, card, form, **extra)
        if wants_fragment(request):
            return render_page(
                request, "console/signin/card.html", {"section": section}, fragment="card", status=status
            )
        sections = [section if each is card else shown(request, realm, self.tab, each) for each in self.cards]
        return self.answer(request, sections, status)

    def answer(self, request: ConsoleRequest, sections: list[dict[str, Any]], status: int = 200) -> HttpResponse:
        """The page with these cards."""
        context = {"title": _("Sign-in"), "tabs": tabs_of(self.tab), "sections": sections, **self.beside(request)}
        return render_page(request, self.template, context, status=status)

    def beside(self, request: ConsoleRequest) -> dict[str, Any]:
        """What else the page shows."""
        return {}


def shown(
    request: ConsoleRequest, realm: Realm, tab: str, card: Card, form: SectionForm | None = None, **extra: Any
) -> dict[str, Any]:
    """One card as the template takes it."""
    may_write = request.actor.can(Permission.SETTINGS_WRITE)
    bound = form or card.form(initial=card.form.initial_of(realm))
    if not may_write:
        for field in bound.fields.values():
            field.disabled = True
    return {
        "id": f"section-{card.name}",
        "name": card.name,
        "title": card.title,
        "text": card.text,
        "form": bound,
        "url": next(each["url"] for each in tabs_of(tab) if each["current"]),
        "readonly": not may_write,
        "version": realm.version,
        **extra,
    }


def seen(hits: Sequence[Hit]) -> str:
    """What was shown, so that a number that grew meanwhile is shown again before anything is saved."""
    return ",".join(f"{hit.kind}:{hit.people}" for hit in hits)


def told(hit: Hit) -> dict[str, Any]:
    """A hit for the page: in words, and who the first of these people are."""
    return {
        "text": sentence(hit),
        "people": [{"name": name, "url": user_url(pk)} for pk, name in hit.some],
        "more": hit.people - len(hit.some) if hit.some else 0,
    }


def sentence(hit: Hit) -> str:
    """A hit in words."""
    n = hit.people
    match hit.kind:
        case HitKind.LOCKED_OUT:
            text = ngettext(
                "%(n)s person has no other way in and is locked out.",
                "%(n)s people have no other way in and are locked out.",
                n,
            )
        case HitKind.MUST_VERIFY_EMAIL:
            text = ngettext(
                "%(n)s person has to confirm the email address before the next sign-in.",
                "%(n)s people have to confirm their email address before the next sign-in.",
                n,
            )
        case HitKind.MUST_VERIFY_PHONE:
            text = ngettext(
                "%(n)s person has to confirm the phone number before the next sign-in.",
                "%(n)s people have to confirm their phone number before the next sign-in.",
                n,
            )
        case HitKind.MUST_ENROLL:
            text = ngettext(
                "%(n)s person has no second factor and has to set one up.",
                "%(n)s people have no second factor and have to set one up.",
                n,
            )
        case HitKind.CANT_CONFIRM:
            text = ngettext(
                "%(n)s person has nothing that could confirm a held sign-in: no second factor, no confirmed address.",
                "%(n)s people have nothing that could confirm a held sign-in: no second factor, no confirmed address.",
                n,
            )
        case HitKind.LOSES_FACTOR:
            text = ngettext(
                "%(n)s person has a method that can’t be added any more; it goes on to work.",
                "%(n)s people have a method that can’t be added any more; it goes on to work.",
                n,
            )
        case HitKind.MUST_ACCEPT_TERMS:
            text = ngettext(
                "%(n)s person has to accept the terms at the next sign-in.",
                "%(n)s people have to accept the terms at the next sign-in.",
                n,
            )
        case HitKind.MUST_CHANGE_PASSWORD:
            text = ngettext(
                "%(n)s person has to choose a new password at the next sign-in with it.",
                "%(n)s people have to choose a new password at the next sign-in with it.",
                n,
            )
        case HitKind.AT_NEXT_PASSWORD:
            text = ngettext(
                "%(n)s person with a password meets this when choosing the next one; the present one goes on to work.",
                "%(n)s people with a password meet this when choosing the next one; the present ones go on to work.",
                n,
            )
        case HitKind.LOSES_SESSIONS | HitKind.NO_MORE_SESSIONS:
            text = _about_sessions(hit)
        case HitKind.PAUSED_SOONER:
            text = ngettext(
                "%(n)s person was refused that often in the last 24 hours and would have been paused.",
                "%(n)s people were refused that often in the last 24 hours and would have been paused.",
                n,
            )
    return text % {"n": n}


def _about_sessions(hit: Hit) -> str:
    if hit.kind is HitKind.LOSES_SESSIONS:
        return ngettext(
            "%(n)s person is signed in in more places than that; the oldest sessions end at the next sign-in.",
            "%(n)s people are signed in in more places than that; their oldest sessions end at the next sign-in.",
            hit.people,
        )
    return ngettext(
        "%(n)s person is signed in in as many places already and can’t sign in in another one.",
        "%(n)s people are signed in in as many places already and can’t sign in in another one.",
        hit.people,
    )


def url_of(tab: str) -> str:
    """The address of a page of the area."""
    return reverse("console:signin" if tab == "methods" else f"console:signin_{tab}")
