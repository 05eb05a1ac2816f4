"""Attributes: what the realm keeps of its people besides names; defined, changed and deleted."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from console.shell.forms import ConsoleForm, Lines, TypedConfirmForm
from console.shell.fragments import redirect_after, render_dialog, render_page, with_toast
from console.shell.http import ConsoleRequest, wants_fragment
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.signin.tabs import tabs_of
from identity.accounts.attribute_rules import LONGEST_TEXT, MAX_LABEL, MAX_PATTERN, OFFLINE
from identity.accounts.commands import change_attribute, define_attribute, delete_attribute, move_attribute
from identity.accounts.models import Attribute, AttributeType
from identity.accounts.queries import find_attributes, get_attribute, holders_of_attribute
from identity.applications.queries import realm_scopes
from identity.kernel.errors import Invalid
from identity.kernel.permissions import Permission

LIST = "console:signin_attributes"
TYPES = {
    AttributeType.TEXT: gettext_lazy("Text"),
    AttributeType.NUMBER: gettext_lazy("Number"),
    AttributeType.BOOLEAN: gettext_lazy("Yes or no"),
    AttributeType.DATE: gettext_lazy("Date"),
    AttributeType.CHOICE: gettext_lazy("Choice of a list"),
}
MONO = {"class": "mono", "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}


def attribute_url(name: str, page: str = "signin_attribute") -> str:
    """The address of a page about an attribute."""
    return reverse(f"console:{page}", args=[name])


class AttributeForm(ConsoleForm):
    """How an attribute reads, what it takes, and who sees and changes it."""

    label = forms.CharField(
        label=gettext_lazy("Label"), max_length=MAX_LABEL, help_text=gettext_lazy("What people read beside the field.")
    )
    choices = Lines(label=gettext_lazy("Choices"), help_text=gettext_lazy("One on each line, in their order."))
    most = forms.IntegerField(
        label=gettext_lazy("Longest text"),
        required=False,
        min_value=1,
        max_value=LONGEST_TEXT,
        help_text=gettext_lazy("In characters. Empty: 500."),
    )
    pattern = forms.CharField(
        label=gettext_lazy("Form of the text"),
        required=False,
        max_length=MAX_PATTERN,
        widget=forms.TextInput(attrs=MONO),
        help_text=gettext_lazy(
            "A regular expression for all of it, such as [A-Z]{2}-\\d{4}. Counts, but no groups. Empty: any text."
        ),
    )
    required = forms.BooleanField(label=gettext_lazy("Needed"), required=False)
    at_sign_up = forms.BooleanField(label=gettext_lazy("Asked at sign-up"), required=False)
    person_may_see = forms.BooleanField(label=gettext_lazy("People see their own"), required=False)
    person_may_change = forms.BooleanField(label=gettext_lazy("People change their own"), required=False)
    claim = forms.CharField(
        label=gettext_lazy("Claim in tokens and userinfo"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs=MONO),
        help_text=gettext_lazy(
            "Such as customer_tier or https://acme.example/tier. Empty: applications don’t learn it. Don’t let an "
            "application rely on what people change by themselves."
        ),
    )
    scope = forms.ChoiceField(
        label=gettext_lazy("Released with the scope"),
        required=False,
        help_text=gettext_lazy(
            "Applications learn it from whoever allows this scope from now on. Who allowed it before is asked again. "
            "A scope of an API also puts it into the access token."
        ),
    )
    only_of = {"choices": AttributeType.CHOICE, "most": AttributeType.TEXT, "pattern": AttributeType.TEXT}

    def __init__(self, *args: Any, type: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        listed = [(each.name, f"{each.name} ({each.shown_title})") for each in realm_scopes() if each.name != OFFLINE]
        self.fields["scope"].choices = [("", _("None")), *listed]  # type: ignore[attr-defined]
        for name, kind in self.only_of.items():
            if kind != type:
                del self.fields[name]

    @classmethod
    def of(cls, attribute: Attribute, data: Any = None) -> "AttributeForm":
        """With what is stored."""
        initial = {name: getattr(attribute, name) for name in cls.base_fields}
        return cls(data, type=attribute.type, initial=initial)


class NewForm(AttributeForm):
    """The same, with the name."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        widget=forms.TextInput(attrs=MONO),
        help_text=gettext_lazy("In files and mappings, such as cost_center. It never changes."),
    )
    field_order = ("name", "label")


