"""The sidebar: which areas there are, who sees them, which one is open."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from console.shell.counts import Count, counts_for
from identity.kernel.actor import Actor
from identity.kernel.permissions import Permission


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the sidebar. `jump` is the letter after G that opens it.

    whole_realm: the page shows nothing to those who hold the permission only on single objects.
    also: other permissions, any of which opens the page as well.
    """

    name: str
    label: str | Promise
    icon: str
    permission: Permission
    jump: str = ""
    whole_realm: bool = False
    also: tuple[Permission, ...] = ()
    url: str = ""
    is_current: bool = False
    count: Count | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A heading and its items; the first group has no heading."""

    label: str | Promise
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Navigation:
    """What one person sees on one page."""

    groups: tuple[Group, ...]

    @property
    def current(self) -> Item | None:
        """The open area's item."""
        return next((item for group in self.groups for item in group.items if item.is_current), None)

    @property
    def current_group(self) -> Group | None:
        """The group of the open area."""
        return next((group for group in self.groups if any(item.is_current for item in group.items)), None)

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, in order."""
        return tuple(item for group in self.groups for item in group.items)


GROUPS = (
    Group("", (Item("index", _("Overview"), "space_dashboard", Permission.CONSOLE_OPEN, "o"),)),
    Group(
        _("Operate"),
        (
            Item("alerts", _("Security"), "shield", Permission.ALERTS_READ, "e"),
            Item("sessions", _("Sessions"), "devices", Permission.SESSIONS_READ, "s"),
            Item("audit", _("Audit trail"), "receipt_long", Permission.AUDIT_READ, "t"),
        ),
    ),
    Group(
        _("People"),
        (
            Item("users", _("Users"), "group", Permission.USERS_READ, "u"),
            Item("organizations", _("Organizations"), "apartment", Permission.ORGANIZATIONS_READ, "n"),
            Item("roles", _("Roles"), "badge", Permission.ROLES_READ, "r", also=(Permission.ROLES_ASSIGN,)),
        ),
    ),
    Group(
        _("Apps"),
        (
            Item("applications", _("Applications"), "apps", Permission.APPLICATIONS_READ, "a"),
            Item("apis", _("APIs and scopes"), "api", Permission.APPLICATIONS_READ, "p", whole_realm=True),
            Item("consents", _("Consents"), "handshake", Permission.CONSENTS_READ, "c"),
        ),
    ),
    Group(
        _("Realm"),
        (
            Item("signin", _("Sign-in"), "login", Permission.SETTINGS_READ, "n"),
            Item("settings", _("Settings"), "settings", Permission.SETTINGS_READ, "i"),
            Item("keys", _("Keys"), "vpn_key", Permission.KEYS_READ, "k"),
            Item("identity_message_changelist", _("Messages"), "mail", Permission.SETTINGS_READ, "l", whole_realm=True),
        ),
    ),
    Group(_("Development"), (Item("outbox", _("Outbox"), "drafts", Permission.SETTINGS_WRITE, "x"),)),
    Group(_("Platform"), (Item("realms", _("Realms"), "domain", Permission.REALMS_READ, "m"),)),
)
"""The whole sidebar. An item whose URL does not exist (the outbox outside development) is left out."""


def navigation_for(request: HttpRequest) -> Navigation:
    """The sidebar of this request's actor, with the open area marked."""
    actor = request.actor  # type: ignore[attr-defined]
    seen = [(group, [item for item in _existing(group.items) if _is_open_to(actor, item)]) for group in GROUPS]
    urls = [item.url for _group, items in seen for item in items]
    current = _longest_prefix(request.path, urls)
    counts = counts_for(request)
    return Navigation(
        tuple(
            Group(
                group.label,
                tuple(replace(i, is_current=i.url == current, count=counts.get(i.name)) for i in items),
            )
            for group, items in seen
            if items
        )
    )


def _is_open_to(actor: Actor, item: Item) -> bool:
    if item.whole_realm:
        return actor.can(item.permission)
    return any(actor.can_somewhere(permission) for permission in (item.permission, *item.also))


def _existing(items: Iterable[Item]) -> Iterable[Item]:
    """The items whose page there is, with its URL."""
    for item in items:
        try:
            yield replace(item, url=reverse(f"console:{item.name}"))
        except NoReverseMatch:
            continue


def _longest_prefix(path: str, urls: list[str]) -> str:
    """The URL that `path` lies under. The overview's URL is under none, since it is a prefix of all."""
    index = min(urls, key=len, default="")
    matches = [url for url in urls if path == url or (url != index and path.startswith(url.rstrip("/") + "/"))]
    return max(matches, key=len, default="")
