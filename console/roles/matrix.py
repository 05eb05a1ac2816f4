"""Permissions as rows of a table: areas in the order of the sidebar, each permission in words."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from console.shell.permissions import LABELS
from identity.kernel.permissions import PLATFORM_ONLY, Permission

AREAS: tuple[tuple[str, str | Promise, str], ...] = (
    ("console", _("Console"), "space_dashboard"),
    ("alerts", _("Security"), "shield"),
    ("sessions", _("Sessions"), "devices"),
    ("audit", _("Audit trail"), "receipt_long"),
    ("users", _("Users"), "group"),
    ("organizations", _("Organizations"), "apartment"),
    ("roles", _("Roles"), "badge"),
    ("owners", _("Owners"), "admin_panel_settings"),
    ("applications", _("Applications"), "apps"),
    ("consents", _("Consents"), "handshake"),
    ("settings", _("Settings"), "settings"),
    ("keys", _("Keys"), "vpn_key"),
    ("realms", _("Realms"), "domain"),
)
"""First word of a permission, its heading and icon."""


@dataclass(frozen=True, slots=True)
class Line:
    """One permission, and which of the compared sets hold it."""

    permission: Permission
    label: str
    held: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """The permissions on one kind of thing."""

    label: str | Promise
    icon: str
    lines: tuple[Line, ...]

    @property
    def some(self) -> bool:
        """Whether the first set holds anything here."""
        return any(line.held[0] for line in self.lines)


def _weight(permission: Permission) -> tuple[int, str]:
    """Seeing before changing before acts of their own."""
    return ({"read": 0, "open": 0, "write": 1}.get(permission.partition(":")[2], 2), permission)


def sentence_case(text: str) -> str:
    """`see people` → `See people`."""
    return text[:1].upper() + text[1:]


def matrix(sets: Iterable[Collection[str]], *, platform: bool) -> list[Area]:
    """Every permission that a role of this realm can hold, against one or more sets of them."""
    columns = [set(each) for each in sets]
    areas = []
    for noun, label, icon in AREAS:
        lines = tuple(
            Line(permission, sentence_case(str(LABELS[permission])), tuple(permission in held for held in columns))
            for permission in sorted(Permission, key=_weight)
            if permission.partition(":")[0] == noun and (platform or permission not in PLATFORM_ONLY)
        )
        if lines:
            areas.append(Area(label, icon, lines))
    return areas
