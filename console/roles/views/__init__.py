"""Pages and dialogs of the roles area."""

from console.roles.views.editing import Create, Delete, Edit
from console.roles.views.giving import Give, Take
from console.roles.views.pages import Compare, RoleDetail, RolePeople, Roles
from console.roles.views.requirements import Requirements

__all__ = [
    "Compare",
    "Create",
    "Delete",
    "Edit",
    "Give",
    "Requirements",
    "RoleDetail",
    "RolePeople",
    "Roles",
    "Take",
]
