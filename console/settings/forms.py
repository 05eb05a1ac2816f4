"""Forms of the settings area: one for each section that saves itself."""

import zoneinfo
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from console.shell.forms import ConsoleForm
from identity.realms.models import Realm
from identity.realms.rules import BOUNDS, DEFAULT_ACCENT

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
UNITS: tuple[tuple[int, str | Promise], ...] = (
    (1, _("seconds")),
    (MINUTE, _("minutes")),
    (HOUR, _("hours")),
    (DAY, _("days")),
)


class SpanWidget(forms.MultiWidget):
    """A number and its unit."""

    template_name = "console/settings/span.html"
    use_fieldset = False  # the label is the number's, the unit has its own

    def __init__(self, units: list[tuple[int, str | Promise]]) -> None:
        self.units = [size for size, _name in units]
        super().__init__(
            [
                forms.NumberInput(attrs={"min": "1", "inputmode": "numeric"}),
                forms.Select(choices=units, attrs={"aria-label": _("Unit")}),
            ]
        )

    def decompress(self, value: Any) -> list[int | None]:
        """The largest unit that divides it."""
        if value is None:
            return [None, self.units[0]]
        seconds = int(value)
        unit = next((size for size in reversed(self.units) if seconds % size == 0), self.units[0])
        return [seconds // unit, unit]

    def id_for_label(self, id_: str) -> str:
        """The number's."""
        return f"{id_}_0" if id_ else id_


class SpanField(forms.MultiValueField):
    """A span of time, in seconds, written as a number and a unit."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        units = [(size, name) for size, name in UNITS if size <= most and (size > 1 or least < MINUTE)]
        super().__init__(
            fields=(
                forms.IntegerField(min_value=1, max_value=10_000_000),
                forms.TypedChoiceField(choices=units, coerce=int),
            ),
            widget=SpanWidget(units),
            require_all_fields=True,
            **kwargs,
        )

    def compress(self, data_list: list[Any]) -> int | None:
        """Number times unit; the room checks the bounds."""
        return int(data_list[0]) * int(data_list[1]) if data_list else None


class SectionForm(ConsoleForm):
    """Part of the realm's settings. Field names are setting names."""

    is_branding: ClassVar[bool] = False

    @classmethod
    def initial_of(cls, realm: Realm) -> dict[str, Any]:
        """The settings as they are."""
        return {name: realm.setting(name) for name in cls.base_fields}


class LifetimesForm(SectionForm):
    """How long sessions and tokens last."""

    session_idle_lifetime = SpanField(
        label=_("A session ends when unused for"), least=BOUNDS["session_idle_lifetime"][0],
        most=BOUNDS["session_idle_lifetime"][1],
    )  # fmt: skip
    session_lifetime = SpanField(
        label=_("A session ends at the latest after"), least=BOUNDS["session_lifetime"][0],
        most=BOUNDS["session_lifetime"][1],
        help_text=_("Counts for sessions that begin from now on."),
    )  # fmt: skip
    access_token_lifetime = SpanField(
        label=_("Access tokens last"), least=BOUNDS["access_token_lifetime"][0],
        most=BOUNDS["access_token_lifetime"][1],
        help_text=_("An API that checks tokens by itself accepts them for this long after access was taken away."),
    )  # fmt: skip
    refresh_token_lifetime = SpanField(
        label=_("Refresh tokens last, from their last use"), least=BOUNDS["refresh_token_lifetime"][0],
        most=BOUNDS["refresh_token_lifetime"][1],
    )  # fmt: skip
    refresh_token_max_lifetime = SpanField(
        label=_("Refresh tokens end at the latest after"), least=BOUNDS["refresh_token_max_lifetime"][0],
        most=BOUNDS["refresh_token_max_lifetime"][1],
    )  # fmt: skip
    code_lifetime = SpanField(
        label=_("Authorization codes last"), least=BOUNDS["code_lifetime"][0], most=BOUNDS["code_lifetime"][1],
    )  # fmt: skip


class RegionForm(SectionForm):
    """Language and time zone."""

    language = forms.ChoiceField(
        label=_("Language"), help_text=_("For mails, and for people whose browser asks for no other.")
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), help_text=_("For the console’s clock and charts."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = settings.LANGUAGES  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [(z, z) for z in sorted(zoneinfo.available_timezones())]  # type: ignore[attr-defined]


class BrandingForm(SectionForm):
    """Name, color and mark."""

    is_branding = True

    name = forms.CharField(label=_("Name"), max_length=100)
    accent = forms.CharField(
        label=_("Color"),
        max_length=7,
        widget=forms.TextInput(attrs={"type": "color"}),
        help_text=_("Shades that can be read are made of it, light and dark."),
    )
    logo_text = forms.CharField(
        label=_("Mark"), max_length=2, required=False, help_text=_("One or two characters beside the name.")
    )

    @classmethod
    def initial_of(cls, realm: Realm) -> dict[str, Any]:
        """Name and branding as they are."""
        return {
            "name": realm.name,
            "accent": realm.branding.get("accent", DEFAULT_ACCENT),
            "logo_text": realm.branding.get("logo_text", ""),
        }