def asked_by(attribute: Attribute) -> str:
    """Where people meet it, in a few words."""
    words = [
        (attribute.required, _("needed")),
        (attribute.at_sign_up, _("at sign-up")),
        (attribute.person_may_change, _("people change it")),
        (attribute.person_may_see and not attribute.person_may_change, _("people see it")),
        (not attribute.person_may_see, _("only admins see it")),
    ]
    return ", ".join(word for holds, word in words if holds)


class Attributes(ConsoleView):
    """The realm's attributes."""

    permission = Permission.SETTINGS_READ

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The page."""
        return self.page(request)

    @staticmethod
    def page(request: ConsoleRequest) -> HttpResponse:
        """All of them: there are never many."""
        found = find_attributes(request.actor)
        rows = [
            {
                "attribute": each,
                "url": attribute_url(each.name),
                "move_url": attribute_url(each.name, "signin_attribute_move"),
                "kind": TYPES[AttributeType(each.type)],
                "asked": asked_by(each),
                "is_first": each == found[0],
                "is_last": each == found[-1],
            }
            for each in found
        ]
        context = {
            "title": _("Sign-in"),
            "tabs": tabs_of("attributes"),
            "rows": rows,
            "may_write": request.actor.can(Permission.SETTINGS_WRITE),
        }
        return render_page(request, "console/signin/attributes/list.html", context)


class MoveAttribute(ConsoleView):
    """One place up or down."""

    permission = Permission.SETTINGS_WRITE
    http_method_names = ["post"]

    def post(self, request: ConsoleRequest, name: str) -> HttpResponse:
        """Moves; the list again for htmx, which keeps the focus on the button by its id."""
        attribute = get_attribute(request.actor, name=name)
        move_attribute(request.actor, attribute_id=attribute.pk, up=request.POST.get("to") == "up")
        names = [each.name for each in find_attributes(request.actor)]
        place = {"label": attribute.label, "n": names.index(name) + 1, "all": len(names)}
        text = _("%(label)s stands at place %(n)s of %(all)s.") % place
        if wants_fragment(request):
            return with_toast(Attributes.page(request), text)
        return redirect_after(request, reverse(LIST), text)


class NewAttribute(ConsoleView):
    """A type first, then the rest."""

    permission = Permission.SETTINGS_WRITE

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The types, or the form of one."""
        kind = request.GET.get("type", "")
        form = NewForm(type=kind, initial={"person_may_see": True}) if kind in AttributeType.values else None
        return self.page(request, kind, form)

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Define it."""
        kind = request.POST.get("type", "")
        if kind not in AttributeType.values:
            return self.page(request, "", None)
        form = NewForm(request.POST, type=kind)
        if form.is_valid():
            try:
                attribute = define_attribute(request.actor, type=kind, **form.cleaned_data)
            except Invalid as error:
                form.add_refusal(error)
            else:
                text = _("The attribute %(label)s is there.") % {"label": attribute.label}
                return redirect_after(request, reverse(LIST), with_trail(request, text, attribute.pk, "attribute"))
        return self.page(request, kind, form, 422)

    @staticmethod
    def page(request: ConsoleRequest, kind: str, form: ConsoleForm | None, status: int = 200) -> HttpResponse:
        """Either step."""
        new_url = reverse("console:signin_attribute_new")
        context = {
            "title": _("Add an attribute"),
            "form": form,
            "kind": kind,
            "kind_label": TYPES[AttributeType(kind)] if form is not None else "",
            "kinds": [{"label": label, "url": f"{new_url}?type={each}"} for each, label in TYPES.items()],
            "kinds_url": new_url,
            "cancel_url": reverse(LIST),
        }
        return render_page(request, "console/signin/attributes/new.html", context, status=status)


class OneAttribute(ConsoleView):
    """One attribute: its rules, and how many people have a value."""

    permission = Permission.SETTINGS_READ

    def get(self, request: ConsoleRequest, name: str) -> HttpResponse:
        """As it is."""
        return self.page(request, get_attribute(request.actor, name=name))

    def post(self, request: ConsoleRequest, name: str) -> HttpResponse:
        """Change it."""
        attribute = get_attribute(request.actor, name=name)
        request.actor.require(Permission.SETTINGS_WRITE)
        form = AttributeForm.of(attribute, request.POST)
        if form.is_valid():
            try:
                change_attribute(request.actor, attribute_id=attribute.pk, **form.cleaned_data)
            except Invalid as error:
                form.add_refusal(error)
            else:
                said = with_trail(request, _("Saved."), attribute.pk, "attribute")
                return redirect_after(request, attribute_url(name), said)
        return self.page(request, attribute, form, 422)

    @staticmethod
    def page(
        request: ConsoleRequest, attribute: Attribute, form: ConsoleForm | None = None, status: int = 200
    ) -> HttpResponse:
        """The form, beside the facts."""
        may_write = request.actor.can(Permission.SETTINGS_WRITE)
        bound = form or AttributeForm.of(attribute)
        if not may_write:
            for field in bound.fields.values():
                field.disabled = True
        people = holders_of_attribute(request.actor, name=attribute.name)
        context = {
            "title": attribute.label,
            "crumb": attribute.label,
            "attribute": attribute,
            "form": bound,
            "may_write": may_write,
            "list_url": reverse(LIST),
            "delete_url": attribute_url(attribute.name, "signin_attribute_delete"),
            "facts": [
                {"label": _("Name"), "value": attribute.name, "mono": True},
                {"label": _("Type"), "value": TYPES[AttributeType(attribute.type)]},
                {"label": _("People with a value"), "value": people},
            ],
        }
        return render_page(request, "console/signin/attributes/detail.html", context, status=status)


class DeleteAttribute(ConsoleView):
    """Gone for good, with every value."""

    permission = Permission.SETTINGS_WRITE

    def get(self, request: ConsoleRequest, name: str) -> HttpResponse:
        """Says what goes; asks for the name."""
        attribute = get_attribute(request.actor, name=name)
        return self.dialog(request, attribute, TypedConfirmForm(expected=attribute.name))

    def post(self, request: ConsoleRequest, name: str) -> HttpResponse:
        """Deletes."""
        attribute = get_attribute(request.actor, name=name)
        form = TypedConfirmForm(request.POST, expected=attribute.name)
        if not form.is_valid():
            return self.dialog(request, attribute, form, 422)
        people = delete_attribute(request.actor, attribute_id=attribute.pk)
        text = ngettext(
            "The attribute %(label)s is deleted, with the value of %(n)s person.",
            "The attribute %(label)s is deleted, with the values of %(n)s people.",
            people,
        ) % {"label": attribute.label, "n": people}
        return redirect_after(request, reverse(LIST), text)

    @staticmethod
    def dialog(request: ConsoleRequest, attribute: Attribute, form: ConsoleForm, status: int = 200) -> HttpResponse:
        """With a fresh count."""
        people = holders_of_attribute(request.actor, name=attribute.name)
        context = {
            "title": attribute.label,
            "crumb": attribute.label,
            "attribute": attribute,
            "form": form,
            "effects": [{"icon": "group", "label": _("People who lose a value"), "count": people, "note": ""}],
            "action": request.path,
            "cancel_url": attribute_url(attribute.name),
            "danger": True,
        }
        return render_dialog(request, "console/signin/attributes/delete.html", context, status=status)
