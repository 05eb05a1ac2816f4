"""The Django app of everything that people see."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsoleConfig(AppConfig):
    """Holds no models; templates and static files stand at the top of the repository."""

    name = "console"
    verbose_name = _("Console")
