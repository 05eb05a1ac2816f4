"""Locking reads for commands: one way to fetch a row for a write, right on both databases."""

from django.db import connection, models, transaction


def for_write[M: models.Model](rows: models.QuerySet[M]) -> models.QuerySet[M]:
    """The same rows, locked until the transaction ends.

    PostgreSQL locks the rows (of this table only: an outer join can't be locked). SQLite needs nothing: `atomic`
    began IMMEDIATE, so no other writer runs. Raises TransactionManagementError outside `atomic`.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A row can only be locked inside atomic.")
    if connection.features.has_select_for_update:
        return (
            rows.select_for_update(of=("self",))
            if connection.features.has_select_for_update_of
            else rows.select_for_update()
        )
    return rows
