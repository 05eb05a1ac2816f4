"""Writes of access: roles and who holds them, object grants, organizations, operator visits."""

from identity.access.commands.grants import grant_object, grant_several, revoke_object_grant, revoke_several
from identity.access.commands.organizations import (
    add_member,
    create_organization,
    delete_organization,
    remove_member,
    rename_organization,
)
from identity.access.commands.roles import (
    assign_role,
    change_role,
    create_role,
    delete_role,
    ensure_built_in_roles,
    set_role_requirements,
    unassign_role,
)
from identity.access.commands.visits import end_due_visits, end_visit, open_visit

__all__ = [
    "add_member",
    "assign_role",
    "change_role",
    "create_organization",
    "create_role",
    "delete_organization",
    "delete_role",
    "end_due_visits",
    "end_visit",
    "ensure_built_in_roles",
    "grant_object",
    "grant_several",
    "open_visit",
    "remove_member",
    "rename_organization",
    "revoke_object_grant",
    "revoke_several",
    "set_role_requirements",
    "unassign_role",
]
