"""Changing who somebody is: each section of the page is a command of its own, and saves itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.shell.forms import ConsoleForm
from console.shell.fragments import redirect_after, render_page
from console.shell.freshness import ask_again_here, is_fresh_here
from console.shell.http import ConsoleRequest, wants_fragment
from console.shell.ids import id_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.users.forms import AttributesForm, EmailForm, IdentifiersForm, ProfileForm
from console.users.people import user_url
from identity.accounts.commands import change_email, change_identifiers, change_profile, set_attributes
from identity.accounts.models import User
from identity.accounts.queries import attributes_of_people, get_user
from identity.kernel.actor import Actor
from identity.kernel.errors import Conflict, Invalid, NotFound
from identity.kernel.permissions import Permission
from identity.signin.attribute_fields import PREFIX

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """A card of the page."""

    title: str | Promise
    text: str | Promise
    form: type[ConsoleForm]
    act: Callable[[Actor, User, Data], User]


def _save_profile(actor: Actor, user: User, data: Data) -> User:
    optional = {name: data[name] or None for name in ("language", "time_zone")}
    return change_profile(actor, user_id=user.pk, **{**data, **optional})


def _save_email(actor: Actor, user: User, data: Data) -> User:
    """A tick stands for the address that is in the field, so a new address never inherits the old one's proof."""
    same = data["email"].strip().casefold() == (user.email or "")
    return change_email(
        actor, user_id=user.pk, email=data["email"], verified=data["verified"] or (same and user.email_verified)
    )


def _save_identifiers(actor: Actor, user: User, data: Data) -> User:
    return change_identifiers(actor, user_id=user.pk, phone=data["phone"], username=data["username"])


def _save_more(actor: Actor, user: User, data: Data) -> User:
    return set_attributes(actor, user_id=user.pk, values=data["attributes"])


SECTIONS: dict[str, Section] = {
    "profile": Section(gettext_lazy("Profile"), "", ProfileForm, _save_profile),
    "email": Section(
        gettext_lazy("Email"),
        gettext_lazy("The former address is told, and can take the change back."),
        EmailForm,
        _save_email,
    ),
    "identifiers": Section(
        gettext_lazy("Phone and username"),
        gettext_lazy("Other ways to find the account."),
        IdentifiersForm,
        _save_identifiers,
    ),
}

CONTACTS = ("email", "identifiers")
"""Where links and codes go that let somebody in."""


def _sections() -> dict[str, Section]:
    """Those of everybody; and the custom attributes, where the realm has some."""
    if not attributes_of_people():
        return SECTIONS
    more = Section(
        gettext_lazy("Attributes"), gettext_lazy("What this realm keeps besides."), AttributesForm, _save_more
    )
    return {**SECTIONS, "attributes": more}


class Edit(ConsoleView):
    """The page with all sections."""

    permission = Permission.USERS_WRITE

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """As it is."""
        user = get_user(request.actor, user_id=id_from("user", public_id))
        return edit_page(request, user)


def _initial(user: User) -> Data:
    names = (*ProfileForm.base_fields, *EmailForm.base_fields, *IdentifiersForm.base_fields)
    held = {f"{PREFIX}{name}": value for name, value in user.attributes.items()}
    return {**{name: getattr(user, name, None) or "" for name in names}, **held}


def _card(user: User, key: str, form: ConsoleForm | None = None, saved: str = "") -> Data:
    section = _sections()[key]
    return {
        "id": f"section-{key}",
        "title": section.title,
        "text": section.text,
        "form": form or section.form(initial=_initial(user), prefix=key),
        "url": f"{user_url(user.pk, 'user_edit')}/{key}",
        "saved": saved,
    }


def edit_page(request: ConsoleRequest, user: User, key: str = "", form: ConsoleForm | None = None) -> HttpResponse:
    """The page; with a section's form that was refused, 422."""
    return render_page(
        request,
        "console/users/edit.html",
        {
            "title": _("Edit %(person)s") % {"person": user.display_name},
            "crumb": user.display_name,
            "person": user,
            "person_url": user_url(user.pk),
            "cards": [_card(user, name, form if name == key else None) for name in _sections()],
        },
        status=422 if form else 200,
    )


class EditSection(ConsoleView):
    """Saves one section; answers with it alone, or with the page without scripts."""

    permission = Permission.USERS_WRITE

    def post(self, request: ConsoleRequest, public_id: str, section: str) -> HttpResponse:
        """Saves."""
        user = get_user(request.actor, user_id=id_from("user", public_id))
        sections = _sections()
        if section not in sections:
            raise NotFound
        # On one's own record this is a way round the account's page, which asks once more (LG-20).
        if section in CONTACTS and user.pk == request.actor.id and not is_fresh_here(request):
            return ask_again_here(request)
        form = sections[section].form(request.POST, prefix=section)
        if form.is_valid():
            try:
                user = sections[section].act(request.actor, user, form.cleaned_data)
            except (Invalid, Conflict) as error:
                form.add_refusal(error)
            else:
                saved = with_trail(request, _("Saved."), user.pk, name=user.display_name)
                if not wants_fragment(request):
                    return redirect_after(request, user_url(user.pk, "user_edit"), saved)
                return render(request, "rk/form/section.html", _card(user, section, saved=saved))
        if wants_fragment(request):
            return render(request, "rk/form/section.html", _card(user, section, form), status=422)
        return edit_page(request, user, section, form)
