"""How forms look: a renderer for console forms, so that `{{ form }}` and `{{ field.as_field_group }}` look right.

Label, hint and error are wired to the control by aria-describedby (Django does it from the ids that we keep).
"""

from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext_lazy as _

from identity.kernel.errors import RealmkeepError


class ConsoleRenderer(TemplatesSetting):
    """Django's own widgets in our field groups."""

    form_template_name = "rk/form/form.html"
    field_template_name = "rk/form/field.html"


class ErrorList(forms.utils.ErrorList):
    """Errors under a field or above a form, with an icon and words."""

    template_name = "rk/form/errors.html"
    template_name_ul = "rk/form/errors.html"


class ConsoleForm(forms.Form):
    """A form of a console page. Use `{{ form }}` for all fields, `{{ form.name.as_field_group }}` for one."""

    default_renderer = ConsoleRenderer
    use_required_attribute = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        kwargs.setdefault("error_class", ErrorList)
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field.widget, forms.Textarea) and field.widget.attrs.get("rows") == "10":
                field.widget.attrs["rows"] = "3"

    def add_refusal(self, error: RealmkeepError) -> None:
        """Show what a command refused: at the field that it names, else above the form."""
        name = error.field if error.field in self.fields else None
        self.add_error(name, forms.ValidationError(str(error.message), code=error.reason))

    def add_error(self, field: str | None, error: Any) -> None:
        """As Django does. A form that comes back is without its secrets: what was typed there is asked for again."""
        super().add_error(field, error)
        for name, each in self.fields.items():
            typed = isinstance(each.widget, forms.PasswordInput) and self.data.get(self.add_prefix(name))
            if typed and name not in self.errors:
                again = _("Type it again: nothing that is secret is sent back to the page.")
                super().add_error(name, forms.ValidationError(again, code="typed_again"))


class ChoiceCards(forms.RadioSelect):
    """A choice shown as cards with a sentence each; `descriptions` maps value to sentence."""

    template_name = "rk/form/choice_cards.html"

    def __init__(self, *args: Any, descriptions: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.descriptions = descriptions or {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Adds the sentence."""
        option = super().create_option(name, value, *args, **kwargs)
        option["description"] = self.descriptions.get(str(value), "")
        return option


class Lines(forms.CharField):
    """A list with one value a line, as for redirect URIs. Cleans to a list without blanks and repeats."""

    widget = forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        """A list becomes lines."""
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:
        """The lines, stripped, in order, each once."""
        text = super().clean(value)
        return list(dict.fromkeys(line.strip() for line in (text or "").splitlines() if line.strip()))


CONFIRM_MISMATCH = _("This does not match. Capitals matter.")


class TypedConfirmForm(ConsoleForm):
    """Asks to type a name before something that can't be undone (rk/dialog/typed_confirm.html shows it)."""

    confirm = forms.CharField(label="", required=False, strip=False)

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    def clean_confirm(self) -> str:
        """Refuses what is not the expected name, to the letter."""
        value: str = self.cleaned_data["confirm"]
        if value.strip() != self.expected:
            raise forms.ValidationError(CONFIRM_MISMATCH, code="mismatch")
        return value
