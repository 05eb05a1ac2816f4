"""Pages and dialogs of the applications area."""

from console.applications.views.access import Access, AddManager, TakeFromManager
from console.applications.views.api_clients import AddApiClient, RemoveApiClient
from console.applications.views.apis import Apis, CreateApi, CreateScope, DeleteApi, DeleteScope, EditScope
from console.applications.views.editing import Create, Edit
from console.applications.views.lifecycle import Delete, Disable, DisableMany, Enable
from console.applications.views.listing import Applications
from console.applications.views.pages import Activity, Connect, Credentials, Redirects, Scopes, Tokens
from console.applications.views.preview import Preview
from console.applications.views.secrets import AddSecret, RevokeSecret

__all__ = [
    "Access",
    "Activity",
    "AddApiClient",
    "AddManager",
    "AddSecret",
    "Apis",
    "Applications",
    "Connect",
    "Create",
    "CreateApi",
    "CreateScope",
    "Credentials",
    "Delete",
    "DeleteApi",
    "DeleteScope",
    "Disable",
    "DisableMany",
    "Edit",
    "EditScope",
    "Enable",
    "Preview",
    "Redirects",
    "RemoveApiClient",
    "RevokeSecret",
    "Scopes",
    "TakeFromManager",
    "Tokens",
]
