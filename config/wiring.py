"""Who reacts to what: the one place where consumers are subscribed. Called once, when all apps are loaded."""

from django.db.models.signals import post_migrate

from identity.access.permission_sync import sync_permissions

_wired = False


def wire() -> None:
    """Subscribe every durable consumer and publisher. Repeated calls (tests, autoreload) change nothing."""
    global _wired
    if _wired:
        return
    _wired = True
    post_migrate.connect(sync_permissions, dispatch_uid="identity.sync_permissions")
