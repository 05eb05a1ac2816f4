"""Writes of applications, their secrets, scopes and resource servers."""

from identity.applications.commands.acting import let_act_for
from identity.applications.commands.lifecycle import (
    add_secret,
    delete_application,
    disable_application,
    disable_applications,
    enable_application,
    revoke_secret,
)
from identity.applications.commands.registration import (
    change_application,
    register_application,
)
from identity.applications.commands.scopes import (
    change_resource_server,
    change_scope,
    create_resource_server,
    create_scope,
    delete_resource_server,
    delete_scope,
    ensure_built_in_scopes,
)

__all__ = [
    "add_secret",
    "change_application",
    "change_resource_server",
    "change_scope",
    "create_resource_server",
    "create_scope",
    "delete_application",
    "delete_resource_server",
    "delete_scope",
    "disable_application",
    "disable_applications",
    "enable_application",
    "ensure_built_in_scopes",
    "let_act_for",
    "register_application",
    "revoke_secret",
]
