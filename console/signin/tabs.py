"""The pages of the area, as tabs."""

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Tab:
    """One page of the area."""

    name: str
    label: str | Promise
    url_name: str


TABS = (
    Tab("methods", _("Methods"), "console:signin"),
    Tab("providers", _("Providers"), "console:signin_providers"),
    Tab("passwords", _("Passwords and limits"), "console:signin_passwords"),
    Tab("factors", _("Second factor"), "console:signin_factors"),
    Tab("risk", _("Devices and risk"), "console:signin_risk"),
    Tab("messages", _("Text messages"), "console:signin_messages"),
    Tab("attributes", _("Attributes"), "console:signin_attributes"),
)


def tabs_of(current: str) -> list[dict[str, Any]]:
    """What the tab bar shows: the pages that there are, the open one marked."""
    out: list[dict[str, Any]] = []
    for tab in TABS:
        try:
            url = reverse(tab.url_name)
        except NoReverseMatch:
            continue
        out.append({"label": tab.label, "url": url, "current": tab.name == current})
    return out
