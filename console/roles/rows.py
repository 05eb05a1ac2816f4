"""Roles as pages show them: built-in ones in the reader's language."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from identity.access.models import Role, RoleAssignment, RoleKind
from identity.access.rules import built_in_role
from identity.kernel.actor import Actor
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission

KIND = "kind"
"""The parameter that tells the two lists apart."""


def role_title(role: Role) -> str:
    """A role's name; that of a built-in role is translated."""
    definition = built_in_role(role.name) if role.built_in else None
    return str(definition.title) if definition else role.name


def role_description(role: Role) -> str:
    """One line about it."""
    definition = built_in_role(role.name) if role.built_in else None
    return str(definition.description) if definition else role.description


def role_url(role: Role, name: str = "role") -> str:
    """The address of a page about it."""
    return reverse(f"console:{name}", args=[public_id("role", role.pk)])


@dataclass(frozen=True)
class RoleRow:
    """A row of the list."""

    role: Role
    title: str
    description: str
    url: str
    holders: int
    scope: str
    menu: list[dict[str, Any]] = field(default_factory=list)

    @property
    def public_id(self) -> str:
        """For the row's menu."""
        return public_id("role", self.role.pk)


def scope_of(role: Role) -> str:
    """Where an application role counts."""
    if role.kind == RoleKind.CONSOLE:
        return ""
    return str(role.application.name) if role.application else _("every application")


def row_of(role: Role, actor: Actor) -> RoleRow:
    """What the list shows of a role, with the menu that its commands allow."""
    menu: list[dict[str, Any]] = [{"label": _("Open"), "url": role_url(role), "icon": "badge"}]
    if actor.can(Permission.ROLES_WRITE) and not role.built_in:
        menu += [
            {"label": _("Edit"), "url": role_url(role, "role_edit"), "icon": "edit"},
            {"divider": True},
            {
                "label": _("Delete…"),
                "url": role_url(role, "role_delete"),
                "icon": "delete",
                "danger": True,
                "dialog": True,
            },
        ]
    return RoleRow(
        role=role,
        title=role_title(role),
        description=role_description(role),
        url=role_url(role),
        holders=getattr(role, "holders", 0),
        scope=scope_of(role),
        menu=menu,
    )


@dataclass(frozen=True, slots=True)
class HolderRow:
    """A person who holds a role; without an address when the actor can't open the person's page."""

    person: str
    email: str
    url: str
    take_url: str
    since: datetime


def holder_of(assignment: RoleAssignment, *, is_seen: bool) -> HolderRow:
    """What the role's page shows of one who holds it."""
    user = assignment.user
    user_id = public_id("user", user.pk)
    return HolderRow(
        person=user.display_name,
        email=user.email or "",
        url=reverse("console:user", args=[user_id]) if is_seen else "",
        take_url=reverse("console:role_take", args=[public_id("role", assignment.role_id), user_id]),
        since=assignment.assigned_at,
    )
