"""System checks: each realm-owned table has its realm key, an index that starts with it, and scoped managers."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register
from django.db import models

from identity.kernel.tenancy import RealmManager, RealmOwned


def _starts_with_realm(model: type[models.Model]) -> bool:
    meta = model._meta
    for constraint in meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            names = [*constraint.fields, *(str(e) for e in constraint.expressions)]
            if names and names[0] in ("realm", "F(realm)"):
                return True
    return any(index.fields and index.fields[0] == "realm" for index in meta.indexes)


def realm_owned_models() -> list[type[RealmOwned]]:
    """Every concrete realm-owned model."""
    return [m for m in apps.get_models() if issubclass(m, RealmOwned)]


GLOBAL_TABLES = {
    "identity_realm",
    "identity_auditevent",
    "identity_outbox",
    "identity_subjectkey",
    "identity_lease",
}
"""Tables of ours without a realm foreign key: the realm itself, and audit's (realm as a plain column, DECISIONS 2)."""


@register("realmkeep")
def check_realm_walls(**_: Any) -> list[CheckMessage]:
    """Fails the start when a table of ours has no realm, or when a realm-owned one lacks index or scoped managers."""
    problems: list[CheckMessage] = []
    for model in apps.get_app_config("identity").get_models():
        table = model._meta.db_table
        if not issubclass(model, RealmOwned):
            if table not in GLOBAL_TABLES and not model._meta.auto_created:
                problems.append(
                    Error(
                        f"{table} belongs to no realm and is not listed as global.",
                        obj=model,
                        id="realmkeep.E001",
                    )
                )
            continue
        if not _starts_with_realm(model):
            problems.append(
                Error(
                    f"{table} has no index or unique constraint that starts with the realm.",
                    obj=model,
                    id="realmkeep.E002",
                )
            )
        problems.extend(
            Error(f"{table}: {name} is not scoped to the realm.", obj=model, id="realmkeep.E003")
            for name in ("_default_manager", "_base_manager")
            if not isinstance(getattr(model, name), RealmManager)
        )
        if model._meta.get_field("realm").null:
            problems.append(Error(f"{table}: the realm may be null.", obj=model, id="realmkeep.E004"))
    return problems
