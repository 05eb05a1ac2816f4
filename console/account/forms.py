"""Forms of the account pages: they name fields and their words; the rooms' rules decide."""

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from identity.accounts.models import Attribute, User
from identity.realms.models import Realm
from identity.signin.attribute_fields import put_fields, values_of


class ProfileForm(forms.Form):
    """Names, language and time zone."""

    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=200,
        help_text=_("In full, as others should see it."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    given_name = forms.CharField(
        label=_("Given name"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    family_name = forms.CharField(
        label=_("Family name"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    language = forms.ChoiceField(
        label=_("Language"), required=False, help_text=_("Of these pages, and of messages to you.")
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, data: Any = None, *, user: User, realm: Realm) -> None:
        super().__init__(data, initial={name: getattr(user, name) or "" for name in self.base_fields})
        usual = _("As usual here (%(value)s)")
        languages = list(settings.LANGUAGES)
        if user.language and user.language not in dict(languages):
            languages.append((user.language, user.language))
        of_realm = str(realm.setting("language"))
        self.fields["language"].choices = [
            ("", usual % {"value": dict(languages).get(of_realm, of_realm)}),
            *languages,
        ]
        zones = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc/"))
        self.fields["time_zone"].choices = [
            ("", usual % {"value": realm.setting("time_zone")}),
            ("UTC", "UTC"),
            *((zone, zone.replace("_", " ")) for zone in zones),
        ]

    def clean_language(self) -> str | None:
        """Empty means the realm's."""
        return self.cleaned_data["language"] or None

    def clean_time_zone(self) -> str | None:
        """Empty means the realm's."""
        return self.cleaned_data["time_zone"] or None


class AttributesForm(forms.Form):
    """What else the realm keeps of its people, as far as the person may change it."""

    def __init__(self, data: Any = None, *, user: User, attributes: list[Attribute]) -> None:
        super().__init__(data)
        self.attributes = attributes
        put_fields(self, attributes, user.attributes)

    def clean(self) -> dict[str, Any]:
        """By the attributes' own rules."""
        self.cleaned_data["attributes"] = values_of(self, self.attributes)
        return self.cleaned_data
