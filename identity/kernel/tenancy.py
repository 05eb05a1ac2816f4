"""Realm-owned tables: managers that answer only for the realm of the moment and fail closed without one."""

from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

from identity.kernel.context import NoRealm, WrongRealm, current_realm_id

M = TypeVar("M", bound=models.Model)


class RealmNow(models.Expression):
    """The realm at the moment of EXECUTION.

    A queryset built at import time, in a form class or in another realm is right too: it can't carry a realm over.
    """

    def __init__(self) -> None:
        super().__init__(output_field=models.UUIDField())

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:  # type: ignore[override]
        realm_id = current_realm_id()
        if realm_id is None:
            raise NoRealm("A realm-owned table was asked without a realm.")
        return "%s", [self.output_field.get_db_prep_value(realm_id, connection)]

    def get_group_by_cols(self) -> list[Any]:
        return []


class RealmManager(models.Manager[M]):
    """The default and the base manager of realm-owned tables, so `save()` and forward keys are scoped as well."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().filter(realm_id=RealmNow())


class RealmOwned(models.Model):
    """Base of every table that belongs to a realm. `all_realms` is the named door out; few listed places use it."""

    realm = models.ForeignKey(
        "identity.Realm",
        on_delete=models.PROTECT,
        default=current_realm_id,
        related_name="+",
        editable=False,
        db_index=False,
    )
    realm_id: UUID

    objects: ClassVar[RealmManager[Self]] = RealmManager()
    all_realms: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises WrongRealm when a realm is set and the row belongs to another one."""
        realm_id = current_realm_id()
        if realm_id is not None and self.realm_id != realm_id:
            raise WrongRealm(self._meta.label)
        super().save(*args, **kwargs)


def realm_id_of(row: RealmOwned) -> UUID:
    """The realm of a stored row. Typed apart, since a row that is still being made may have none yet."""
    realm_id: UUID | None = row.realm_id
    if realm_id is None:
        raise NoRealm(f"A {row._meta.label} without a realm was used.")
    return realm_id
