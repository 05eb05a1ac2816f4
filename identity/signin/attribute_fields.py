"""Fields of forms for custom attributes: at sign-up, on the own account, and in the console."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils.formats import date_format, localize
from django.utils.translation import gettext as _

from identity.accounts.attribute_rules import LONGEST_TEXT, checked_value
from identity.accounts.models import Attribute, AttributeType
from identity.kernel.errors import Invalid

PREFIX = "attribute_"


def name_of(attribute: Attribute) -> str:
    """What its field is called; no field of another kind can have that name."""
    return f"{PREFIX}{attribute.name}"


def field_for(attribute: Attribute) -> forms.Field:
    """A field that looks like the type. What it takes is decided by the attribute's own rules."""
    common: dict[str, Any] = {"label": attribute.label, "required": attribute.required}
    match attribute.type:
        case AttributeType.NUMBER:
            return forms.CharField(
                **common, max_length=40, widget=forms.TextInput(attrs={"inputmode": "decimal", "dir": "ltr"})
            )
        case AttributeType.BOOLEAN:
            return forms.BooleanField(**common)
        case AttributeType.DATE:
            return forms.DateField(**common, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        case AttributeType.CHOICE:
            choices = [("", _("Choose one")), *((each, each) for each in attribute.choices)]
            return forms.ChoiceField(**common, choices=choices)
    return forms.CharField(**common, max_length=attribute.most or LONGEST_TEXT)


def put_fields(form: forms.Form, attributes: Iterable[Attribute], values: Mapping[str, Any] | None = None) -> None:
    """Add the fields to a form, with what the person has."""
    held = values or {}
    for attribute in attributes:
        field = field_for(attribute)
        field.initial = held.get(attribute.name)
        form.fields[name_of(attribute)] = field


def values_of(form: forms.Form, attributes: Iterable[Attribute]) -> dict[str, Any]:
    """What was typed, as it is stored; each refusal stands at its field."""
    out: dict[str, Any] = {}
    for attribute in attributes:
        name = name_of(attribute)
        if name in form.errors or name not in form.cleaned_data:
            continue
        try:
            out[attribute.name] = checked_value(attribute, form.cleaned_data[name])
        except Invalid as error:
            form.add_error(name, forms.ValidationError(str(error.message), code=error.reason))
    return out


def shown_value(attribute: Attribute, value: Any) -> str:
    """A stored value as people read it; empty for none."""
    match attribute.type:
        case _ if value is None:
            return ""
        case AttributeType.BOOLEAN:
            return _("yes") if value else _("no")
        case AttributeType.NUMBER:
            return localize(value)
        case AttributeType.DATE:
            try:
                return date_format(date.fromisoformat(str(value)), "DATE_FORMAT")
            except ValueError:
                return str(value)
    return str(value)
