"""The app that owns all tables of ours."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """One app, rooms as packages; subscriptions are made once all models are loaded."""

    name = "identity"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Load the system checks and wire the reactions."""
        from config import wiring
        from identity.kernel import checks  # noqa: F401 - registers by being imported

        wiring.wire()
