"""Pages and dialogs of the organizations area."""

from console.organizations.views.editing import Create, Delete, Edit
from console.organizations.views.members import AddMember, RemoveMember
from console.organizations.views.pages import (
    Activity,
    AddManager,
    Managers,
    Members,
    Organizations,
    Overview,
    TakeFromManager,
)

__all__ = [
    "Activity",
    "AddManager",
    "AddMember",
    "Create",
    "Delete",
    "Edit",
    "Managers",
    "Members",
    "Organizations",
    "Overview",
    "RemoveMember",
    "TakeFromManager",
]
