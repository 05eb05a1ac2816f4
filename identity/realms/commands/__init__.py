"""Writes of realms and of what a realm configures about others."""

from identity.realms.commands.providers import (
    change_provider,
    create_provider,
    delete_provider,
    disable_provider,
    enable_provider,
    reorder_providers,
    set_provider_secret,
)
from identity.realms.commands.tenants import (
    change_realm_branding,
    change_realm_settings,
    create_realm,
    delete_realm,
    order_due_purges,
    purge_expired,
    purge_realm,
    resume_realm,
    suspend_realm,
)

__all__ = [
    "change_provider",
    "change_realm_branding",
    "change_realm_settings",
    "create_provider",
    "create_realm",
    "delete_provider",
    "delete_realm",
    "disable_provider",
    "enable_provider",
    "order_due_purges",
    "purge_expired",
    "purge_realm",
    "reorder_providers",
    "resume_realm",
    "set_provider_secret",
    "suspend_realm",
]
