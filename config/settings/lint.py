"""What bin/lint runs Django under: the tests' settings and two apps that look at migrations."""

from config.settings.test import *
from config.settings.test import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "django_linear_migrations", "django_migration_linter"]
# Whose migrations must be one line: ours. Those of the libraries are their own business.
FIRST_PARTY_APPS = ["identity"]
