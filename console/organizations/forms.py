"""Forms of the organizations area."""

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from console.shell.forms import ConsoleForm

MAX_NAME, MAX_SLUG = 200, 63


class NameForm(ConsoleForm):
    """What it is called."""

    name = forms.CharField(label=_("Name"), max_length=MAX_NAME)


class CreateForm(NameForm):
    """A new one; without a slug it gets one from its name."""

    slug = forms.CharField(
        label=_("Slug"),
        max_length=MAX_SLUG,
        required=False,
        widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_("How realm files name it; it never changes. Left empty, it is made from the name."),
    )

    def clean_slug(self) -> str:
        """As typed, else from the name."""
        return self.cleaned_data["slug"].strip() or slugify(self.cleaned_data.get("name", ""))[:MAX_SLUG].strip("-")
