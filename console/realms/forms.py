"""Forms of the realms area."""

from django import forms
from django.utils.translation import gettext_lazy as _

from console.shell.forms import ConsoleForm
from identity.access.rules import MAX_REASON


class FoundForm(ConsoleForm):
    """A new realm and who owns it."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What people see, such as “Acme”."))
    slug = forms.CharField(
        label=_("Slug"),
        max_length=63,
        help_text=_("Part of the address. It never changes, and no other realm can have it later."),
        widget=forms.TextInput(attrs={"class": "mono", "autocapitalize": "off", "spellcheck": "false"}),
    )
    owner_email = forms.CharField(
        label=_("Email of the first owner"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_("An invitation goes there; its owner sets up everything else."),
    )
    owner_name = forms.CharField(label=_("Name of the first owner"), max_length=200, required=False)
    sign_up_open = forms.BooleanField(label=_("People may create accounts themselves"), required=False)


class EnterForm(ConsoleForm):
    """Why, and for how long."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        help_text=_("The realm’s own admins read it in their audit trail."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    minutes = forms.ChoiceField(
        label=_("How long"),
        choices=[("15", _("15 min")), ("30", _("30 min")), ("60", _("60 min"))],
        initial="30",
    )


class SuspendForm(ConsoleForm):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)
