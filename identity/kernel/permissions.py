"""The closed list of console permissions: `noun:verb`, the same word in code, roles, navigation and buttons."""

from enum import StrEnum


class Permission(StrEnum):
    """What a console role can hold. Groups are alphabetical; a new member needs a row in the authorization matrix.

    `read` shows, `write` creates and changes, a verb of its own is an act that is granted apart.
    """

    ALERTS_ACT = "alerts:act"
    ALERTS_READ = "alerts:read"
    APPLICATIONS_DELETE = "applications:delete"
    APPLICATIONS_READ = "applications:read"
    APPLICATIONS_SECRETS = "applications:secrets"
    APPLICATIONS_WRITE = "applications:write"
    AUDIT_EXPORT = "audit:export"
    AUDIT_READ = "audit:read"
    CONSENTS_READ = "consents:read"
    CONSENTS_REVOKE = "consents:revoke"
    CONSOLE_OPEN = "console:open"
    KEYS_READ = "keys:read"
    KEYS_ROTATE = "keys:rotate"
    ORGANIZATIONS_READ = "organizations:read"
    ORGANIZATIONS_WRITE = "organizations:write"
    OWNERS_ASSIGN = "owners:assign"
    REALMS_DELETE = "realms:delete"
    REALMS_READ = "realms:read"
    REALMS_VISIT = "realms:visit"
    REALMS_WRITE = "realms:write"
    ROLES_ASSIGN = "roles:assign"
    ROLES_READ = "roles:read"
    ROLES_WRITE = "roles:write"
    SESSIONS_END = "sessions:end"
    SESSIONS_READ = "sessions:read"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    USERS_DISABLE = "users:disable"
    USERS_INVITE = "users:invite"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"


PLATFORM_ONLY = frozenset(
    {Permission.REALMS_DELETE, Permission.REALMS_READ, Permission.REALMS_VISIT, Permission.REALMS_WRITE}
)
"""Meaningful only in the realm `platform`; a role of any other realm can't hold them."""

REALM_PERMISSIONS = frozenset(Permission) - PLATFORM_ONLY
