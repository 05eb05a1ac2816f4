"""Realm-owned tables fail closed, and the swapped models keep what their bases declare."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import IntegrityError, connection, models, transaction
from oauth2_provider import models as dot

from identity.accounts.models import User
from identity.applications.models import Application, Scope
from identity.kernel.checks import realm_owned_models
from identity.kernel.context import NoRealm, WrongRealm, no_realm, realm_scope
from identity.oauth.models import AccessToken, DeviceGrant, Grant, IDToken, RefreshToken
from identity.realms.models import Realm

SWAPPED: list[tuple[type[models.Model], type[models.Model]]] = [
    (Application, dot.AbstractApplication),
    (Grant, dot.AbstractGrant),
    (AccessToken, dot.AbstractAccessToken),
    (RefreshToken, dot.AbstractRefreshToken),
    (IDToken, dot.AbstractIDToken),
    (DeviceGrant, dot.AbstractDeviceGrant),
]


def test_the_walls_pass_their_own_checks() -> None:
    assert [c for c in run_checks(tags=["realmkeep"]) if c.is_serious()] == []


@pytest.mark.parametrize("model", realm_owned_models(), ids=lambda m: m._meta.label)
def test_ti_26_without_a_realm_every_table_refuses_to_answer(model: Any, db: None) -> None:
    with no_realm():
        for ask in (
            lambda: list(model.objects.all()),
            model.objects.count,
            lambda: model.objects.filter(pk__isnull=False).delete(),
            lambda: list(model._base_manager.all()),
        ):
            with pytest.raises(NoRealm):
                ask()


def test_a_queryset_built_in_one_realm_answers_for_the_realm_it_runs_in(realm_a: Realm, realm_b: Realm) -> None:
    with realm_scope(realm_a):
        rows = Scope.objects.filter(name="openid")
    with realm_scope(realm_b):
        assert {row.realm_id for row in rows} == {realm_b.pk}


def test_a_row_of_another_realm_is_not_saved_found_or_followed(user_a: User, user_b: User, realm_a: Realm) -> None:
    with realm_scope(realm_a):
        assert not User.objects.filter(pk=user_b.pk).exists()
        with pytest.raises(WrongRealm):
            user_b.save()
        with pytest.raises(User.DoesNotExist):
            user_b.refresh_from_db()


def test_creating_outside_a_realm_breaks_the_database_constraint(db: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), no_realm():
        User(email="nobody@example.com").save(force_insert=True)


@pytest.mark.parametrize(("ours", "base"), SWAPPED, ids=lambda m: m.__name__)
def test_a_swapped_model_keeps_what_its_base_declares(ours: type[models.Model], base: type[models.Model]) -> None:
    declared = base._meta
    assert {tuple(u) for u in declared.unique_together} <= {tuple(u) for u in ours._meta.unique_together}
    assert {tuple(i.fields) for i in declared.indexes} <= {tuple(i.fields) for i in ours._meta.indexes}
    kept = {tuple(getattr(c, "fields", ())) for c in ours._meta.constraints}
    assert {tuple(getattr(c, "fields", ())) for c in declared.constraints} <= kept


@pytest.mark.parametrize(("ours", "base"), SWAPPED, ids=lambda m: m.__name__)
def test_the_database_holds_the_indexes_of_swapped_models(
    ours: type[models.Model], base: type[models.Model], db: None
) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, ours._meta.db_table)
    columns = {tuple(each["columns"]) for each in found.values() if each["columns"]}

    def column(name: str) -> str:
        return ours._meta.get_field(name).column  # type: ignore[union-attr, return-value]

    for names in [*ours._meta.unique_together, *(i.fields for i in ours._meta.indexes)]:
        assert tuple(column(name) for name in names) in columns


def test_the_same_email_in_two_realms_is_two_people_and_twice_in_one_is_refused(
    user_a: User, user_b: User, realm_a: Realm
) -> None:
    assert user_a.email == user_b.email
    assert user_a.pk != user_b.pk
    with realm_scope(realm_a), pytest.raises(IntegrityError), transaction.atomic():
        User(email="DANA@example.com").save(force_insert=True)
