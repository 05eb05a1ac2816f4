"""A migration operation that knows the database's vendor. Migrations freeze its import path: it never moves."""

from collections.abc import Callable
from typing import Any

from django.db.migrations.operations.base import Operation

Statements = list[str] | Callable[[Any], list[str]]


class VendorSQL(Operation):
    """Runs a list of statements for the vendor at hand; a callable gets the connection and returns the list.

    Lists, since a splitter would cut a trigger's body at its first semicolon; RunSQL can't tell the vendor.
    """

    reduces_to_sql = True
    reversible = False

    def __init__(self, *, sqlite: Statements, postgresql: Statements) -> None:
        self.statements: dict[str, Statements] = {"sqlite": sqlite, "postgresql": postgresql}

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return "VendorSQL", [], dict(self.statements)

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The model state is changed by the operation beside this one."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        statements = self.statements[schema_editor.connection.vendor]
        for statement in statements(schema_editor.connection) if callable(statements) else statements:
            schema_editor.execute(statement, params=None)

    def describe(self) -> str:
        return "Statements for this database's vendor"
