"""Django's migrate, run as the owner of the tables, with an end that checks the audit table (DECISIONS 10)."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connection

from identity.audit.checks import findings


def default_privileges(role: str) -> list[str]:
    """What the server's role may do with the tables that the owner makes from now on. Audit takes most of it back."""
    return [
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    ]


class Command(DjangoMigrate):
    """With MIGRATE_DATABASE_URL the owner connects, and the role of DATABASE_URL gets the use of what he makes."""

    help = "Bring the database up to date, as the owner of its tables, and check the audit table's guards."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrates; raises CommandError when the audit table is not what it should be afterwards."""
        owner = settings.MIGRATE_DATABASE
        if owner is None:
            super().handle(*args, **options)
        else:
            self._as_owner(owner, args, options)
        for finding in findings():
            if finding.is_breach:
                raise CommandError(f"The audit table is not as it was made. {finding.code}: {finding.text}")
            self.stderr.write(self.style.WARNING(f"audit {finding.code}: {finding.text}"))

    def _as_owner(self, owner: dict[str, Any], args: Any, options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("MIGRATE_DATABASE_URL is for PostgreSQL: another database knows no roles.")
        own = connection.settings_dict
        if (owner["NAME"], owner["HOST"] or "", owner["PORT"]) != (own["NAME"], own["HOST"] or "", own["PORT"]):
            raise CommandError("MIGRATE_DATABASE_URL and DATABASE_URL must name the same database.")
        # A copy: settings_dict is the very object in settings.DATABASES, and `audit.ddl` reads the server's role there.
        connection.close()
        connection.settings_dict = {**own, "USER": owner["USER"], "PASSWORD": owner["PASSWORD"]}
        try:
            role = connection.ops.quote_name(settings.DATABASES["default"]["USER"])
            if owner["USER"] != settings.DATABASES["default"]["USER"]:
                with connection.cursor() as cursor:
                    for statement in default_privileges(role):
                        cursor.execute(statement)
            super().handle(*args, **options)
        finally:
            connection.close()
            connection.settings_dict = own
