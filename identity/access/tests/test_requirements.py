"""Roles that ask for something: assigned, but nothing comes of them until it was shown; in console and tokens alike."""

import pytest
from django.db import transaction

from conftest import actor_of, make_user
from identity.access import queries, rules
from identity.access.commands import assign_role, create_role, set_role_requirements
from identity.access.models import Role
from identity.audit.models import AuditEvent
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.errors import Conflict, Invalid, NotFound, PermissionDenied
from identity.kernel.permissions import Permission

pytestmark = pytest.mark.django_db


def held(user):
    return queries.permissions_of_user(user.pk)[0]


def role_of(name):
    return Role.objects.get(name=name, kind="console")


def show(user, **fields):
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))


@pytest.mark.parametrize(
    ("word", "column"),
    [
        ("verified_email", "email_verified_at"),
        ("verified_phone", "phone_verified_at"),
        ("second_factor", "second_factor_since"),
    ],
)
def test_a_role_yields_nothing_until_its_requirement_is_met(realm_a, as_owner_a, word, column):
    user = make_user(realm_a, "ada@example.com", role="Help desk")
    with realm_scope(realm_a):
        show(user, email_verified_at=None)
        role = role_of("Help desk")
        assert Permission.USERS_READ in held(user)
        set_role_requirements(as_owner_a, role_id=role.pk, requirements=[word])
        assert held(user) == frozenset()
        role.refresh_from_db()
        assert queries.unmet_of(role, user) == [word]
        show(user, **{column: clock.now()})
        assert Permission.USERS_READ in held(user)
        assert queries.unmet_of(role, user) == []


def test_application_roles_stay_out_of_tokens_until_met(realm_a, as_owner_a, user_a, app_a):
    application, _ = app_a
    with realm_scope(realm_a):
        role = create_role(as_owner_a, kind="application", name="approver")
        assign_role(as_owner_a, user_id=user_a.pk, role_id=role.pk)
        assert queries.application_role_names(user_a.pk, application.pk) == ["approver"]
        set_role_requirements(as_owner_a, role_id=role.pk, requirements=["second_factor"])
        assert queries.application_role_names(user_a.pk, application.pk) == []
        show(user_a, second_factor_since=clock.now())
        assert queries.application_role_names(user_a.pk, application.pk) == ["approver"]


def test_only_who_meets_it_could_own_the_realm_so_the_last_one_is_kept(realm_a, owner_a, as_owner_a):
    second = make_user(realm_a, "second@example.com", role="Owner")
    with realm_scope(realm_a):
        owner = role_of("Owner")
        with pytest.raises(Conflict):
            set_role_requirements(as_owner_a, role_id=owner.pk, requirements=["second_factor"])
        show(owner_a, second_factor_since=clock.now())
        set_role_requirements(as_owner_a, role_id=owner.pk, requirements=["second_factor"])
        assert held(second) == frozenset()
        with transaction.atomic():
            assert queries.is_last_owner(owner_a.pk)
        show(second, second_factor_since=clock.now())
        with transaction.atomic():
            assert not queries.is_last_owner(owner_a.pk)


def test_who_may_set_them(realm_a, realm_b, as_owner_a, as_owner_b):
    auditor = actor_of(make_user(realm_a, "audit@example.com", role="Auditor"))
    with realm_scope(realm_a):
        role = role_of("Help desk")
        with pytest.raises(PermissionDenied):
            set_role_requirements(auditor, role_id=role.pk, requirements=["second_factor"])
        with pytest.raises(Invalid):
            set_role_requirements(as_owner_a, role_id=role.pk, requirements=["a_pony"])
    with realm_scope(realm_b), pytest.raises(NotFound):
        set_role_requirements(as_owner_b, role_id=role.pk, requirements=["second_factor"])


def test_a_change_is_said_with_both_lists_and_no_change_is_not(realm_a, as_owner_a):
    with realm_scope(realm_a):
        role = role_of("Auditor")
        for words in (["second_factor", "verified_email"], ["verified_email", "second_factor"]):
            set_role_requirements(as_owner_a, role_id=role.pk, requirements=words)
    events = list(AuditEvent.objects.filter(realm_id=realm_a.pk, type="role.requirements_changed"))
    assert len(events) == 1
    assert events[0].payload["changes"]["requirements"] == [[], ["verified_email", "second_factor"]]


def test_a_requirement_of_a_newer_version_is_never_met():
    assert rules.unmet_requirements(["a_pony"], verified_email=1, verified_phone=1, second_factor=1) == ["a_pony"]


def test_what_a_person_holds_is_still_two_queries(realm_a, owner_a, django_assert_num_queries):
    with realm_scope(realm_a), django_assert_num_queries(2):
        queries.permissions_of_user(owner_a.pk)
