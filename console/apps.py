"""The Django app of everything that people see."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsoleConfig(AppConfig):
    """Holds no models; templates and static files stand at the top of the repository."""

    name = "console"
    verbose_name = _("Console")

    def ready(self) -> None:
        """Tells the shell what it can find and count; the shell's own modules import no room's queries."""
        from console.shell import counts, palette, sources

        palette.SOURCES.extend(sources.PALETTE)
        counts.SOURCES.update(sources.COUNTS)
