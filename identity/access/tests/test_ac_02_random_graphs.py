"""AC-02: however roles are made, edited and passed around, nobody ever gives what he does not hold himself."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import actor_of
from identity.access.commands import assign_role, change_role, create_role, grant_object, revoke_object_grant
from identity.access.models import Organization, Role, RoleAssignment
from identity.access.permission_sync import ON_ORGANIZATION
from identity.access.queries import permissions_of_user
from identity.accounts.models import User
from identity.kernel import clock
from identity.kernel.context import realm_scope
from identity.kernel.errors import RealmkeepError
from identity.kernel.permissions import Permission

pytestmark = pytest.mark.django_db

PEOPLE = 4
some = st.frozensets(
    st.sampled_from(
        [
            Permission.ROLES_ASSIGN,
            Permission.ROLES_WRITE,
            Permission.OWNERS_ASSIGN,
            Permission.USERS_READ,
            Permission.USERS_WRITE,
            Permission.KEYS_ROTATE,
            Permission.REALMS_DELETE,
        ]
    ),
    max_size=5,
)
person = st.integers(0, PEOPLE - 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), person, some, person),
        st.tuples(st.just("change"), person, some, st.integers(0, 7)),
        st.tuples(st.just("assign"), person, person, st.integers(0, 7)),
        st.tuples(st.just("grant"), person, person, st.sampled_from(ON_ORGANIZATION)),
        st.tuples(st.just("revoke"), person, person, st.sampled_from(ON_ORGANIZATION)),
    ),
    min_size=1,
    max_size=8,
)


def _power(user_id):
    held, on_objects = permissions_of_user(user_id)
    # Who holds something on an object may open the console: that is nobody's gift.
    return held - {Permission.CONSOLE_OPEN}, on_objects


@given(start=st.lists(some, min_size=PEOPLE, max_size=PEOPLE), steps=steps)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ac_02_no_step_gives_more_than_its_actor_holds(realm_a, start, steps):
    with realm_scope(realm_a), transaction.atomic():
        people, roles = [], []
        organization = Organization.objects.create(slug="o", name="O", created_at=clock.now())
        for number, permissions in enumerate(start):
            user = User(email=f"p{number}@example.com", status="active")
            user.set_unusable_password()
            user.save(force_insert=True)
            role = Role.objects.create(
                kind="console", name=f"R{number}", permissions=sorted(permissions), created_at=clock.now()
            )
            RoleAssignment.objects.create(role=role, user=user, assigned_at=clock.now())
            people.append(user)
            roles.append(role)
        for number, (act, who, one, other) in enumerate(steps):
            actor = actor_of(people[who])
            before = {user.pk: _power(user.pk) for user in people}
            try:
                with transaction.atomic():
                    if act == "create":
                        made = create_role(actor, kind="console", name=f"N{number}", permissions=[str(p) for p in one])
                        roles.append(made)
                        assign_role(actor, user_id=people[other].pk, role_id=made.pk)
                    elif act == "change":
                        role = roles[other % len(roles)]
                        change_role(actor, role_id=role.pk, permissions=[str(p) for p in one])
                    elif act == "assign":
                        assign_role(actor, user_id=people[one].pk, role_id=roles[other % len(roles)].pk)
                    else:
                        command = grant_object if act == "grant" else revoke_object_grant
                        command(
                            actor,
                            user_id=people[one].pk,
                            permission=other,
                            kind="organization",
                            object_id=organization.pk,
                        )
            except RealmkeepError:
                for user in people:
                    assert _power(user.pk) == before[user.pk]
                continue
            given_by, given_on = before[people[who].pk]
            for user in people:
                now, now_on = _power(user.pk)
                was, was_on = before[user.pk]
                assert now - was <= given_by
                assert all(
                    permission in given_by or (permission, kind, pk) in given_on
                    for permission, kind, pk in now_on - was_on
                )
                assert was - now <= given_by, "and nobody takes what he does not hold"
        transaction.set_rollback(True)
