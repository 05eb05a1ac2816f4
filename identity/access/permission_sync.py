"""Guardian's permissions: one auth.Permission row for each member of the enum that can be granted on an object."""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission as DjangoPermission
from django.contrib.contenttypes.models import ContentType

from identity.kernel.permissions import Permission

ON_APPLICATION = (
    Permission.APPLICATIONS_READ,
    Permission.APPLICATIONS_WRITE,
    Permission.APPLICATIONS_SECRETS,
    Permission.CONSENTS_READ,
    Permission.SESSIONS_READ,
    Permission.ROLES_ASSIGN,
)
ON_ORGANIZATION = (
    Permission.USERS_READ,
    Permission.USERS_WRITE,
    Permission.USERS_INVITE,
    Permission.USERS_DISABLE,
    Permission.SESSIONS_READ,
    Permission.SESSIONS_END,
    Permission.ORGANIZATIONS_READ,
)
GRANTABLE: dict[str, tuple[Permission, ...]] = {
    "application": ON_APPLICATION,
    "organization": ON_ORGANIZATION,
}
"""What can be granted on a single object, by kind (model name)."""


def sync_permissions(sender: Any, **_: Any) -> None:
    """Run after migrate: the enum is the source, the rows are what guardian's foreign keys need.

    Once, for our own app. A flush between tests empties the content types behind the back of Django's cache of them.
    """
    if sender.label != "identity":
        return
    ContentType.objects.clear_cache()
    for kind, permissions in GRANTABLE.items():
        content_type = ContentType.objects.get_for_model(apps.get_model("identity", kind))
        for permission in permissions:
            DjangoPermission.objects.get_or_create(
                content_type=content_type, codename=str(permission), defaults={"name": str(permission)}
            )
